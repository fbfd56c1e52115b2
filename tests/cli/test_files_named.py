"""Files that a configuration names: told where they aren't here, and no problem."""

from pathlib import Path

from tests.cli.trueup import trueup

TEXT = """services:
  web: {{at: "https://shop.example/", tls: {{ca: {here}, cert: /nowhere/c.pem, key: "/nowhere/k\\e[1m.pem"}}}}
  box:
    at: sftp://ann@files.example/
    key: /nowhere/id
journeys:
  buy: {{tls: {{ca: /nowhere/ca.pem}}, steps: [{{http: {{get: "https://shop.example/"}}}}]}}
"""


def test_what_isnt_here_is_told(tmp_path: Path) -> None:
    here, file = tmp_path / "ca.pem", tmp_path / "trueup.yaml"
    here.touch()
    file.write_text(TEXT.format(here=here))
    done = trueup("validate", "-c", str(file))
    assert (done.returncode, "is valid" in done.stdout) == (0, True)
    told = [line.removeprefix(f"{file}:") for line in done.stderr.splitlines()]
    assert [line.split(": ")[:2] for line in told] == [
        ["2", "services.web.tls.cert"],
        ["2", "services.web.tls.key"],
        ["3", "services.box.key"],
        ["7", "journeys.buy.tls.ca"],
    ]
    assert told[2].endswith(
        "there is no file /nowhere/id on this machine; without it nobody will know about box"
    )
    assert "\x1b" not in done.stderr

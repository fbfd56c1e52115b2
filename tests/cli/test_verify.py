"""``trueup snapshot`` and ``trueup verify`` where they can't, and what a snapshot has.

The rest is on a machine of its own, in tests/host_ghosts.
"""

import json
from pathlib import Path

import pytest

from tests.beds.certificates import Authority
from tests.beds.namespaces import network
from tests.beds.nginx import nginx
from tests.beds.redis import redis
from tests.cli.trueup import trueup
from tests.reports.snapshots import snapshot


def test_a_snapshot_has_listeners_targets_latencies_and_certificates(
    tmp_path: Path, authority: Authority
) -> None:
    config, file = tmp_path / "trueup.yaml", tmp_path / "before.json"
    with (
        network("verified") as (alone,),  # what others start and stop is no change here
        alone.enter(),
        redis() as cache,
        nginx(tls=authority.valid("127.0.0.1")) as web,
    ):
        config.write_text(
            f"services: {{cache: '{cache.url}', web: {{at: '{web.url}', tls: {{ca: {authority.file}}}}}}}\n"
        )
        done = trueup("snapshot", "-o", str(file), "-c", str(config))
        assert done.returncode == 0, done.stderr
        cache.stop()
        verified = trueup("verify", "--against", str(file), "--json")
        ports = cache.port, web.port
    before = json.loads(file.read_text())
    listeners = {one["port"]: one for one in before["listeners"]}
    assert [listeners[port]["speaks"] for port in ports] == ["redis", "https"]
    assert listeners[ports[0]]["process"] == "redis-server"
    targets = {one["name"]: one for one in before["targets"]}
    assert (targets["cache"]["state"], targets["web"]["state"]) == ("up", "up")
    assert targets["cache"]["latency_ms"] > 0
    assert targets["web"]["version"].startswith("nginx/")
    (certificate,) = before["certificates"]
    assert certificate["at"] == web.url
    assert len(certificate["fingerprint"]) == 64
    assert certificate["expires_at"]
    assert before["boot"]["id"]
    assert before["configuration"] == {"file": str(config)}
    assert verified.returncode == 2
    after = json.loads(verified.stdout)
    assert [one["name"] for one in after["lost"]] == [f"tcp 127.0.0.1:{ports[0]}"]
    assert [one["name"] for one in after["worse"]] == ["cache"]


def test_a_file_that_is_no_snapshot_is_wrong_usage(tmp_path: Path) -> None:
    file = tmp_path / "before.json"
    assert "trueup snapshot -o" in refused(file)
    file.write_text("{}")
    assert "it is no snapshot" in refused(file)
    file.write_bytes(b"\xff\xfe")
    assert "it isn't text" in refused(file)
    file.write_text(json.dumps(snapshot(schema=9)))
    assert "its schema is 9" in refused(file)


def refused(file: Path) -> str:
    done = trueup("verify", "--against", str(file))
    assert (done.returncode, done.stdout) == (64, "")
    return done.stderr


def test_a_configuration_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    file = tmp_path / "before.json"
    file.write_text(json.dumps(snapshot(configuration={"file": str(tmp_path / "gone.yaml")})))
    assert f"{tmp_path}/gone.yaml" in refused(file)


@pytest.mark.parametrize("words", [("verify",), ("snapshot",), ("verify", "--against", "x", "--wait", "60")])
def test_wrong_usage(words: tuple[str, ...]) -> None:
    assert trueup(*words).returncode == 64


def test_nothing_but_a_snapshot_is_written_over(tmp_path: Path) -> None:
    file = tmp_path / "precious.txt"
    file.write_text("precious")
    done = trueup("snapshot", "-o", str(file))
    assert done.returncode == 64
    assert "is no snapshot; name another file" in done.stderr
    assert file.read_text() == "precious"

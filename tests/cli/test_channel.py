import json
from pathlib import Path

import pytest

from tests.beds.fake_http import asked, fake_http, says
from tests.beds.server import LOOPBACK, free_port
from tests.cli.trueup import trueup
from trueup.cli.commands import Commands

Said = pytest.CaptureFixture[str]


def written(folder: Path, channels: str) -> list[str]:
    path = folder / "trueup.yaml"
    path.write_text(f"channels: {channels}\n")
    return ["-c", str(path)]


def test_a_test_arrives_and_the_answer_is_said(tmp_path: Path) -> None:
    with fake_http(says(202, {})) as receiver:
        config = written(tmp_path, f"{{hook: {{to: '{receiver.url}/t0ken-of-mine', secret: s3cret}}}}")
        done = trueup("channel", "test", "hook", *config)
    assert (done.returncode, done.stdout) == (0, "hook (http): taken: 202 Accepted\n")
    (request,) = receiver.requests
    method, path, body = asked(request)
    event = json.loads(body)
    assert (method, path) == ("POST", "/t0ken-of-mine")
    assert (event["event"], event["incident"], event["target"], event["state"]) == ("test", 0, "trueup", "up")
    assert b"X-Trueup-Signature: t=" in request


def test_an_answer_that_is_no_success_is_a_failure_without_secrets(tmp_path: Path, capsys: Said) -> None:
    with fake_http(says(401, {"no": "t0ken-of-mine"})) as receiver:
        config = written(tmp_path, f"{{hook: '{receiver.url}/t0ken-of-mine'}}")
        assert Commands.run(["channel", "test", "hook", *config]) == 70
        assert capsys.readouterr() == ("", 'hook (http): not taken: 401 Unauthorized: {"no": "***"}\n')
        assert Commands.run(["channel", "test", "hook", "--json", *config]) == 70
    assert json.loads(capsys.readouterr().out) == {
        "channel": "hook",
        "scheme": "http",
        "taken": False,
        "said": '401 Unauthorized: {"no": "***"}',
    }


@pytest.mark.parametrize("to", ["http", "mailto", "ntfy", "json"])
def test_nobody_there_is_said_by_each_kind(to: str, tmp_path: Path, capsys: Said) -> None:
    config = written(tmp_path, f"{{one: '{to}://{LOOPBACK}:{free_port()}/a@b.example'}}")
    assert Commands.run(["channel", "test", "one", *config]) == 70
    said = capsys.readouterr().err
    assert f"one ({to}): not taken: " in said
    assert "bug" not in said


def test_a_name_that_is_no_channels_is_wrong_usage(tmp_path: Path, capsys: Said) -> None:
    config = written(tmp_path, "{pager: 'tgram://token/chat', mail: 'mailto://mail.example'}")
    assert Commands.run(["channel", "test", "pagr", *config]) == 64
    assert "no channel 'pagr'; did you mean 'pager'?" in capsys.readouterr().err
    assert Commands.run(["channel", "test", "quite-another", *config]) == 64
    assert "there are: pager mail" in capsys.readouterr().err


def test_without_a_configuration_there_is_nothing_to_test(tmp_path: Path, capsys: Said) -> None:
    assert Commands.run(["channel", "test", "pager", "-c", str(tmp_path / "gone.yaml")]) == 64
    assert "gone.yaml" in capsys.readouterr().err

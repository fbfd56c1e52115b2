"""Jobs that report, as curl in a crontab would."""

import pytest

from tests.web.asking import FAR, as_asker, ask, web
from tests.web.scripted import ScriptedMonitor, plain
from trueup.domain.target import Kind, Target
from trueup.web.heartbeats import KEPT_BYTES


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        ("", "success"),
        ("/start", "start"),
        ("/fail", "fail"),
        ("/0", "0"),
        ("/137", "137"),
        ("/007", "7"),
        ("/", "success"),
        ("/fail/", "fail"),
    ],
)
def test_each_report_is_taken(method: str, ending: str, kind: str) -> None:
    monitor = plain()
    answer = ask(web(monitor), f"/api/v1/heartbeats/hb-1{ending}", method, host=FAR)
    assert (answer.status, monitor.beats) == (200, [("hb-1", kind, "")])


@pytest.mark.parametrize("path", ["hb-2", "hb-2/start", "hb-1/stop", "hb-1/256", "hb-1/-1", "hb-1/٣"])
def test_others_are_not(path: str) -> None:
    monitor = plain()
    assert ask(web(monitor), f"/api/v1/heartbeats/{path}", "POST", host=FAR).status == 404
    assert monitor.beats == []


def test_its_page_shows_the_address_to_those_who_may_change_something() -> None:
    app = web(ScriptedMonitor(Target("backup", Kind.HEARTBEAT)))
    shown = ask(app, "/targets/backup", **as_asker("editor"))
    assert (shown.status, b"/api/v1/heartbeats/hb-1" in shown.body) == (200, True)
    hidden = ask(app, "/targets/backup", **as_asker("viewer"))
    assert (hidden.status, b"hb-1" in hidden.body) == (200, False)


def test_the_beginning_of_what_it_says_is_kept() -> None:
    monitor = plain()
    ask(web(monitor), "/api/v1/heartbeats/hb-1/fail", "POST", b"\xff" + b"x" * 50_000)
    (_, _, said), *_ = monitor.beats
    assert len(said.encode(errors="replace")) <= KEPT_BYTES + 2
    assert said.endswith("xxx")


def test_what_curl_sends_as_a_form_is_answered_in_json() -> None:
    answer = ask(web(plain()), "/api/v1/heartbeats/nobody", "POST", form={"done": ""}, host=FAR)
    assert (answer.status, answer.json["error"]) == (404, "no heartbeat has this address")

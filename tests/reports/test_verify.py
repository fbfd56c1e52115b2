"""Two snapshots, made by hand, held against each other."""

from typing import Any

import pytest

from tests.reports.snapshots import listener, snapshot, target, unit
from trueup.domain.states import State
from trueup.reports.differences import Differences
from trueup.reports.verify import compare

REBOOTED = {"boot": {"id": "b", "started_at": "2026-11-21T10:05:00.000Z"}}
OFF: dict[str, Any] = {"state": "inactive", "sub_state": "dead"}
DISABLED: dict[str, Any] = {"enabled": "disabled", "starts_at_boot": False, "why": "isn't enabled"}


def said(differences: Differences) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for kind, one in differences.by_kind():
        found.setdefault(kind, []).append(one.says)
    return found


def compared(before: dict[str, Any], after: dict[str, Any], **more: Any) -> dict[str, list[str]]:
    names = {"unit": "units", "listener": "listeners", "target": "targets"}

    def whole(parts: dict[str, Any]) -> dict[str, Any]:
        return snapshot(**{names.get(key, key): value for key, value in parts.items()})

    return said(compare(whole(before), {**whole(after), **more}))


def test_all_as_it_was() -> None:
    whole = snapshot(units=[unit()], listeners=[listener()], targets=[target()])
    differences = compare(whole, whole)
    assert differences.state is State.UP
    assert differences.document() == {
        "state": "up",
        "lost": [],
        "changed": [],
        "new": [],
        "slower": [],
        "worse": [],
    }


# ---- units ------------------------------------------------------------------------------------------------


def test_a_disabled_unit_after_a_reboot_is_lost_by_name_with_its_listener() -> None:
    before = snapshot(units=[unit(**DISABLED)], listeners=[listener()])
    differences = compare(before, {**snapshot(units=[unit(**DISABLED, **OFF)]), **REBOOTED})
    (lost,) = differences.lost
    assert lost.says == "redis.service is not running: not enabled at boot"
    assert lost.next == ("systemctl enable --now redis.service",)
    assert lost.listeners == ("tcp 127.0.0.1:6379",)
    assert lost.document()["before"] == {"state": "active", "enabled": "disabled", "starts_at_boot": False}
    assert differences.state is State.DOWN
    assert len(list(differences.by_kind())) == 1


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (OFF, "redis.service is not running: stopped"),
        ({**OFF, "enabled": "masked"}, "redis.service is not running: it is masked"),
        ({"state": "not-found", "enabled": ""}, "redis.service is not installed any more"),
        ({"state": "activating", "sub_state": "start"}, "redis.service is still starting"),
        (
            {"state": "activating", "sub_state": "auto-restart"},
            "redis.service keeps ending and being started again",
        ),
        (
            {"state": "failed", "result": "exit-code", "exit_status": 3},
            "redis.service failed: exit status 3",
        ),
        ({"state": "failed", "result": "timeout"}, "redis.service failed: result timeout"),
        (
            {"state": "failed", "result": "signal", "exit_signal": "SIGKILL"},
            "redis.service failed: signal SIGKILL",
        ),
    ],
)
def test_a_unit_that_does_not_run_is_lost_and_why_is_said(after: dict[str, Any], words: str) -> None:
    assert compared({"unit": [unit()]}, {"unit": [unit(**after)]}) == {"lost": [words]}


@pytest.mark.parametrize(
    "more",
    [
        {"enabled": "static"},
        {"condition_met": False},
        {"triggered_by": ["redis.socket"]},
        {"type": "dbus"},
    ],
)
def test_what_ran_on_demand_or_has_nothing_to_do_is_not_missed(more: dict[str, Any]) -> None:
    assert compared({"unit": [unit(**more)]}, {"unit": [unit(**more, **OFF)]}) == {}


def test_what_did_not_run_before_is_not_lost() -> None:
    assert compared({"unit": [unit(**OFF)]}, {"unit": [unit(**OFF)]}) == {}
    assert compared({"unit": [unit(state="failed")]}, {"unit": [unit(state="failed")]}) == {}


def test_a_unit_that_will_not_start_at_boot_any_more_is_a_change_worth_naming() -> None:
    assert compared({"unit": [unit()]}, {"unit": [unit(**DISABLED)]}) == {
        "changed": ["redis.service is no longer enabled at boot: it isn't enabled"]
    }
    assert compared({"unit": [unit(**DISABLED)]}, {"unit": [unit()]}) == {
        "changed": ["redis.service was disabled, and is enabled"]
    }


def test_new_units_are_those_that_somebody_chose() -> None:
    other = unit("other.service")
    assert compared({}, {"unit": [other]}) == {"new": ["other.service is new: active, enabled"]}
    assert compared({}, {"unit": [unit("other.service", enabled="static")]}) == {}
    assert compared({}, {"unit": [unit("other.service", state="failed")]}) == {
        "worse": ["other.service failed"]
    }


# ---- listeners --------------------------------------------------------------------------------------------


def test_a_listener_that_is_gone_is_lost() -> None:
    assert compared({"listener": [listener()]}, {}) == {
        "lost": ["nothing listens on tcp 127.0.0.1:6379 any more: it was redis.service (redis)"]
    }


@pytest.mark.parametrize("place", [{"address": "0.0.0.0"}, {"port": 6380}])
def test_one_that_moved_is_neither_lost_nor_new(place: dict[str, Any]) -> None:
    moved = listener(**place)
    to = f"tcp {moved['address']}:{moved['port']}"
    assert compared({"listener": [listener()]}, {"listener": [moved]}) == {
        "changed": [f"redis.service (redis) moved from tcp 127.0.0.1:6379 to {to}"]
    }


def test_another_program_at_another_port_is_lost_and_new() -> None:
    other = listener(port=6380, process="valkey-server", unit="valkey.service")
    assert compared({"listener": [listener()]}, {"listener": [other]}).keys() == {"lost", "new"}


def test_a_port_that_is_another_each_time_is_no_difference() -> None:
    before = listener(port=40001, speaks=None, version=None)
    assert compared({"listener": [before]}, {"listener": [before | {"port": 40002}]}) == {}
    assert compared({"listener": [before]}, {}) == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "7.0.15"}, "version 7.0.11 is 7.0.15"),
        ({"user": "root"}, "user redis is root"),
        ({"unit": "cache.service"}, "unit redis.service is cache.service"),
        ({"container": "cache"}, "container none is cache"),
    ],
)
def test_whoever_holds_it_otherwise_is_a_change(change: dict[str, Any], words: str) -> None:
    assert compared({"listener": [listener()]}, {"listener": [listener(**change)]}) == {
        "changed": [f"tcp 127.0.0.1:6379: {words} now"]
    }


def test_what_may_not_be_seen_is_no_change() -> None:
    """As root before, and not as root now."""
    hidden = listener(process=None, unit=None, container=None)
    assert compared({"listener": [listener()]}, {"listener": [hidden]}) == {}
    scopes = [[listener(unit=f"session-{number}.scope")] for number in (1, 2)]
    assert compared({"listener": scopes[0]}, {"listener": scopes[1]}) == {}


def test_another_protocol_is_a_change_and_none_at_all_is_worse() -> None:
    assert compared({"listener": [listener()]}, {"listener": [listener(speaks="http", version=None)]}) == {
        "changed": ["tcp 127.0.0.1:6379 answered as redis, and answers as http"]
    }
    assert compared({"listener": [listener()]}, {"listener": [listener(speaks=None, version=None)]}) == {
        "worse": ["tcp 127.0.0.1:6379 answered as redis, and nobody can be told there now"]
    }


# ---- targets ----------------------------------------------------------------------------------------------


def test_a_verdict_that_fell_is_worse_and_one_that_rose_is_no_difference() -> None:
    down = target(state="down", summary="refused", next=["start it"])
    assert compared({"target": [target()]}, {"target": [down]}) == {
        "worse": ["cache was up and is down: refused"]
    }
    assert compared({"target": [down]}, {"target": [target()]}) == {}
    assert compared({"target": [down]}, {"target": [down]}) == {}


def test_one_that_could_not_be_looked_at_is_unknown_and_nothing_else() -> None:
    differences = compare(snapshot(targets=[target()]), snapshot(targets=[target(state="unknown")]))
    assert differences.state is State.UNKNOWN
    assert differences.document()["unknown"] == ["cache could not be looked at: answers"]
    assert not list(differences.by_kind())


@pytest.mark.parametrize(
    ("before_ms", "after_ms", "slower"),
    [
        (1.0, 49.0, False),
        (1.0, 52.0, True),
        (100.0, 290.0, False),
        (100.0, 310.0, True),
        (None, 900.0, False),
    ],
)
def test_slower_is_both_many_times_and_much(before_ms: float | None, after_ms: float, slower: bool) -> None:
    before, after = target(latency_ms=before_ms), target(latency_ms=after_ms)
    assert ("slower" in compared({"target": [before]}, {"target": [after]})) is slower


def test_a_version_is_told_once() -> None:
    old = {"listener": [listener()], "target": [target(version="7.0.11")]}
    new = {"listener": [listener(version="7.0.15")], "target": [target(version="7.0.15")]}
    assert compared(old, new) == {"changed": ["tcp 127.0.0.1:6379: version 7.0.11 is 7.0.15 now"]}
    assert compared({"target": old["target"]}, {"target": new["target"]}) == {
        "changed": ["cache answers as version 7.0.15, and was 7.0.11"]
    }


# ---- containers, certificates -----------------------------------------------------------------------------


def container(**more: Any) -> dict[str, Any]:
    told = {"image": "redis:7", "state": "running", "health": None, "restart_policy": "no"}
    return {"name": "cache", **told, **more}


@pytest.mark.parametrize(
    ("after", "kind", "words"),
    [
        ({"state": "exited"}, "lost", "the container cache is exited and its restart policy is no"),
        ({"state": "paused", "restart_policy": "always"}, "lost", "the container cache is paused"),
        ({"health": "unhealthy"}, "worse", "the container cache was running and is unhealthy"),
        ({"image": "redis:8"}, "changed", "the container cache is of redis:8, and was of redis:7"),
    ],
)
def test_containers(after: dict[str, Any], kind: str, words: str) -> None:
    assert compared({"containers": [container()]}, {"containers": [container(**after)]}) == {kind: [words]}


def test_a_container_that_is_gone_takes_its_listener_along() -> None:
    door = listener(container="cache", unit=None, process="docker-proxy")
    differences = compare(snapshot(containers=[container()], listeners=[door]), snapshot())
    assert [one.says for one in differences.lost] == ["the container cache is gone"]
    assert differences.lost[0].listeners == ("tcp 127.0.0.1:6379",)
    assert compared({}, {"containers": [container()]}) == {"new": ["the container cache is new: redis:7"]}


def test_another_certificate_is_named_with_its_end() -> None:
    old = {"at": "https://a", "fingerprint": "1", "expires_at": "2027-01-01T00:00:00.000Z"}
    new = {"at": "https://a", "fingerprint": "2", "expires_at": "2026-12-01T00:00:00.000Z"}
    (words,) = compared({"certificates": [old]}, {"certificates": [new]})["changed"]
    ends = "it ends 2026-12-01, the one before 2027-01-01, which is sooner"
    assert words == f"https://a shows another certificate: {ends}"
    assert compared({"certificates": [old]}, {"certificates": [old]}) == {}


# ---- what can't be read -----------------------------------------------------------------------------------


def test_what_can_not_be_read_now_makes_nothing_lost() -> None:
    before = snapshot(units=[unit()], listeners=[listener()])
    differences = compare(
        before, snapshot(listeners=[listener()], unreadable=[{"what": "systemd", "why": "no bus"}])
    )
    assert differences.state is State.UNKNOWN
    assert differences.unknown == ["systemd could be read before, and can't now: no bus"]


def test_what_could_never_be_read_is_not_compared() -> None:
    gap = [{"what": "systemd", "why": "it isn't the init system here"}]
    assert compare(snapshot(unreadable=gap), snapshot(unreadable=gap)).state is State.UP

"""Why a verdict is what it is: the order of time, the rules, the log, what's missing."""

from dataclasses import replace
from datetime import timedelta

from tests.app.test_held_before import EMPTY, HOLDER, PASSED, REFUSED, TARGET
from tests.host.fake_reader import NOW
from trueup.diagnosis.evidence import Evidence, Former
from trueup.diagnosis.explain import asked, explanation
from trueup.diagnosis.judge import judge
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.host.traces import Change, ChangeKind, LogExcerpt, LogLine, MemoryKill
from trueup.host.unreadable import Reason, Unreadable

FAILED = Evidence(TARGET, (REFUSED,), EMPTY, Former(HOLDER, has_ended=True))


def test_the_rule_that_speaks_is_the_verdict_s_and_the_next_are_outranked() -> None:
    killed = replace(FAILED, host=replace(EMPTY, memory_kills=(MemoryKill(812, "shop", NOW),)))
    found = {one["rule"]: one for one in explanation(killed)["rules"]}
    assert found["former-killed-for-memory"]["result"] == "speaks"
    assert found["former-killed-for-memory"]["would_say"] == judge(killed).summary
    assert found["former-ended"]["result"] == "outranked"
    assert found["former-ended"]["cause"] == "not-running"
    assert found["broken-layer"]["cause"] == "refused"
    assert found["crash-loop"]["result"] == "no"
    assert found["crash-loop"]["would_say"] is None
    assert all(one["says"] for one in found.values())


def test_exactly_one_rule_speaks_whatever_the_evidence() -> None:
    slow = Observation(Layer.PORT, Outcome.SLOW, NOW, detail="slow")
    for seen in ((), (PASSED,), (slow,), (REFUSED,), (PASSED, REFUSED)):
        for host in (None, EMPTY):
            evidence = Evidence(TARGET, seen, host)
            (speaks,) = [one for one in asked(evidence) if one.speaks]
            assert speaks.found is not None
            assert judge(evidence).summary == speaks.found.summary


def test_what_happened_is_in_order_of_time() -> None:
    late = replace(REFUSED, observed_at=NOW + timedelta(seconds=1))
    events = explanation(replace(FAILED, observations=(late, PASSED)))["timeline"]
    assert [one["at"] for one in events] == sorted(one["at"] for one in events)
    assert "which held the port last, starts" in events[0]["what"]
    assert events[-1]["what"].startswith("local: port fail (refused)")


def test_the_log_is_the_holder_s() -> None:
    assert explanation(FAILED)["log"] is None
    other = replace(EMPTY, logs=(LogExcerpt("other.service", (LogLine(NOW, "not mine"),)),))
    assert explanation(replace(FAILED, host=other))["log"] is None


def test_what_is_missing_is_said() -> None:
    gap = Unreadable("systemd", "it isn't the init system here", Reason.UNSUPPORTED)
    report = replace(EMPTY, unreadable=(gap,))
    (systemd, holder) = explanation(replace(FAILED, host=report))["missing"]
    assert systemd == "here: systemd could not be read (unsupported): it isn't the init system here"
    assert "name a unit, a process or a container" in holder
    assert "another one" in explanation(replace(FAILED, host=None))["missing"][0]
    assert explanation(Evidence(TARGET, (PASSED,)))["missing"] == []


def test_what_one_run_of_a_package_manager_did_is_one_line() -> None:
    def package(name: str, by: str, minute: int) -> Change:
        return Change(ChangeKind.PACKAGE, name, NOW + timedelta(minutes=minute), f"install 1.2 ({by})")

    run = "apt-get -q -o Acquire::Retries=3 install --no-remove nmap"
    changes = [package(f"lib{number}", run, 1) for number in range(7)]
    changes += [package("curl", "apt-get install curl", 2)]
    report = replace(EMPTY, changes=tuple(changes))
    lines = [one["what"] for one in explanation(replace(FAILED, host=report))["timeline"]]
    assert [line for line in lines if "package" in line] == [
        "7 packages change by apt-get install nmap: lib0, lib1, lib2, lib3, lib4 and 2 more",
        "package curl changes install 1.2 (apt-get install curl)",
    ]


def test_what_holds_where_nothing_is_found_is_not_said_to_be_true_beside_a_finding() -> None:
    for seen, speaks in (((PASSED, REFUSED), "broken-layer"), ((PASSED,), "all-passed")):
        found = [one for one in asked(Evidence(TARGET, seen)) if one.found is not None]
        assert [one.name for one in found] == [speaks]

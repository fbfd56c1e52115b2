"""Containers: what their engine says, what listens inside, and what neither tells."""

from dataclasses import replace
from typing import Any

import pytest

from tests.diagnosis.hosts import (
    before,
    cause_by,
    container,
    failed,
    failed_unit,
    held,
    holder_in,
    listening,
    log,
    process,
    report,
    target,
)
from trueup.diagnosis.container_rules import CONTAINER_RULES, unhealthy
from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.finding import Finding
from trueup.diagnosis.rules import explained_by_the_host, unwell_inside
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome, State
from trueup.domain.verdict import MAY_COME_BACK
from trueup.host.facts import Container, PortMapping, ProcessState, Transport
from trueup.host.report import HostReport, Inner
from trueup.host.unreadable import Reason, Unreadable

PORTS = (PortMapping("0.0.0.0", 8080, 80, Transport.TCP),)
WEB = target("http://127.0.0.1:8080")
CLOSES = failed(Cause.CLOSES)
SILENT = failed(Cause.SILENT)


def box(**said: Any) -> Container:
    return container("web", **{"ports": PORTS, "pid": 900, **said})


def ended(code: int = 0, **said: Any) -> Container:
    plain = {"state": "exited", "exit_code": code, "pid": None, "finished_at": before(minutes=2)}
    return box(**(plain | said))


def absent(web: Container) -> HostReport:
    return report(containers=(web,))


def proxied(web: Container, *inside: Any, main: ProcessState = ProcessState.SLEEPING) -> HostReport:
    """docker-proxy holds the port; ``inside`` are the sockets in the container, where they could be read."""
    proxy = process(70, "docker-proxy", unit="docker.service")
    inner = (Inner(web.id, tuple(one for one in inside if one is not None)),) if inside else ()
    return report(
        listeners=(held(8080, "0.0.0.0", by=proxy, container="web"),),
        processes=(proxy, process(900, "shop", container_id=web.id, state=main)),
        containers=(web,),
        inner=inner,
    )


def found(host: HostReport, seen: Observation | None = None) -> Finding:
    finding = explained_by_the_host(Evidence(WEB, (seen or failed(),), host))
    assert finding is not None
    assert finding.layer is Layer.HOST
    return finding


# ---- ended ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("web", "cause", "words"),
    [
        (ended(), Cause.NOT_RUNNING, "Container web has exited 2 minutes ago"),
        (ended(143), Cause.NOT_RUNNING, "ended by SIGTERM (exit code 143)"),
        (ended(137), Cause.NOT_RUNNING, "ended by SIGKILL (exit code 137)"),
        (ended(state="created", exit_code=None, started_at=None), Cause.NOT_RUNNING, "never been started"),
        (ended(7), Cause.CRASHED, "Container web failed 2 minutes ago: exit code 7"),
        (ended(139), Cause.CRASHED, "exit code 139 (SIGSEGV)"),
        (ended(127, error="no such file: shop"), Cause.CRASHED, ": no such file: shop"),
        (ended(137, out_of_memory=True, memory_bytes_max=8 << 20), Cause.OUT_OF_MEMORY, "limit is 8 MiB"),
    ],
)
def test_how_it_ended(web: Container, cause: Cause, words: str) -> None:
    finding = found(absent(web))
    assert finding.cause is cause
    assert words in finding.summary
    assert any(step.startswith("docker start web") for step in finding.next)


@pytest.mark.parametrize("code", [0, 7, 137])
def test_what_ended_just_now_may_be_in_the_middle_of_a_restart(code: int) -> None:
    assert MAY_COME_BACK in found(absent(ended(code, finished_at=before(seconds=1)))).facts
    assert MAY_COME_BACK not in found(absent(ended(code, finished_at=before(seconds=3)))).facts


def test_its_log_is_quoted() -> None:
    host = replace(absent(ended(7)), logs=(log("web", "no licence"),))
    assert found(host).summary.endswith("exit code 7; it said: no licence")


def test_a_container_that_was_killed_for_memory_once_and_runs_is_not_killed() -> None:
    assert cause_by(proxied(box(out_of_memory=True)), WEB, CLOSES) is None


# ---- dying again and again --------------------------------------------------------------------------------


def restarted(**said: Any) -> Container:
    plain: dict[str, Any] = {
        "state": "restarting",
        "restarts": 4,
        "exit_code": 7,
        "started_at": before(seconds=4),
        "finished_at": before(seconds=3),
    }
    return box(**(plain | said))


@pytest.mark.parametrize(
    "web",
    [
        restarted(),
        restarted(state="running", exit_code=None, started_at=before(seconds=1)),
        restarted(state="exited"),  # by its policy, no more restarts
    ],
)
def test_it_keeps_dying(web: Container) -> None:
    finding = found(absent(web))
    assert finding.cause is Cause.CRASH_LOOP
    assert "Container web keeps dying: 4 restarts" in finding.summary


@pytest.mark.parametrize(
    "web",
    [
        restarted(restarts=1),
        restarted(started_at=before(days=3)),
        restarted(state="running", exit_code=None, started_at=before(days=3)),
    ],
)
def test_restarts_once_in_a_while_are_no_loop(web: Container) -> None:
    assert cause_by(absent(web), WEB) is not Cause.CRASH_LOOP


def test_nothing_is_said_of_a_container_that_restarts_or_has_not_been_checked_yet() -> None:
    assert cause_by(absent(restarted(restarts=0)), WEB) is None
    starting = proxied(box(health="starting"), None)
    assert cause_by(starting, WEB, CLOSES) is None


def test_a_start_that_fails_each_time_is_a_crash() -> None:
    web = restarted(state="exited", started_at=before(seconds=4), finished_at=before(seconds=3.9))
    assert found(absent(web)).cause is Cause.CRASHED


# ---- paused -----------------------------------------------------------------------------------------------


def test_paused_by_its_engine() -> None:
    finding = found(proxied(box(state="paused")), SILENT)
    assert finding.cause is Cause.PAUSED
    assert finding.next == ("docker unpause web",)


def test_its_main_process_is_stopped() -> None:
    finding = found(proxied(box(), main=ProcessState.STOPPED), SILENT)
    assert finding.cause is Cause.PAUSED
    assert finding.next == ("kill -CONT 900",)


# ---- inside -----------------------------------------------------------------------------------------------


def test_nothing_listens_inside() -> None:
    finding = found(proxied(box(), listening(81, "0.0.0.0")), CLOSES)
    assert finding.cause is Cause.NOT_LISTENING
    assert finding.summary == (
        "Container web runs, and nothing in it listens on port 80, to which port 8080 leads"
    )
    young = found(proxied(box(started_at=before(seconds=3)), None), CLOSES)
    assert young.summary.endswith("it started 3 seconds ago and may not be done with that")
    assert (MAY_COME_BACK in young.facts, MAY_COME_BACK in finding.facts) == (True, False)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_it_listens_on_the_loopback_of_its_container(address: str) -> None:
    finding = found(proxied(box(), listening(80, address)), CLOSES)
    assert finding.cause is Cause.WRONG_ADDRESS
    assert finding.facts["listens_at"] == [address]


def test_inside_it_accepts_nothing() -> None:
    finding = found(proxied(box(), listening(80, "0.0.0.0", queue=2, queue_max=None)), SILENT)
    assert finding.cause is Cause.HUNG
    assert "2 connections wait on its port 80" in finding.summary
    assert "docker restart web" in finding.next


@pytest.mark.parametrize("inside", [(), (listening(80, "0.0.0.0"),)])
def test_what_is_inside_and_well_or_unread_explains_nothing(inside: tuple[Any, ...]) -> None:
    for seen in (CLOSES, SILENT, failed()):
        assert cause_by(proxied(box(), *inside), WEB, seen) is None


# ---- health -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [Cause.CLOSES, Cause.SILENT, Cause.ERROR_ANSWER, Cause.BAD_UPSTREAM])
def test_unhealthy_and_failing(cause: Cause) -> None:
    web = box(health="unhealthy", health_failures=5, health_output="first\ncupboard is bare")
    finding = found(proxied(web), failed(cause))
    assert (finding.state, finding.cause) == (State.DOWN, Cause.UNHEALTHY)
    assert finding.summary == (
        "Container web is unhealthy: its health check failed 5 times: cupboard is bare"
    )


@pytest.mark.parametrize("cause", [Cause.LOGIN_REFUSED, Cause.OVERLOADED, Cause.WRONG_ANSWER])
def test_a_cause_that_says_more_than_unhealthy_stays(cause: Cause) -> None:
    assert cause_by(proxied(box(health="unhealthy")), WEB, failed(cause)) is None


def test_what_explains_more_comes_before_unhealthy() -> None:
    web = box(health="unhealthy")
    assert found(proxied(web, None), CLOSES).cause is Cause.NOT_LISTENING
    assert unhealthy not in CONTAINER_RULES


PASSED = Observation(Layer.SERVICE, Outcome.PASS, before(seconds=1), detail="HTTP 200")


def test_unhealthy_while_the_service_passes_is_degraded() -> None:
    finding = unwell_inside(Evidence(WEB, (PASSED,), proxied(box(health="unhealthy"))))
    assert finding is not None
    assert (finding.state, finding.layer, finding.cause) == (State.DEGRADED, Layer.HOST, Cause.UNHEALTHY)


@pytest.mark.parametrize(
    "web", [box(), box(health="healthy"), box(health="starting"), ended(health="unhealthy")]
)
def test_a_container_that_is_well_or_gone_degrades_nothing(web: Container) -> None:
    assert unwell_inside(Evidence(WEB, (PASSED,), proxied(web))) is None
    assert unwell_inside(Evidence(WEB, (PASSED,), None)) is None


# ---- which container --------------------------------------------------------------------------------------


def test_of_two_that_would_publish_the_port_nobody_is_meant() -> None:
    both = report(containers=(ended(7), container("other", ports=PORTS, state="exited", exit_code=0)))
    assert cause_by(both, WEB) is None
    assert cause_by(both, replace(WEB, container="web")) is Cause.CRASHED


def test_a_unit_that_is_down_is_a_second_one_that_could_be_meant() -> None:
    both = report(failed_unit("nginx.service"), containers=(ended(7),))
    assert cause_by(both, WEB) is None


def test_a_container_is_found_by_the_beginning_of_its_id() -> None:
    web = ended(7)
    assert holder_in(absent(web), replace(WEB, container=web.id[:12])).container == web


def test_no_such_container() -> None:
    named = replace(WEB, container="web")
    other = report(containers=(container("other"),))
    finding = explained_by_the_host(Evidence(named, (failed(),), other))
    assert finding is not None
    assert finding.cause is Cause.NOT_RUNNING
    assert finding.summary == "There is no container web on db-1"
    denied = (Unreadable("/run/docker.sock", "Permission denied", Reason.PERMISSION),)
    assert cause_by(replace(other, unreadable=denied), named) is None
    assert cause_by(report(), named) is None

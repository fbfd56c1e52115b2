"""A port in other hands than it should be: when that is said, and when nobody can know."""

from dataclasses import replace

import pytest

from tests.diagnosis.hosts import (
    NOW,
    REDIS,
    SERVER,
    SYSTEMD,
    asked_of,
    cause_by,
    container,
    down_unit,
    failed,
    failed_unit,
    held,
    process,
    report,
    serving,
    target,
    unit,
    without_owner,
)
from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.judge import judge
from trueup.diagnosis.owner_rules import wrong_owner
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome, State
from trueup.host.facts import Process, ProcessState, Unit
from trueup.host.report import Listener

SILENT = failed(Cause.SILENT)
WRONG = failed(Cause.WRONG_SERVICE, expected="redis", found="http")
PYTHON = process(99, "python3", unit="session-1.scope", user="joe")


def test_another_protocol_of_another_program() -> None:
    found = asked_of(wrong_owner, serving(PYTHON, units=()), seen=WRONG)
    assert found is not None
    assert found.cause is Cause.WRONG_OWNER
    assert found.summary == "python3 (pid 99) holds port 6379 and speaks http; it belongs to session-1.scope"
    assert found.facts["pid"] == 99
    assert found.next == ("See what it is: ps -fp 99", "If it's in the way: kill 99")


def test_the_right_one_is_named_where_it_is_known() -> None:
    stray = process(7, "nginx", unit="nginx.service")
    units = (unit("nginx.service", main_pid=7), failed_unit())
    found = asked_of(wrong_owner, serving(stray, units=units), seen=WRONG)
    assert found is not None
    assert f"; {REDIS} is failed" in found.summary
    assert found.next[-1] == f"If it's in the way: systemctl stop nginx.service; systemctl start {REDIS}"


def test_one_who_serves_others_is_not_to_be_stopped() -> None:
    stray = process(7, "nginx", unit="nginx.service")
    listeners = (held(by=stray), held(80, by=stray))
    host = report(unit("nginx.service", main_pid=7), listeners=listeners, processes=(stray,))
    found = asked_of(wrong_owner, host, seen=WRONG)
    assert found is not None
    assert "take port 6379 out of its configuration (it serves port 80 too)" in found.next[-1]


@pytest.mark.parametrize(
    ("at", "holder", "facts"),
    [
        ("redis://127.0.0.1:6379", SERVER, {"found": "http"}),  # it is redis by name
        ("https://127.0.0.1:6379", PYTHON, {"found": "http"}),  # anyone may speak HTTP
        ("https://127.0.0.1:6379", process(7, "nginx"), {"found": "http"}),
        ("redis://127.0.0.1:6379", PYTHON, {}),  # nobody could tell what it speaks
        ("redis://127.0.0.1:6379", PYTHON, {"found": "tls"}),
    ],
)
def test_a_wrong_protocol_of_what_may_be_the_right_program(
    at: str, holder: Process, facts: dict[str, str]
) -> None:
    seen = failed(Cause.WRONG_SERVICE, **facts)
    assert cause_by(serving(holder), target(at), seen) is None


def test_the_name_of_another_software_is_enough() -> None:
    seen = failed(Cause.WRONG_SERVICE)
    assert cause_by(serving(process(7, "nginx"), units=()), seen=seen) is Cause.WRONG_OWNER
    assert cause_by(serving(SERVER), target("http://127.0.0.1:6379"), seen) is Cause.WRONG_OWNER


@pytest.mark.parametrize("cause", [Cause.SILENT, Cause.LOGIN_REFUSED, Cause.CLOSES, Cause.WRONG_SERVICE])
def test_another_one_than_configured(cause: Cause) -> None:
    host = serving(PYTHON, units=(down_unit(),))
    assert cause_by(host, target(unit="redis-server"), failed(cause)) is Cause.WRONG_OWNER
    assert cause_by(host, target(process="redis-server"), failed(cause)) is Cause.WRONG_OWNER
    box = replace(host, containers=(container("box"),))
    assert cause_by(box, target(container="box"), failed(cause)) is Cause.WRONG_OWNER


def test_the_configured_one_is_its_own() -> None:
    seen = failed(Cause.LOGIN_REFUSED)
    host = serving()
    for named in ({"unit": "redis-server"}, {"process": "redis-server"}):
        assert cause_by(host, target(**named), seen) is None


def test_a_script_is_its_own_and_another_is_not() -> None:
    seen = failed(Cause.LOGIN_REFUSED)
    host = serving(replace(PYTHON, command=("python3", "/srv/app.py", "--port", "6379")))
    assert cause_by(host, target(process="app.py"), seen) is None
    assert cause_by(host, target(process="other.py"), seen) is Cause.WRONG_OWNER


def test_a_container_is_its_own_behind_its_proxy() -> None:
    proxy = process(70, "docker-proxy", unit="docker.service")
    box = container("box")
    host = report(listeners=(held(by=proxy, container="box"),), processes=(proxy,), containers=(box,))
    assert cause_by(host, target(container="box"), failed(Cause.LOGIN_REFUSED)) is None
    # A unit may run the container: then the proxy of its port isn't the unit's, and isn't foreign.
    with_unit = replace(host, units=(unit("box.service"),))
    assert cause_by(with_unit, target(unit="box"), failed(Cause.LOGIN_REFUSED)) is None


@pytest.mark.parametrize(
    "unseen",
    [
        without_owner(held()),
        held(by=replace(PYTHON, place=None)),  # its cgroup may not be read
        held(by=SYSTEMD, by_init=True),
    ],
)
def test_whose_it_is_that_may_not_be_seen(unseen: Listener) -> None:
    host = report(down_unit(), listeners=(unseen,), processes=(replace(PYTHON, place=None), SYSTEMD))
    assert asked_of(wrong_owner, host, target(unit="redis-server"), WRONG) is None


def test_a_service_of_a_user_s_own_systemd_is_not_the_system_s() -> None:
    place = process(5, unit="user@1000.service").place
    assert place is not None
    app = process(5, "shopd", place=replace(place, user_unit="shop.service"))
    host = serving(app, units=(unit("user@1000.service"),))
    assert cause_by(host, target(unit="shop"), SILENT) is None
    assert cause_by(serving(replace(app, state=ProcessState.STOPPED)), seen=SILENT) is Cause.PAUSED


PASSED = Observation(Layer.SERVICE, Outcome.PASS, NOW, detail="answers PING", facts={"peer": "127.0.0.1"})
DEAD = unit(REDIS, active_state="inactive", sub_state="dead", main_pid=None)


@pytest.mark.parametrize(
    ("named", "units", "words"),
    [
        ({"process": "redis-server"}, (), "; no process called redis-server runs"),
        ({"unit": REDIS}, (DEAD,), f"; {REDIS} is inactive, and answers"),
    ],
)
def test_another_that_answers_in_the_place_of_the_named_one(
    named: dict[str, str], units: tuple[Unit, ...], words: str
) -> None:
    verdict = judge(Evidence(target(**named), (PASSED,), serving(PYTHON, units=units)))
    assert (verdict.state, verdict.layer, verdict.cause) == (State.DEGRADED, Layer.HOST, Cause.WRONG_OWNER)
    assert verdict.summary.startswith("python3 (pid 99) holds port 6379")
    assert words in verdict.summary
    assert "kill 99" in verdict.next[-1]


@pytest.mark.parametrize("named", [{"process": "redis-server"}, {"unit": REDIS}])
def test_one_that_stands_before_the_named_one_is_as_well(named: dict[str, str]) -> None:
    """The named one runs, and somebody else answers for it: so does a proxy."""
    host = serving(PYTHON, units=(unit(REDIS, main_pid=SERVER.pid),))
    host = replace(host, processes=(*host.processes, SERVER))
    assert judge(Evidence(target(**named), (PASSED,), host)).state is State.UP


def test_whether_the_named_one_runs_is_not_known_where_processes_are_hidden() -> None:
    host = replace(serving(PYTHON, units=()), boot=None)
    assert judge(Evidence(target(process="redis-server"), (PASSED,), host)).state is State.UP
    assert judge(Evidence(target(), (PASSED,), serving(PYTHON, units=()))).state is State.UP, (
        "nobody is named"
    )

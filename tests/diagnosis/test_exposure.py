"""Internal targets: from outside, not to get there is good."""

from dataclasses import replace

import pytest

from tests.host.fake_reader import NOW, listening, process
from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.exposure import as_it_should_be, hint
from trueup.diagnosis.judge import judge
from trueup.domain.address import parse_address
from trueup.domain.causes import Cause
from trueup.domain.location import Location
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome, State
from trueup.domain.target import Target
from trueup.domain.verdict import Verdict
from trueup.host.facts import Firewall, FirewallRule, InterfaceAddress, Owner, Transport
from trueup.host.report import HostReport, Listener
from trueup.probes.registry import SCHEMES

TARGET = Target("db", at=(parse_address("redis://10.0.0.7:6379", SCHEMES),), internal=True)
OUTSIDE = Location("fra", outside=True)
PEER = {"peer": "10.0.0.7"}


def seen(layer: Layer, outcome: Outcome, cause: Cause | None = None) -> Observation:
    return Observation(layer, outcome, NOW, cause, "as it was", facts=PEER)


CONNECTED = seen(Layer.PORT, Outcome.PASS)


def verdict(*observations: Observation, target: Target = TARGET, location: Location = OUTSIDE) -> Verdict:
    return judge(Evidence(target, as_it_should_be(target, location, observations)))


@pytest.mark.parametrize(
    "beyond",
    [
        (),
        (seen(Layer.SERVICE, Outcome.PASS),),
        (seen(Layer.SERVICE, Outcome.FAIL, Cause.LOGIN_REFUSED),),
        (seen(Layer.SERVICE, Outcome.FAIL, Cause.SILENT),),
        (seen(Layer.TLS, Outcome.FAIL, Cause.TLS_UNTRUSTED), seen(Layer.SERVICE, Outcome.PASS)),
    ],
)
def test_what_can_be_reached_from_outside_is_exposed_whatever_it_answers(
    beyond: tuple[Observation, ...],
) -> None:
    found = verdict(CONNECTED, *beyond)
    assert (found.state, found.layer, found.cause) == (State.DEGRADED, Layer.PORT, Cause.EXPOSED)
    assert "from where it must not be" in found.summary
    assert found.next


def test_an_answer_over_udp_is_exposure_too() -> None:
    assert verdict(seen(Layer.SERVICE, Outcome.FAIL, Cause.WRONG_ANSWER)).cause is Cause.EXPOSED


@pytest.mark.parametrize(
    ("layer", "cause"),
    [
        (Layer.PORT, Cause.REFUSED),
        (Layer.PORT, Cause.NO_ANSWER),
        (Layer.PORT, Cause.UNREACHABLE),
        (Layer.PORT, Cause.UNRESOLVED),
        (Layer.SERVICE, Cause.SILENT),
    ],
)
def test_what_cannot_be_reached_from_outside_is_up(layer: Layer, cause: Cause) -> None:
    found = verdict(seen(layer, Outcome.FAIL, cause))
    assert (found.state, found.layer, found.cause) == (State.UP, None, None)
    assert "as it should be" in found.summary


def test_what_could_not_be_asked_is_unknown() -> None:
    assert verdict(seen(Layer.PORT, Outcome.UNKNOWN, Cause.MONITOR_STARVED)).state is State.UNKNOWN


def test_one_exposed_address_of_several_is_enough() -> None:
    first = replace(seen(Layer.PORT, Outcome.FAIL, Cause.REFUSED), at="a")
    found = verdict(first, replace(CONNECTED, at="b"))
    assert found.cause is Cause.EXPOSED
    assert [one.outcome for one in found.observations] == [Outcome.PASS, Outcome.SLOW]


def test_from_inside_and_of_what_may_be_public_nothing_is_turned() -> None:
    refused = seen(Layer.PORT, Outcome.FAIL, Cause.REFUSED)
    assert verdict(refused, location=Location()).state is State.DOWN
    assert verdict(refused, target=replace(TARGET, internal=False)).state is State.DOWN
    assert verdict(CONNECTED, location=Location()).state is State.UP


def report(address: str, firewall: Firewall | None = None) -> HostReport:
    addresses = (InterfaceAddress("lo", "127.0.0.1", 8), InterfaceAddress("eth0", "10.0.0.7", 24))
    listener = Listener(listening(6379, address), "redis", Owner(812, (812,)), "redis-server")
    holder = process(812, "redis-server")
    return HostReport("here", NOW, None, addresses, (listener,), processes=(holder,), firewall=firewall)


OPEN = Firewall((), ())
CLOSED = Firewall(("inet filter input",), ())
DROPS = Firewall((), (FirewallRule("x", "drop", Transport.TCP, ((6379, 6379),), True, None),))
DROPS_OTHER = Firewall((), (FirewallRule("x", "drop", Transport.TCP, ((22, 22),), False, None),))


@pytest.mark.parametrize(
    ("address", "firewall", "hinted"),
    [
        ("0.0.0.0", OPEN, True),
        ("0.0.0.0", None, True),
        ("0.0.0.0", DROPS_OTHER, True),
        ("10.0.0.7", OPEN, False),
        ("0.0.0.0", CLOSED, False),
        ("0.0.0.0", DROPS, False),
    ],
)
def test_a_listener_bound_to_all_addresses_with_nothing_in_front_is_a_hint(
    address: str, firewall: Firewall | None, hinted: bool
) -> None:
    told = hint(TARGET, [CONNECTED], report(address, firewall))
    assert (told is not None) is hinted
    if told is not None:
        assert (told.layer, told.outcome, told.facts["hint"]) == (
            Layer.HOST,
            Outcome.PASS,
            "bound-to-all-addresses",
        )
        assert ("could not be read" in told.detail) is (firewall is None)
        assert judge(Evidence(TARGET, (CONNECTED, told))).state is State.UP


def test_nothing_is_hinted_of_a_machine_that_has_only_itself_or_of_a_public_target() -> None:
    lonely = replace(report("0.0.0.0", OPEN), addresses=(InterfaceAddress("lo", "127.0.0.1", 8),))
    assert hint(TARGET, [CONNECTED], lonely) is None
    assert hint(replace(TARGET, internal=False), [CONNECTED], report("0.0.0.0", OPEN)) is None

"""Whatever names a machine has, what is written down is a valid configuration that means the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.discovery.when import NOW
from trueup.config import load_text
from trueup.discovery.found import Door, Found, Holder, Link
from trueup.discovery.proposing import Surroundings, propose
from trueup.discovery.writing import configuration_text
from trueup.probes.registry import all_probes

_WORDS = st.text(max_size=30)
_SCHEMES = st.sampled_from(["", *(probe.name for probe in all_probes() if probe.name not in ("udp", "icmp"))])
_HOSTS = st.sampled_from(["127.0.0.1", "::1", "10.0.0.7", "db-1.internal"])


@st.composite
def founds(draw: st.DrawFn) -> Found:
    holder = draw(
        st.none()
        | st.builds(
            Holder,
            pids=st.frozensets(st.integers(1, 3), max_size=2),
            process=st.none() | _WORDS,
            unit=st.none() | _WORDS.map(lambda name: f"{name}.service"),
            container=st.none() | _WORDS.filter(bool),
        )
    )
    bound_to = draw(st.lists(st.sampled_from(["127.0.0.1", "0.0.0.0", "::", "10.0.0.1"]), min_size=1))
    door = Door(draw(_HOSTS), draw(st.integers(1, 65535)), bound_to=tuple(bound_to), holder=holder)
    notes = tuple(draw(st.lists(_WORDS, max_size=2)))
    return Found(door, draw(_SCHEMES), notes=notes)


@settings(max_examples=40)
@given(st.lists(founds(), max_size=6, unique_by=lambda one: one.door), st.data())
def test_it_is_valid_and_has_every_service_once(found: list[Found], data: st.DataObject) -> None:
    doors = [one.door for one in found if one.door.is_here]
    links = [Link(data.draw(st.sampled_from(doors)), one.door.host, one.door.port) for one in found if doors]
    services = propose(found, Surroundings(links=links))
    configuration = load_text(configuration_text(services, host="x\n", now=NOW), "found")
    assert [target.name for target in configuration.targets] == [service.name for service in services]
    for target, service in zip(configuration.targets, services, strict=True):
        assert (target.unit, target.process) == (service.keys.get("unit"), service.keys.get("process"))
        assert target.needs == tuple(service.keys.get("needs", ()))

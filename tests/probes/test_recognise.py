"""Each protocol is known by how it begins, and by nobody else's beginning."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.probes import sampled
from tests.probes.hostile_peers import GARBAGE, GREETINGS, Door
from trueup.probes.registry import all_probes, by_scheme

ON_HTTP = {"docker"}
"""Told from a plain web server only by what is asked there."""


def who(said: bytes) -> list[str]:
    return [probe.name for probe in all_probes() if probe.recognise(said)]


@pytest.mark.parametrize("name", sampled.names())
def test_a_real_servers_first_words(name: str) -> None:
    is_asked, said = sampled.turns_of(name)[0]
    assert who(said) in ([name], []) or (name in ON_HTTP and who(said) == ["http"])
    if not is_asked:
        assert who(said) == [name], "it says so unasked"


@pytest.mark.parametrize("door", GREETINGS, ids=[door.name for door in GREETINGS])
def test_nobody_is_taken_for_another(door: Door) -> None:
    assert len(who(door.said[0])) <= 1
    assert set(who(door.said[0])) <= {by_scheme()[scheme].name for scheme in door.owners}


@pytest.mark.parametrize("door", GARBAGE, ids=[door.name for door in GARBAGE])
def test_garbage_is_nobodys(door: Door) -> None:
    for piece in door.said:
        assert who(piece) == []


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(st.binary(max_size=100))
def test_anything_can_be_looked_at(said: bytes) -> None:
    assert len(who(said)) <= 1

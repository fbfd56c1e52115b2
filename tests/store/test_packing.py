import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.store.packing import (
    HOUR_MS,
    LAYERS,
    Looks,
    Tally,
    Unpackable,
    pack,
    pack_tally,
    together,
    unpack,
    unpack_tally,
)

HOUR = 494_000

bucket = st.none() | st.integers(0, 700)
rows = st.lists(
    st.tuples(st.integers(0, HOUR_MS - 1), st.integers(0, 3), *[bucket] * len(LAYERS)),
    min_size=1,
    max_size=70,
    unique_by=lambda row: row[0],
)


def looks_of(found: list[tuple[int, ...]]) -> Looks:
    times, states, *layers = (list(column) for column in zip(*sorted(found), strict=True))
    return Looks([HOUR * HOUR_MS + at_ms for at_ms in times], states, layers)


def columns(looks: Looks) -> list[list[int | None]]:
    return [list(looks.times_ms), list(looks.states), *(list(column) for column in looks.layers)]


@settings(max_examples=60)
@given(rows)
def test_what_is_packed_comes_out_again(found: list[tuple[int, ...]]) -> None:
    looks = looks_of(found)
    assert columns(unpack(pack(looks, HOUR), HOUR)) == columns(looks)


@settings(max_examples=40)
@given(rows, rows)
def test_summaries_add_up_like_the_looks_themselves(
    some: list[tuple[int, ...]], others: list[tuple[int, ...]]
) -> None:
    whole, one, other = Tally(), Tally(), Tally()
    one.count(looks_of(some))
    other.count(looks_of(others))
    whole.count(looks_of(some))
    whole.count(looks_of(others))
    added = unpack_tally(pack_tally(one))
    added.merge(unpack_tally(pack_tally(other)))
    assert added == whole


@given(st.binary(max_size=60))
def test_what_was_never_packed_is_refused_or_read_and_nothing_else_happens(noise: bytes) -> None:
    for read in (lambda: unpack(b"\x01" + noise, HOUR), lambda: unpack_tally(b"\x01" + noise)):
        with contextlib.suppress(Unpackable):
            read()


def test_what_ends_early_or_is_of_another_version_is_refused() -> None:
    packed = pack(Looks([HOUR * HOUR_MS, HOUR * HOUR_MS + 1], [0, 0], [[1, 2]] + [[None, None]] * 4), HOUR)
    for end in range(len(packed)):
        with pytest.raises(Unpackable):
            unpack(packed[:end], HOUR)
    with pytest.raises(Unpackable):
        unpack(b"\x02" + packed[1:], HOUR)


def test_late_looks_take_their_places() -> None:
    def looks(*times: int) -> Looks:
        return Looks(times, [0] * len(times), [[1] * len(times)] * 5)

    assert list(together(looks(1, 3), looks(2, 3)).times_ms) == [1, 2, 3]


def test_an_hour_of_a_service_with_three_layers_takes_less_than_eight_bytes_a_look() -> None:
    """Looked at once a minute, some milliseconds late, at latencies that wander."""
    chance = random.Random(7)
    times = [HOUR * HOUR_MS + minute * 60_000 + round(abs(chance.gauss(0, 8))) for minute in range(60)]
    layer = [[chance.randrange(150, 180) for _ in range(60)] for _ in range(3)]
    looks = Looks(times, [0] * 60, [*layer, *[[None] * 60] * 2])
    tally = Tally()
    tally.count(looks)
    assert len(pack(looks, HOUR)) / 60 < 5
    assert (len(pack(looks, HOUR)) + len(pack_tally(tally))) / 60 < 6.5

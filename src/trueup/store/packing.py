"""An hour of looks in a few bytes each, and its summary in fewer.

A packed hour is a row of numbers, each of them a variable-length integer of seven bits a byte:

    1 (the version)  how many  times  states  then for each layer: which looks reached it, latencies

Times are milliseconds in the hour: the first, the usual step, and how much longer each step is than that,
which is next to nothing for a target that's looked at every minute. States are runs: a
number, how often. Which looks reached a layer is runs too: how many did, how many then didn't, and so on.
Latencies are bucket numbers (``latencies``): the first, and the distance of each from the one before.
Distances are zigzag-coded, so that nearly all are of one byte.

A summary is ``1``, how many looks found each state, and for each layer its number, how many buckets it has,
the first of them as two numbers below 128, and of each its distance from the one before, times 16, plus its
count; a count of 15 or more is 15 there, and what it has more follows behind.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby, pairwise
from statistics import median_low
from typing import Final

from trueup.domain.states import Layer, State
from trueup.store.latencies import Buckets, add

HOUR_MS: Final = 3_600_000
STATES: Final = (State.UP, State.DEGRADED, State.DOWN, State.UNKNOWN)
"""A state's number is its place here."""
LAYERS: Final = (Layer.PORT, Layer.TLS, Layer.SERVICE, Layer.FUNCTION, Layer.HOST)
"""A layer's number is its place here."""
_VERSION: Final = 1
_BYTE: Final = 128
"""A smaller number is one byte."""
_MANY: Final = 15
_DISTANCES: Final = bytes(byte >> 4 for byte in range(256))
_COUNTS: Final = bytes(byte & _MANY for byte in range(256))


class Unpackable(ValueError):  # noqa: N818 - it says what it is
    """Bytes that are no packed hour, or no summary."""


@dataclass(frozen=True, slots=True)
class Looks:
    """Looks in order of time, as columns of the same length.

    ``states`` are numbers of states; ``layers`` has a column for each layer, with the bucket of each look's
    latency, None where it has none.
    """

    times_ms: Sequence[int]
    states: Sequence[int]
    layers: Sequence[Sequence[int | None]]

    def between(self, first: int, last: int) -> "Looks":
        """Those from place ``first`` to before ``last``."""
        layers = [column[first:last] for column in self.layers]
        return Looks(self.times_ms[first:last], self.states[first:last], layers)


@dataclass(slots=True)
class Tally:
    """Looks added up: how many found each state, and the latencies of each layer, by their numbers."""

    states: list[int] = field(default_factory=lambda: [0] * len(STATES))
    layers: dict[int, Buckets] = field(default_factory=dict)

    def count(self, looks: Looks) -> None:
        """Add looks."""
        for state in looks.states:
            self.states[state] += 1
        for layer, column in enumerate(looks.layers):
            buckets = self.layers.get(layer)
            for bucket in column:
                if bucket is not None:
                    if buckets is None:
                        buckets = self.layers[layer] = {}
                    buckets[bucket] = buckets.get(bucket, 0) + 1

    def merge(self, other: "Tally") -> None:
        """Add another's looks."""
        self.states = [mine + theirs for mine, theirs in zip(self.states, other.states, strict=True)]
        for layer, buckets in other.layers.items():
            mine = self.layers.get(layer)
            if mine is None:
                self.layers[layer] = dict(buckets)
            else:
                add(mine, buckets)


def together(one: Looks, other: Looks) -> Looks:
    """Both in order of time; of two looks at the same time, the one of ``other``."""
    parts = [zip(part.times_ms, part.states, *part.layers, strict=True) for part in (one, other)]
    rows = {row[0]: row for part in parts for row in part}
    times_ms, states, *layers = zip(*(rows[at_ms] for at_ms in sorted(rows)), strict=True)
    return Looks(times_ms, states, layers)


def pack(looks: Looks, hour: int) -> bytes:
    """The looks of one hour since 1970, at least one."""
    offsets = [at_ms - hour * HOUR_MS for at_ms in looks.times_ms]
    steps = [b - a for a, b in pairwise(offsets)]
    out = bytearray((_VERSION,))
    usual = median_low(steps) if steps else 0
    _put(out, (len(offsets), offsets[0], usual))
    _put(out, _zigzag([step - usual for step in steps]))
    for state, run in groupby(looks.states):
        _put(out, (state, sum(1 for _ in run)))
    for column in looks.layers:
        reached = [bucket for bucket in column if bucket is not None]
        _put(out, _presence(column) if len(reached) < len(column) else (len(column),))
        _put(out, reached[:1])
        _put(out, _zigzag([b - a for a, b in pairwise(reached)]))
    return bytes(out)


def unpack(packed: bytes, hour: int) -> Looks:
    """What ``pack`` packed.

    Raises:
        Unpackable: nothing that it packed, or of another version.
    """
    numbers = _Numbers(packed)
    count, first, usual = numbers.take(3)
    longer = _unzigzag(numbers.take(count - 1))
    times_ms = list(accumulate([usual + one for one in longer], initial=hour * HOUR_MS + first))
    states: list[int] = []
    while len(states) < count:
        state, run = numbers.take(2)
        if state >= len(STATES) or not run:
            raise Unpackable("a run of no state")
        states += [state] * run
    layers = [_column(numbers, count) for _ in LAYERS]
    return Looks(times_ms, states, layers)


def pack_tally(tally: Tally) -> bytes:
    """An hour's summary."""
    out = bytearray((_VERSION,))
    _put(out, tally.states)
    for layer, buckets in sorted(tally.layers.items()):
        ordered = sorted(buckets)
        counts = [buckets[bucket] for bucket in ordered]
        distances = [b - a for a, b in pairwise([ordered[0], *ordered])]
        _put(out, (layer, len(ordered), *divmod(ordered[0], _BYTE)))
        _put(out, [far << 4 | min(n, _MANY) for far, n in zip(distances, counts, strict=True)])
        _put(out, [n - _MANY for n in counts if n >= _MANY])
    return bytes(out)


def unpack_tally(packed: bytes) -> Tally:
    """What ``pack_tally`` packed.

    Raises:
        Unpackable: nothing that it packed, or of another version.
    """
    numbers = _Numbers(packed)
    tally = Tally(list(numbers.take(len(STATES))))
    while numbers.more():
        layer, count, high, low = numbers.take(4)
        if layer >= len(LAYERS) or not count:
            raise Unpackable("a layer that there isn't")
        distances, counts = _apart(numbers.take(count))
        if _MANY in counts:
            more = iter(numbers.take(sum(1 for n in counts if n == _MANY)))
            counts = [n + next(more) if n == _MANY else n for n in counts]
        buckets = accumulate(distances[1:], initial=high * _BYTE + low)
        tally.layers[layer] = dict(zip(buckets, counts, strict=True))
    return tally


def _apart(pairs: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    """Distances and counts; in one step each where they are bytes, which is nearly always."""
    if isinstance(pairs, bytes):
        return pairs.translate(_DISTANCES), pairs.translate(_COUNTS)
    return [pair >> 4 for pair in pairs], [pair & _MANY for pair in pairs]


class _Numbers:
    """The numbers of something packed, in turn."""

    def __init__(self, packed: bytes) -> None:
        if packed[:1] != bytes((_VERSION,)):
            raise Unpackable(f"not packed as version {_VERSION}")
        self._numbers: Sequence[int] = packed if max(packed) < _BYTE else _decoded(packed)
        self._place = 1

    def more(self) -> bool:
        return self._place < len(self._numbers)

    def take(self, count: int) -> Sequence[int]:
        """The next ``count``."""
        end = self._place + count
        if not self._place <= end <= len(self._numbers):
            raise Unpackable("it ends early")
        found = self._numbers[self._place : end]
        self._place = end
        return found


def _decoded(packed: bytes) -> list[int]:
    numbers = []
    number = shift = 0
    for byte in packed:
        number |= (byte & 127) << shift
        if byte < _BYTE:
            numbers.append(number)
            number = shift = 0
        else:
            shift += 7
    if shift:
        raise Unpackable("it ends early")
    return numbers


def _column(numbers: _Numbers, count: int) -> Sequence[int | None]:
    (present,) = numbers.take(1)
    if present == count:
        return _buckets(numbers, count)
    reached, runs = [True] * present, 1
    while len(reached) < count:
        (run,) = numbers.take(1)
        if not run:
            raise Unpackable("a run of nothing")
        reached += [runs % 2 == 0] * run
        runs += 1
    if not any(reached):
        return [None] * count
    buckets = iter(_buckets(numbers, sum(reached)))
    return [next(buckets) if one else None for one in reached]


def _buckets(numbers: _Numbers, count: int) -> list[int]:
    (first,) = numbers.take(1)
    return list(accumulate(_unzigzag(numbers.take(count - 1)), initial=first))


def _presence(column: Sequence[int | None]) -> list[int]:
    """How many have a latency, how many then haven't, and so on. The first may be 0."""
    runs = [(key, sum(1 for _ in run)) for key, run in groupby(bucket is not None for bucket in column)]
    return [*([] if runs[0][0] else [0]), *(n for _, n in runs)]


def _put(out: bytearray, numbers: Sequence[int]) -> None:
    if not numbers or max(numbers) < _BYTE:
        out += bytes(numbers)
        return
    for number in numbers:
        rest = number
        while rest >= _BYTE:
            out.append(rest & 127 | 128)
            rest >>= 7
        out.append(rest)


def _zigzag(numbers: Iterable[int]) -> list[int]:
    return [number << 1 if number >= 0 else ~(number << 1) for number in numbers]


def _unzigzag(numbers: Sequence[int]) -> list[int]:
    return [number >> 1 ^ -(number & 1) for number in numbers]

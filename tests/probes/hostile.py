"""Peers that say anything at all. Played, an exception other than a break fails the test by itself."""

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from trueup.conversation import Break, Closed


def noise(healthy: Sequence[bytes]) -> SearchStrategy[list[bytes | Break]]:
    """Random bytes, or a healthy script with some of its bytes overwritten, cut short or said twice."""
    plain = st.lists(st.binary(max_size=300), min_size=1, max_size=4)
    bent = st.builds(
        _bend,
        st.just(list(healthy)),
        st.integers(0, max(len(healthy) - 1, 0)),
        st.integers(0, max(map(len, healthy), default=0)),
        st.binary(max_size=8),
        st.sampled_from(["overwrite", "insert", "cut", "repeat"]),
    )
    return st.builds(lambda says, ends: [*says, Closed()] if ends else says, plain | bent, st.booleans())


def _bend(says: list[bytes], turn: int, place: int, what: bytes, how: str) -> list[bytes | Break]:
    said = says[turn]
    place = min(place, len(said))
    changed = {
        "overwrite": said[:place] + what + said[place + len(what) :],
        "insert": said[:place] + what + said[place:],
        "cut": said[:place],
        "repeat": said[:place] + said,
    }[how]
    return [*says[:turn], changed, *says[turn + 1 :]]

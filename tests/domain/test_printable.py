import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.domain.printable import printable


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"220 ready\r\n", "220 ready\\r\\n"),
        (b"\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        (b"\xff\xfe", "\\xff\\xfe"),
        ("grün ✓", "grün ✓"),
        ("\u202eevil", "\\u202eevil"),
        ("\x85\u2028", "\\x85\\u2028"),
        ("\U000e0041", "\\U000e0041"),
        (b"", ""),
    ],
)
def test_control_and_direction_characters_are_escaped(said: str | bytes, shown: str) -> None:
    assert printable(said) == shown


def test_it_is_cut() -> None:
    assert printable("a" * 300, 10) == "aaaaaaaaa…"
    assert len(printable(b"\x00" * 300, 10)) == 10
    assert printable("a" * 10, 10) == "a" * 10


@given(st.one_of(st.text(), st.binary()), st.integers(2, 50))
def test_nothing_dangerous_ever_passes(said: str | bytes, chars_max: int) -> None:
    shown = printable(said, chars_max)
    assert len(shown) <= chars_max
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in shown)

"""Text to send and to expect."""

import pytest

from trueup.domain.causes import Cause
from trueup.probes.wording import Expect, unescaped


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", b""),
        ("plain", b"plain"),
        (r"PING\r\n", b"PING\r\n"),
        ("PING\r\n", b"PING\r\n"),
        (r"a\tb\0\\r", b"a\tb\0\\r"),
        (r"\x00\xff\x4a", b"\x00\xffJ"),
        ("grün", "grün".encode()),
    ],
)
def test_escapes(text: str, said: bytes) -> None:
    assert unescaped(text) == said


@pytest.mark.parametrize("text", [r"\q", r"\x4", r"\xgg", "ends with \\"])
def test_an_unknown_escape_is_refused_with_those_that_are_known(text: str) -> None:
    with pytest.raises(ValueError, match=r"no escape; known are \\r"):
        unescaped(text)
    with pytest.raises(ValueError, match="no escape"):
        Expect(contains=text)


@pytest.mark.parametrize(
    ("expect", "said", "met", "settled"),
    [
        (Expect(), b"x", True, True),
        (Expect(contains="220 "), b"22", False, False),
        (Expect(contains="220 "), b"hello\r\n220 x", True, True),
        (Expect(starts="220"), b"22", False, False),
        (Expect(starts="220"), b"220 x", True, True),
        (Expect(starts="220"), b"SSH-", False, True),
        (Expect(starts="220", contains="ESMTP"), b"220 mail ", False, False),
        (Expect(starts="220", contains="ESMTP"), b"220 mail ESMTP", True, True),
    ],
)
def test_met_and_settled(expect: Expect, said: bytes, met: bool, settled: bool) -> None:
    assert (expect.met_by(said), expect.settled_by(said)) == (met, settled)


def test_what_isnt_expected_is_shown_beside_what_is() -> None:
    answer = Expect(starts="220", contains=r"\x01").judge(b"SSH-2.0\x1b[31m")
    assert answer.cause is Cause.WRONG_ANSWER
    assert answer.detail == r"it said 'SSH-2.0\x1b[31m', expected to start with '220' and to contain '\x01'"
    assert answer.facts == {"seen": r"SSH-2.0\x1b[31m"}

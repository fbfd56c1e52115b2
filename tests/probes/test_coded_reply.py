"""Numbered replies: their shapes, their bounds, and any bytes at all."""

from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.playbook import play
from trueup.conversation import Answer, Closed, Garbled, Quiet, Step, TooLong, ready
from trueup.probes.coded_reply import LINES_MAX, CodedReply, converse


def read(*says: bytes | Closed, chunk: int | None = None) -> CodedReply | Exception | None:
    heard: list[CodedReply] = []

    def conversation() -> Generator[Step, bytes, Answer]:
        heard.append((yield from converse(b"NOOP\r\n")))
        return ready("heard")

    played = play(conversation(), says, chunk=chunk)
    return heard[0] if heard else played.broke


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_one_line_and_many(chunk: int | None) -> None:
    assert read(b"250 ok\r\n", chunk=chunk) == CodedReply(250, (b"ok",))
    assert read(b"250-a\r\n250-b\r\n250 c\r\n", chunk=chunk) == CodedReply(250, (b"a", b"b", b"c"))
    assert read(b"211-Features:\r\n EPSV\r\n212 no end\r\n211 End\r\n", chunk=chunk) == CodedReply(
        211, (b"Features:", b"EPSV", b"212 no end", b"End")
    )


@pytest.mark.parametrize("said", [b"250\r\n", b"250\n", b"250 \r\n", b"250-\r\n250\r\n"])
def test_texts_may_be_missing(said: bytes) -> None:
    reply = read(said)
    assert isinstance(reply, CodedReply)
    assert (reply.code, reply.text.strip(), reply.enhanced) == (250, b"", None)


def test_the_enhanced_code() -> None:
    reply = read(b"554 5.7.1 blocked\x1b[0m\r\n")
    assert isinstance(reply, CodedReply)
    assert (reply.enhanced, reply.spoken) == ("5.7.1", "554 5.7.1 blocked\\x1b[0m")
    assert reply.says(b"block")
    assert read(b"554 5.7\r\n") == CodedReply(554, (b"5.7",))


@pytest.mark.parametrize("said", [b"0x0 y\r\n", b"2200 x\r\n", b"720 x\r\n", b"22\r\n", b"\r\n", b"220x\r\n"])
def test_other_lines_are_none(said: bytes) -> None:
    assert isinstance(read(said), Garbled)


def test_bounds() -> None:
    assert isinstance(read(b"250-x\r\n" * (LINES_MAX + 1)), TooLong)
    assert isinstance(read(b"250 " + b"x" * 9000), TooLong)
    assert isinstance(read(b"y" * 9000), Garbled)


def test_a_peer_that_closes() -> None:
    assert read(b"421 bye", Closed()) == CodedReply(421, (b"bye",))
    assert isinstance(read(Closed()), Closed)
    assert isinstance(read(b"250-a\r\n", Closed()), Closed)


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: b"250-" + tail + b"\r\n250 x\r\n"))
def test_any_bytes_make_a_reply_or_a_break(said: bytes) -> None:
    assert isinstance(read(said, Closed()), CodedReply | Garbled | TooLong | Closed | Quiet)

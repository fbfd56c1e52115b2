import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.conversation import Garbled
from trueup.probes.resp import DEPTH_MAX, ErrorReply, Replies, Reply, command, parse


def measured(said: bytes, count: int = 1) -> int | None:
    return Replies(count).complete(bytearray(said), ended=False)


def test_a_command_is_an_array_of_bulk_strings() -> None:
    assert command(b"SET", b"k", b"") == b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (b"+OK\r\n", b"OK"),
        (b":-5\r\n", -5),
        (b"$3\r\na\r\n\r\n", b"a\r\n"),
        (b"$-1\r\n", None),
        (b"*-1\r\n", None),
        (b"*0\r\n", []),
        (b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", [b"a", [1]]),
    ],
)
def test_each_kind_of_reply(said: bytes, reply: Reply) -> None:
    for size in range(len(said)):
        assert measured(said[:size]) is None
    assert measured(said + b"+more") == len(said)
    assert parse(said) == [reply]


def test_an_error_is_told_from_a_text() -> None:
    error, text = parse(b"-NOAUTH x\r\n+NOAUTH x\r\n")
    assert isinstance(error, ErrorReply)
    assert not isinstance(text, ErrorReply)
    assert error == text


def test_replies_are_counted() -> None:
    said = b"+a\r\n*1\r\n$1\r\nb\r\n"
    assert measured(said, 2) == len(said)
    assert measured(said, 3) is None
    assert parse(said + b"$5\r\nab") == [b"a", [b"b"]]


def test_replies_are_kept_as_they_come() -> None:
    read, said = Replies(2), b"+a\r\n*1\r\n$1\r\nb\r\n"
    for size in range(len(said)):
        assert read.complete(bytearray(said[:size]), ended=False) is None
        assert read.found == ([b"a"] if size >= len(b"+a\r\n") else [])
    assert read.complete(bytearray(said + b"+c\r\n"), ended=False) == len(said)
    assert read.found == [b"a", [b"b"]]


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400",
        b"SSH",
        b"$131073\r\n",
        b"$-2\r\n",
        b"$x\r\n",
        b"*1025\r\n",
        b"*99999999999\r\n",
        b":x\r\n",
        b":" + b"1" * 30 + b"\r\n",
        b"$1\r\nabc",
        b"+" + b"x" * 5000,
        b"*1\r\n" * (DEPTH_MAX + 1),
    ],
)
def test_what_is_not_resp_is_garbled(said: bytes) -> None:
    with pytest.raises(Garbled):
        measured(said)


@given(st.binary(max_size=200) | st.text("+-:$*\r\n0123456789ab", max_size=60).map(str.encode))
def test_nothing_that_is_said_raises_anything_else(said: bytes) -> None:
    for act in (lambda: measured(said, 2), lambda: parse(said)):
        try:
            act()
        except Garbled:
            continue

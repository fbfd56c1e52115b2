"""As much of HTTP/2 as one request after another needs."""

from collections.abc import Generator

import pytest
from hpack import Encoder
from hypothesis import given
from hypothesis import strategies as st

from tests.playbook import Played, play
from trueup.conversation import Answer, Closed, Garbled, Quiet, Step, ready
from trueup.probes.http2 import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME_BYTES_MAX,
    FRAMES_MAX,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    Session,
    a_frame,
    frame,
    parse,
)

HELLO = frame(SETTINGS, 0, 0, b"\0\x03\0\0\0\x64")
OVER = END_HEADERS | END_STREAM


def headers(*pairs: tuple[str, str], stream: int = 1, flags: int = END_HEADERS) -> bytes:
    return frame(HEADERS, flags, stream, Encoder().encode(list(pairs)))


OK = headers((":status", "200"))
TRAILERS = headers(("grpc-status", "0"), flags=OVER)


def look(*script: bytes | Closed | Quiet, requests: int = 1, chunk: int | None = None) -> Played:
    def talk() -> Generator[Step, bytes, Answer]:
        session = Session()
        replies = []
        for number in range(requests):
            reply = yield from session.ask([(":path", f"/{number}")], b"body", secret=number > 0)
            replies.append(reply)
        return ready("", replies=replies)

    return play(talk(), script, chunk=chunk)


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_reply(chunk: int | None) -> None:
    said = (
        HELLO + frame(SETTINGS, ACK, 0) + OK + frame(DATA, 0, 1, b"he") + frame(DATA, 0, 1, b"llo") + TRAILERS
    )
    played = look(said, chunk=chunk)
    (reply,) = played.settled.facts["replies"]
    assert (reply.headers, reply.data) == ({b":status": b"200", b"grpc-status": b"0"}, b"hello")
    assert played.sent.startswith(PREFACE + frame(SETTINGS, 0, 0))
    assert played.sent.endswith(frame(SETTINGS, ACK, 0))


def test_the_next_request_uses_the_next_stream() -> None:
    second = headers((":status", "200"), stream=3, flags=OVER)
    played = look(HELLO + OK + frame(DATA, END_STREAM, 1, b"one"), second, requests=2)
    assert [reply.data for reply in played.settled.facts["replies"]] == [b"one", b""]
    assert played.sent.count(PREFACE) == 1
    assert played.said_secretly.endswith(frame(DATA, END_STREAM, 3, b"body"))


def test_its_pings_are_answered() -> None:
    assert look(HELLO, frame(PING, 0, 0, b"12345678") + OK, TRAILERS).sent.endswith(
        frame(PING, ACK, 0, b"12345678")
    )


def test_padding_priority_and_continuation() -> None:
    block = Encoder().encode([(":status", "200"), ("x", "y" * 50)])
    padded = frame(HEADERS, PADDED | PRIORITY, 1, b"\x03" + b"\0" * 5 + block[:9] + b"\0\0\0")
    rest = frame(CONTINUATION, 0, 1, block[9:20]) + frame(CONTINUATION, END_HEADERS, 1, block[20:])
    body = frame(DATA, PADDED | END_STREAM, 1, b"\x02hi\0\0")
    (reply,) = look(HELLO + padded + rest + body).settled.facts["replies"]
    assert (reply.headers[b"x"], reply.data) == (b"y" * 50, b"hi")


def test_the_end_of_stream_may_stand_before_the_continuation() -> None:
    block = Encoder().encode([(":status", "200")])
    said = frame(HEADERS, END_STREAM, 1, b"") + frame(CONTINUATION, END_HEADERS, 1, block)
    (reply,) = look(HELLO + said).settled.facts["replies"]
    assert reply.headers == {b":status": b"200"}


def test_the_server_gives_up() -> None:
    (reset,) = look(HELLO + frame(RST_STREAM, 0, 1, b"\0\0\0\x07")).settled.facts["replies"]
    assert reset.reset == 7
    calm = frame(GOAWAY, 0, 0, b"\0\0\0\x01" + b"\0\0\0\x0b" + b"too_many_pings")
    (away,) = look(HELLO + calm).settled.facts["replies"]
    assert (away.goaway, away.debug) == (11, b"too_many_pings")
    (refused,) = look(HELLO + frame(GOAWAY, 0, 0, b"\0" * 8)).settled.facts["replies"]
    assert refused.goaway == 0
    graceful = frame(GOAWAY, 0, 0, b"\x7f\xff\xff\xff" + b"\0" * 4)
    (whole,) = look(HELLO + graceful + OK + TRAILERS).settled.facts["replies"]
    assert (whole.goaway, whole.headers[b"grpc-status"]) == (0, b"0")


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        OK,  # no SETTINGS first
        frame(SETTINGS, 0, 1),
        frame(SETTINGS, 0, 0, b"odd"),
        HELLO + (FRAME_BYTES_MAX + 1).to_bytes(3, "big") + bytes(6),
        HELLO + frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff"),
        HELLO + frame(HEADERS, END_HEADERS | PADDED, 1, b"\x09x"),
        HELLO + frame(HEADERS, END_HEADERS | PRIORITY, 1, b"\0"),
        HELLO + frame(HEADERS, 0, 1, b"") + frame(DATA, 0, 1, b""),
        HELLO + frame(HEADERS, 0, 1, b"") + frame(CONTINUATION, END_HEADERS, 3, b""),
        HELLO + frame(GOAWAY, 0, 0, b"short"),
        HELLO + frame(SETTINGS, ACK, 0) * FRAMES_MAX,
        HELLO + frame(DATA, 0, 1, b"x" * FRAME_BYTES_MAX) * 5,
        HELLO
        + frame(HEADERS, 0, 1, b"x" * FRAME_BYTES_MAX)
        + frame(CONTINUATION, 0, 1, b"x" * FRAME_BYTES_MAX) * 5,
    ],
)
def test_what_is_no_http2(said: bytes) -> None:
    assert isinstance(look(said).broke, Garbled)


def test_other_streams_do_not_disturb_the_header_table() -> None:
    encoder = Encoder()
    other = frame(HEADERS, END_HEADERS, 2, encoder.encode([("x", "kept in the table")]))
    ours = frame(HEADERS, OVER, 1, encoder.encode([("x", "kept in the table")]))
    (reply,) = look(HELLO + other + frame(DATA, END_STREAM, 2, b"x") + ours).settled.facts["replies"]
    assert reply.headers == {b"x": b"kept in the table"}


@given(st.binary(max_size=60), st.sampled_from([b"", HELLO, HELLO + OK]), st.sampled_from([None, 1, 9]))
def test_no_bytes_raise_anything_but_breaks(noise: bytes, before: bytes, chunk: int | None) -> None:
    framed = frame(noise[0] % 12, noise[1], 1, noise[2:]) if len(noise) > 1 else b""
    for said in (noise, framed):
        played = look(before + said, Closed(), chunk=chunk)
        assert played.answer is not None or isinstance(played.broke, Garbled | Closed)


def test_frames() -> None:
    assert frame(PING, ACK, 0, b"12345678").hex() == "000008060100000000" + b"12345678".hex()
    assert a_frame().complete(bytearray(HELLO + b"x"), ended=False) == len(HELLO)
    assert parse(b"\0\0\x01\x08\0\x80\0\0\x01x").stream == 1

"""HTTP/1.1 messages, however they are cut, and whatever comes instead of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.conversation import Garbled
from trueup.domain.causes import Cause
from trueup.probes.http_message import (
    BODY_BYTES_MAX,
    HEAD_BYTES_MAX,
    HEADERS_MAX,
    Response,
    request,
    target_of,
)

PLAIN = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrail: er\r\n\r\n"
)
BARE = b"HTTP/1.0 200 OK\r\n\r\nhello"


def read(said: bytes, *, chunk: int | None = None, ended: bool = False, method: str = "GET") -> Response:
    """Feed it as the engine would, and stop where the response says that it's complete."""
    response, received = Response(method), bytearray()
    step = chunk or len(said) or 1
    for place in range(0, len(said), step):
        received += said[place : place + step]
        if (size := response.complete(received, ended=False)) is not None:
            assert 0 <= size <= len(received)
            return response
    assert response.complete(received, ended=False) is None
    if ended:
        response.complete(received, ended=True)
    return response


@pytest.mark.parametrize("chunk", [None, 1, 7])
@pytest.mark.parametrize("said", [PLAIN, CHUNKED, PLAIN.replace(b"\r\n\r\n", b"\r\nContent-Type: x\r\n\r\n")])
def test_a_response_is_complete_at_its_end(said: bytes, chunk: int | None) -> None:
    response = read(said, chunk=chunk)
    assert (response.status, response.body, response.broken) == (200, b"hello", None)
    assert response.line == "HTTP 200 OK"
    assert response.keeps


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_body_without_a_length_ends_with_the_connection(chunk: int | None) -> None:
    assert read(BARE, chunk=chunk).broken is None
    response = read(BARE, chunk=chunk, ended=True)
    assert (response.body, response.broken, response.keeps) == (b"hello", None, False)


@pytest.mark.parametrize("said", [PLAIN[:-1], CHUNKED[:-20], CHUNKED[:55]])
def test_a_body_that_is_shorter_than_it_says_is_broken(said: bytes) -> None:
    response = read(said, ended=True)
    assert response.broken is not None
    assert response.broken[0] is Cause.ERROR_ANSWER


def test_the_short_body_is_told_in_numbers() -> None:
    assert read(PLAIN[:-1], ended=True).broken == (
        Cause.ERROR_ANSWER,
        "HTTP 200 OK, but its body ends after 4 of 5 bytes",
    )


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + PLAIN, 200),
    ],
)
@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_responses_without_a_body_and_interim_ones(said: bytes, status: int, chunk: int | None) -> None:
    response = read(said, chunk=chunk)
    assert response.status == status
    assert b"link" not in response.headers
    assert response.complete(bytearray(said), ended=False) is not None or response.status


def test_a_head_request_gets_no_body() -> None:
    response = read(PLAIN[:-5], method="HEAD")
    assert (response.status, response.body, response.broken) == (200, b"", None)
    assert response.complete(bytearray(PLAIN[:-5]), ended=False) is not None


@pytest.mark.parametrize("chunk", [None, 1])
def test_what_follows_a_switch_of_protocols_is_left(chunk: int | None) -> None:
    head = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    response, received = Response(), bytearray()
    sizes = []
    for place in range(0, len(head) + 2, chunk or len(head) + 2):
        received += (head + b"\x81\x00")[place : place + (chunk or 100)]
        if (size := response.complete(received, ended=False)) is not None:
            sizes.append(size)
            break
    assert sizes == [len(head)]


def test_an_odd_switch_of_protocols() -> None:
    head = b"HTTP/1.1 101 Switching\r\nX:\x00y\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    response = Response()
    assert response.complete(bytearray(head + b"\x81\x00"), ended=False) == len(head)
    assert (response.status, response.broken) == (101, None)


def test_headers_are_joined_and_cookies_kept_apart() -> None:
    response = read(b"HTTP/1.1 204 OK\r\nVary: a\r\nVARY: b\r\nSet-Cookie: x=1\r\nSet-Cookie: y=2\r\n\r\n")
    assert response.headers[b"vary"] == b"a, b"
    assert response.cookies == [b"x=1", b"y=2"]


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        b"HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.7 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
def test_what_browsers_forgive_is_forgiven(said: bytes) -> None:
    response = read(said)
    assert (response.status, response.body, response.broken) == (200, b"hello", None)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 banana\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        b"HTTP/1.1 000 Nothing\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(HEADERS_MAX + 1)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * HEAD_BYTES_MAX,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3000,
    ],
)
@pytest.mark.parametrize("chunk", [None, 999])
def test_http_that_makes_no_sense_is_broken_and_bounded(said: bytes, chunk: int | None) -> None:
    response = read(said, chunk=chunk)
    assert response.broken is not None
    assert response.broken[0] is Cause.ERROR_ANSWER


@pytest.mark.parametrize("said", [b"SSH-2.0-x\r\n", b"HTTQ", b"\x15\x03\x01\x00\x02\x02\x16", b"H\0"])
def test_what_is_not_http_is_garbled(said: bytes) -> None:
    with pytest.raises(Garbled) as seen:
        read(said)
    assert seen.value.received == said


def test_the_beginning_of_http_is_waited_for() -> None:
    response = Response()
    assert response.complete(bytearray(b"HTT"), ended=False) is None
    with pytest.raises(Garbled):
        response.complete(bytearray(b"HTT"), ended=True)
    assert Response().complete(bytearray(), ended=True) is None


@pytest.mark.parametrize(
    "head", [b"Content-Length: 9999999", b"X: y", b"Content-Length: 99999999999999999999"]
)
def test_a_long_body_is_cut(head: bytes) -> None:
    response = read(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + b"x" * (BODY_BYTES_MAX + 1))
    if response.broken is None:
        assert (response.cut, response.keeps, len(response.body)) == (True, False, BODY_BYTES_MAX)


def test_a_stream_of_events_is_not_waited_for() -> None:
    response = read(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    assert (response.status, response.cut, response.keeps) == (200, True, False)


@given(st.binary(max_size=300), st.sampled_from([1, 5, None]))
def test_no_bytes_raise_anything_but_garbled(noise: bytes, chunk: int | None) -> None:
    for said in (noise, b"HTTP/1.1 200 OK\r\n" + noise, PLAIN[:40] + noise, CHUNKED[:47] + noise):
        try:
            read(said, chunk=chunk, ended=True)
        except Garbled:
            assert not said.startswith(b"HTTP/1.")


def test_a_request() -> None:
    assert request("GET", "/x?y=1", "a:8080") == (
        b"GET /x?y=1 HTTP/1.1\r\nHost: a:8080\r\nUser-Agent: trueup\r\n"
        b"Accept: */*\r\nConnection: close\r\n\r\n"
    )
    said = request("POST", "/", "a", {"host": "b", "X-Probe": "1"}, b"body", keep=True)
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST / HTTP/1.1",
        b"host: b",
        b"User-Agent: trueup",
        b"Accept: */*",
        b"Connection: keep-alive",
        b"Content-Length: 4",
        b"X-Probe: 1",
    ]
    assert body == b"body"


def test_a_target_can_not_end_its_line() -> None:
    assert target_of("") == "/"
    assert target_of("/a?b=c#part") == "/a?b=c"
    assert target_of("/a b\r\nX: y") == "/a%20b%0D%0AX:%20y"
    assert target_of("/gr%20ün") == "/gr%20%C3%BCn"

"""Content codings, within bounds."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.probes.http_content import CONTENT_BYTES_MAX, Unreadable, content_of
from trueup.probes.http_message import Response


def response(body: bytes, coding: bytes) -> Response:
    answer = Response()
    said = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding, len(body))
    assert answer.complete(bytearray(said + body), ended=False)
    return answer


def raw_deflate(text: bytes) -> bytes:
    return zlib.compress(text)[2:-4]


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"", b"hello"),
        (b"identity", b"hello"),
        (b"gzip", gzip.compress(b"hello", mtime=0)),
        (b"X-GZIP", gzip.compress(b"hello", mtime=0)),
        (b"deflate", zlib.compress(b"hello")),
        (b"deflate", raw_deflate(b"hello")),
    ],
)
def test_codings(coding: bytes, body: bytes) -> None:
    assert content_of(response(body, coding)) == (b"hello", True)


@pytest.mark.parametrize(("coding", "body"), [(b"gzip", b"hello"), (b"deflate", b"hello"), (b"br", b"x")])
def test_what_can_not_be_read_says_so(coding: bytes, body: bytes) -> None:
    with pytest.raises(Unreadable):
        content_of(response(body, coding))


def test_a_bomb_is_unpacked_no_further_than_its_bound() -> None:
    bomb = gzip.compress(b"\0" * (100 * CONTENT_BYTES_MAX))
    content, whole = content_of(response(bomb, b"gzip"))
    assert (len(content), whole) == (CONTENT_BYTES_MAX, False)


def test_half_a_stream_is_what_came_of_it() -> None:
    body = gzip.compress(bytes(range(256)) * 4)
    content, whole = content_of(response(body[: len(body) // 2], b"gzip"))
    assert not whole
    assert len(content) < 1024


@given(st.binary(max_size=200), st.sampled_from([b"gzip", b"deflate"]))
def test_noise_is_unreadable_at_worst(noise: bytes, coding: bytes) -> None:
    try:
        content_of(response(noise, coding))
    except Unreadable as problem:
        assert "unpacked" in str(problem)  # noqa: PT017 - it needn't be raised

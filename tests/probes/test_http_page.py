"""Pages that say more than their status."""

import gzip

import pytest

from trueup.probes.http_message import Response
from trueup.probes.http_page import DEFAULT_PAGES, WANTS_TLS, default_page, wants_tls


def response(body: bytes, *, status: int = 200, coding: bytes = b"") -> Response:
    answer = Response()
    head = b"HTTP/1.1 %d X\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n"
    said = head % (status, coding, len(body))
    assert answer.complete(bytearray(said + body), ended=False)
    return answer


@pytest.mark.parametrize("title", sorted(DEFAULT_PAGES))
def test_every_default_page_is_named(title: bytes) -> None:
    page = b"<!DOCTYPE html>\n<html><head><title>%b</title></head><body>x</body></html>" % title
    assert default_page(response(page)) == DEFAULT_PAGES[title]


def test_apaches_page_has_no_title() -> None:
    assert (
        default_page(response(b"<html><body><h1>It works!</h1></body></html>\n")) == "Apache's welcome page"
    )


@pytest.mark.parametrize(
    "body",
    [b"", b"It works!", b"<html><title>Shop</title>Welcome to nginx!", b" " * 5000 + b"<title>It works!"],
)
def test_other_pages_are_nobodys(body: bytes) -> None:
    assert default_page(response(body)) is None


def test_a_packed_page_is_unpacked_for_it() -> None:
    packed = gzip.compress(b"<html><title>Index of /</title>")
    assert default_page(response(packed, coding=b"gzip")) == "a directory listing"
    assert default_page(response(b"\x1f\x8bnonsense", coding=b"gzip")) is None


@pytest.mark.parametrize("words", WANTS_TLS)
def test_every_way_to_ask_for_tls_is_known(words: bytes) -> None:
    assert wants_tls(response(b"<center>" + words + b"</center>", status=400))
    assert not wants_tls(response(words, status=200))
    assert not wants_tls(response(b"Bad Request", status=400))

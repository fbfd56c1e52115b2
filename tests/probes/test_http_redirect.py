"""Where redirects lead."""

import pytest

from trueup.conversation import Transport
from trueup.domain.target import TlsSettings
from trueup.probes.http_message import Response
from trueup.probes.http_peer import Origin
from trueup.probes.http_redirect import FOLLOWED, Redirect, redirect_of

HOME = Origin("http", "shop.example", 8080)


def response(location: bytes | None, status: int = 302) -> Response:
    answer = Response()
    head = b"HTTP/1.1 %d Found\r\n" % status + (
        b"Location: %b\r\n" % location if location is not None else b""
    )
    assert answer.complete(bytearray(head + b"Content-Length: 0\r\n\r\n"), ended=False)
    return answer


@pytest.mark.parametrize(
    ("location", "origin", "target"),
    [
        (b"/login", HOME, "/login"),
        (b"login?a=b#c", HOME, "/path/login?a=b"),
        (b"?x=1", HOME, "/path/page?x=1"),
        (b"//other.example/x", Origin("http", "other.example", 80), "/x"),
        (b"https://shop.example", Origin("https", "shop.example", 443), "/"),
        (b"HTTPS://Shop.Example:444/x", Origin("https", "shop.example", 444), "/x"),
        (b"http://user:canary@other/", Origin("http", "other", 80), "/"),
        (b"http://[::1]:81/", Origin("http", "::1", 81), "/"),
        ("/gr\u00fcn".encode(), HOME, "/gr%C3%BCn"),
    ],
)
def test_places(location: bytes, origin: Origin, target: str) -> None:
    redirect = redirect_of(HOME, "/path/page?q=1", response(location))
    assert isinstance(redirect, Redirect)
    assert (redirect.origin, redirect.target) == (origin, target)
    assert "canary" not in redirect.text


def test_a_query_is_not_shown() -> None:
    redirect = redirect_of(HOME, "/", response(b"/back?code=canary"))
    assert isinstance(redirect, Redirect)
    assert redirect.text == "http://shop.example:8080/back"


@pytest.mark.parametrize(
    "location", [b"http://[::1", b"http://h:99999/", b"http://a b/", b"http://\xff\x00/"]
)
def test_no_place_at_all(location: bytes) -> None:
    assert isinstance(redirect_of(HOME, "/", response(location)), str)


@pytest.mark.parametrize("location", [None, b"", b"ftp://x/", b"app://callback", b"javascript:alert(1)"])
def test_not_ours_to_follow(location: bytes | None) -> None:
    assert redirect_of(HOME, "/", response(location)) is None


@pytest.mark.parametrize("status", [300, 304, 305, 399, *sorted(FOLLOWED)])
def test_statuses(status: int) -> None:
    redirect = redirect_of(HOME, "/", response(b"/x", status))
    assert (redirect is not None) == (status in {301, 302, 303, 307, 308})
    if isinstance(redirect, Redirect):
        assert redirect.keeps_method == (status in {307, 308})


def test_a_body_goes_to_nobody_else() -> None:
    away, back = (
        redirect_of(HOME, "/", response(b"//evil/", 307)),
        redirect_of(HOME, "/", response(b"/x", 307)),
    )
    assert isinstance(away, Redirect)
    assert isinstance(back, Redirect)
    assert not away.may_follow(HOME, b"body")
    assert away.may_follow(HOME, b"")
    assert back.may_follow(HOME, b"body")


def test_a_unix_socket_is_stayed_at() -> None:
    socket = Origin("http", "localhost", 0, "/run/app.sock")
    for location in (b"/x", b"http://localhost/x"):
        redirect = redirect_of(socket, "/", response(location))
        assert isinstance(redirect, Redirect)
        assert redirect.origin == socket
    away = redirect_of(socket, "/", response(b"http://localhost:8080/"))
    assert isinstance(away, Redirect)
    assert away.origin.dial(None).transport is Transport.TCP
    assert socket.dial(TlsSettings()).transport is Transport.UNIX

"""The configured request, and what of it is secret."""

import pytest

from trueup.domain.secret import Secret, secrets_in
from trueup.domain.target import Login
from trueup.probes.http_peer import Origin
from trueup.probes.http_redirect import Redirect
from trueup.probes.http_request import Request, Send, request_of

LOGIN = Login(Secret("canary"), "probe")


@pytest.mark.parametrize("method", ["get", "CONNECT", "GET /", "", "G\r\nX: y"])
def test_what_is_no_method(method: str) -> None:
    with pytest.raises(ValueError, match="is no method"):
        Send(method=method)


@pytest.mark.parametrize(
    "headers", [{"X\r\nY": "z"}, {"X": "y\r\nZ: 1"}, {"": "x"}, {"X Y": "z"}, {"X:": "z"}, {"X": "\0"}]
)
def test_what_is_no_header(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="HTTP forbids"):
        Send(headers=headers)


def test_headers_that_sound_like_secrets_are_some() -> None:
    send = Send(headers={"X-Probe": "trueup", "X-Api-Key": "canary", "Authorization": "Bearer word"})
    assert {one.reveal() for one in secrets_in([send])} == {"canary", "Bearer word", "word"}


def test_one_body_only() -> None:
    with pytest.raises(ValueError, match="both given"):
        Send(body="x", json=1)


def request(send: Send | None = None, login: Login | None = None) -> Request:
    return request_of(send or Send(), "/x", login)


def test_bodies() -> None:
    plain = request()
    assert (plain.method, plain.target, plain.body, plain.secret) == ("GET", "/x", b"", False)
    form = request(Send(body="a=b"))
    assert (form.method, form.body, form.headers) == ("POST", b"a=b", {})
    document = request(Send(method="PUT", json={"a": [1]}))
    assert (document.method, document.body) == ("PUT", b'{"a": [1]}')
    assert document.headers == {"Content-Type": "application/json"}
    other = request(Send(headers={"content-type": "application/x"}, json=False))
    assert (other.body, other.headers) == (b"false", {"content-type": "application/x"})


@pytest.mark.parametrize(
    ("send", "login", "credentials", "secret"),
    [
        (Send(), None, False, False),
        (Send(headers={"X-Probe": "trueup", "Accept": "x"}), None, False, False),
        (Send(), LOGIN, True, True),
        (Send(body="x"), None, False, True),
        (Send(headers={"authorization": "Bearer x"}), None, True, True),
        (Send(headers={"X-Api-Key": "x"}), None, True, True),
        (Send(headers={"Cookie": "x"}), None, True, True),
    ],
)
def test_what_is_secret(send: Send, login: Login | None, credentials: bool, secret: bool) -> None:
    made = request(send, login)
    assert (made.credentials, made.secret) == (credentials, secret)
    stranger = made.for_stranger()
    assert (stranger.login, stranger.body, stranger.secret, stranger.credentials) == (None, b"", False, False)
    assert set(stranger.headers) <= {"Accept"}


def redirect(*, keeps_method: bool) -> Redirect:
    return Redirect(Origin("http", "a", 80), "/new", keeps_method, "http://a/new")


def test_after_a_redirect() -> None:
    posted = request(Send(json={"a": 1}, headers={"X-Probe": "1"}), LOGIN)
    kept = posted.redirected(redirect(keeps_method=True))
    assert (kept.method, kept.target, kept.body, kept.login) == ("POST", "/new", b'{"a": 1}', LOGIN)
    turned = posted.redirected(redirect(keeps_method=False))
    assert (turned.method, turned.target, turned.body, turned.login) == ("GET", "/new", b"", LOGIN)
    assert turned.headers == {"X-Probe": "1"}
    assert request(Send(method="HEAD")).redirected(redirect(keeps_method=False)).method == "HEAD"

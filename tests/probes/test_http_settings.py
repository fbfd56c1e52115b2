"""``http:``: headers that nobody may see, tokens, and a (fake) forward proxy, through the whole check."""

import asyncio
from typing import Any

import pytest

from tests.beds.certificates import Authority
from tests.beds.fake_http import asked, fake_http, says
from tests.beds.fake_proxy import fake_proxy
from tests.beds.nginx import nginx
from tests.beds.server import free_port
from tests.playbook import Played, address, play
from trueup.app.clock import SystemClock
from trueup.checks.check import Check
from trueup.checks.look import look
from trueup.conversation import Closed
from trueup.domain.causes import Cause
from trueup.domain.http_settings import HttpSettings, OAuth2
from trueup.domain.observation import Observation
from trueup.domain.secret import Secret
from trueup.domain.target import Target, TlsSettings
from trueup.engine.engine import Engine
from trueup.probes.http import PROBE, Options, conversation
from trueup.probes.http_expect import Expect

AT = address("http://shop.example/")
OK = says(200, b"ready")


def observe(url: str, **configured: Any) -> Observation:
    """The last thing that a whole check sees."""
    at, tls = address(url), configured.get("tls")

    async def once() -> tuple[Observation, ...]:
        check = Check(Target(url, at=(at,)), at, PROBE, Options(at, **configured), tls, 2.0)
        async with Engine() as engine:
            return (await look(engine, check, SystemClock())).observations

    return asyncio.run(once())[-1]


def talk(settings: HttpSettings, *script: bytes) -> Played:
    return play(conversation(Options(AT, http=settings)), [*script, Closed()])


@pytest.mark.parametrize(
    "settings",
    [
        HttpSettings(headers={"X\r\nY": Secret("z")}),
        HttpSettings(headers={"X": Secret("canary\r\nY: z")}),
        HttpSettings(proxy=address("https://proxy:443")),
        HttpSettings(proxy=address("redis://proxy")),
    ],
)
def test_settings_by_which_nothing_can_be_asked(settings: HttpSettings) -> None:
    with pytest.raises(ValueError, match=r"HTTP forbids|is no proxy") as seen:
        Options(AT, http=settings)
    assert "canary" not in str(seen.value)


def test_headers_are_sent_to_a_speaker_of_http_only() -> None:
    settings = HttpSettings(headers={"X-Who": Secret("canary")})
    assert b"canary" not in talk(settings, b"SSH-2.0-x\r\n").sent
    played = talk(settings, OK, OK)
    assert played.said_secretly.count(b"X-Who: canary") == played.sent.count(b"canary") == 1
    away = says(302, b"", "Location: http://other.example/")
    assert b"canary" not in talk(settings, away, OK).sent


def test_a_stranger_in_the_proxys_place() -> None:
    played = talk(HttpSettings(proxy=address("http://proxy")), b"SSH-2.0-x\r\n")
    assert played.settled.cause is Cause.WRONG_SERVICE
    https = Options(address("https://a/"), http=HttpSettings(proxy=address("http://proxy")))
    assert play(conversation(https), [says(403, b"")]).settled.cause is Cause.ERROR_ANSWER


def test_a_token_is_fetched_and_sent() -> None:
    def identity(request: bytes) -> bytes:
        method, _, _ = asked(request)
        return says(405, b"") if method == "OPTIONS" else says(200, {"access_token": "t0ken"})

    def shop(request: bytes) -> bytes:
        return OK if b"Authorization: Bearer t0ken\r\n" in request else says(401, b"")

    with fake_http(identity) as issuer, fake_http(shop) as server:
        settings = HttpSettings(oauth2=OAuth2(address(issuer.url + "/token"), "probe", Secret("canary")))
        seen = observe(server.url, http=settings, expect=Expect(contains="ready"))
        assert seen.cause is None
        assert [asked(request)[0] for request in issuer.requests] == ["OPTIONS", "POST"]
        assert len(server.requests) == 2, "who it is, and then the question"
    with fake_http(lambda _: says(401, {"error": "invalid_client"})) as issuer, fake_http(shop) as server:
        settings = HttpSettings(oauth2=OAuth2(address(issuer.url + "/token"), "probe", Secret("canary")))
        refused = observe(server.url, http=settings)
        assert refused.cause is Cause.LOGIN_REFUSED
        assert "no token from" in refused.detail
        assert server.requests == []


@pytest.mark.parametrize("password", [None, b"Basic cHJvYmU6c2VzYW1l"])
def test_http_and_https_through_a_proxy(password: bytes | None, authority: Authority) -> None:
    with (
        fake_proxy(password=password) as proxy,
        nginx("return 200 ready;") as plain,
        nginx("return 200 ready;", tls=authority.valid()) as secure,
    ):
        at = proxy.url.replace("//", "//probe:sesame@")
        settings = HttpSettings(proxy=address(at))
        seen = observe(plain.url + "/x", http=settings, expect=Expect(contains="ready"))
        assert seen.cause is None
        assert proxy.heads[-1].startswith(f"GET {plain.url}/x HTTP/1.1".encode())
        tls = TlsSettings(ca=str(authority.file))
        tunnelled = observe(secure.url, http=settings, tls=tls, expect=Expect(contains="ready"))
        assert tunnelled.cause is None
        assert proxy.heads[-1].startswith(f"CONNECT 127.0.0.1:{secure.port} HTTP/1.1".encode())
        assert observe(secure.url, http=settings).cause is Cause.TLS_UNTRUSTED


def test_what_the_proxy_can_not_reach() -> None:
    with fake_proxy() as proxy:
        settings = HttpSettings(proxy=address(proxy.url))
        dead = free_port()
        assert observe(f"http://127.0.0.1:{dead}", http=settings).cause is Cause.BAD_UPSTREAM
        seen = observe(f"https://127.0.0.1:{dead}", http=settings)
        assert seen.cause is Cause.BAD_UPSTREAM
        assert "the proxy makes no connection" in seen.detail
    with fake_proxy(password=b"Basic eDp5") as proxy:
        settings = HttpSettings(proxy=address(proxy.url))
        assert observe("https://127.0.0.1:1", http=settings).cause is Cause.LOGIN_REFUSED
    gone = HttpSettings(proxy=address(f"http://127.0.0.1:{free_port()}"))
    assert observe("http://shop.example", http=gone).cause is Cause.REFUSED

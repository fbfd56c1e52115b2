"""Which cookies are kept, and to whom they are sent."""

from datetime import UTC, datetime

import pytest

from trueup.journeys.cookies import COOKIE_BYTES_MAX, COOKIES_MAX, CookieJar
from trueup.probes.http_peer import Origin

NOW = datetime(2026, 11, 30, tzinfo=UTC)
SHOP = Origin("https", "shop.example.org", 443)


def jar(*lines: str, origin: Origin = SHOP, target: str = "/a/b?c") -> CookieJar:
    made = CookieJar()
    made.take(origin, target, [line.encode() for line in lines], NOW)
    return made


def test_sent_back_longest_path_first() -> None:
    kept = jar("a=1; Path=/", "b=2; Path=/a", "c=3")
    assert kept.header_for(SHOP, "/a/b") == "b=2; c=3; a=1"
    assert kept.header_for(SHOP, "/x") == "a=1"
    assert kept.header_for(SHOP, "/ab") == "a=1"
    assert kept.value("b") == "2"
    assert kept.value("d") is None


@pytest.mark.parametrize(
    ("cookie", "origin", "sent"),
    [
        ("a=1", Origin("https", "www.shop.example.org", 443), False),
        ("a=1; Domain=example.org", Origin("https", "www.example.org", 443), True),
        ("a=1; Domain=.example.org", Origin("https", "example.org", 443), True),
        ("a=1; Domain=example.org", Origin("https", "notexample.org", 443), False),
        ("a=1; Domain=other.org", Origin("https", "other.org", 443), False),
        ("a=1; Domain=org", Origin("https", "example.org", 443), False),
        ("a=1; Secure", Origin("http", "shop.example.org", 80), False),
        ("a=1; Secure", SHOP, True),
        ("a=1; Secure", Origin("https", "SHOP.example.org", 8443), True),
    ],
)
def test_to_whom(cookie: str, origin: Origin, sent: bool) -> None:
    assert bool(jar(f"{cookie}; Path=/").header_for(origin, "/")) is sent


def test_loopback_is_trusted_without_tls() -> None:
    here = Origin("http", "127.0.0.1", 8080)
    assert jar("a=1; Secure; Path=/", origin=here).header_for(here, "/") == "a=1"
    plain = Origin("http", "shop.example.org", 80)
    assert jar("a=1; Secure; Path=/", origin=plain).header_for(SHOP, "/") == ""


def test_replaced_and_forgotten() -> None:
    kept = jar("a=1; Path=/")
    kept.take(SHOP, "/", [b"a=2; Path=/"], NOW)
    assert kept.header_for(SHOP, "/") == "a=2"
    for over in ("Max-Age=0", "Max-Age=-1", "Expires=Thu, 01-Jan-1970 00:00:10 GMT"):
        assert jar("a=1; Path=/", f"a=1; Path=/; {over}").header_for(SHOP, "/") == ""
    for lasting in ("Max-Age=60", "Expires=Thu, 01 Jan 2099 00:00:10 GMT", "Expires=whenever"):
        assert jar(f"a=1; Path=/; {lasting}").header_for(SHOP, "/") == "a=1"


@pytest.mark.parametrize(
    "line", ["", "a", "=1", "a b=1", "a=1\r\nX: y", "a=" + "x" * COOKIE_BYTES_MAX, "a=\x7f"]
)
def test_what_is_none_is_not_kept(line: str) -> None:
    assert jar(line).values() == []


def test_a_flood_is_bounded() -> None:
    kept = jar(*(f"a{number}=1; Path=/" for number in range(COOKIES_MAX * 2)))
    assert len(kept.values()) == COOKIES_MAX

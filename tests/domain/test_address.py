import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.domain.address import BARE, AddressError, parse_address
from trueup.domain.secret import Secret

SCHEMES = {"redis", "postgres", "https", "http", "docker", "smtp", "dns"}


def test_all_parts() -> None:
    address = parse_address("postgres://monitor:s3cret%40x@db.internal:5432/shop", SCHEMES)
    assert (address.scheme, address.host, address.port, address.part) == (
        "postgres",
        "db.internal",
        5432,
        "shop",
    )
    assert (address.user, address.password) == ("monitor", Secret("s3cret@x"))
    assert address.text == "postgres://monitor:***@db.internal:5432/shop"


def test_a_password_alone_and_one_with_an_at_sign() -> None:
    assert parse_address("redis://:pass@h", SCHEMES).text == "redis://:***@h"
    address = parse_address("redis://u:p@ss@h:1", SCHEMES)
    assert (address.host, address.password, address.text) == ("h", Secret("p@ss"), "redis://u:***@h:1")


def test_what_is_left_out_is_none() -> None:
    address = parse_address("redis://h", SCHEMES)
    assert (address.port, address.user, address.password, address.path) == (None, None, None, "")


def test_bare() -> None:
    address = parse_address("db.internal:5432", SCHEMES)
    assert (address.scheme, address.host, address.port) == (BARE, "db.internal", 5432)
    assert parse_address("[::1]:80", SCHEMES).host == "::1"


def test_ipv6_and_query() -> None:
    address = parse_address("http://[2001:db8::1]:8080/a?b=c#d", SCHEMES)
    assert (address.host, address.port, address.path) == ("2001:db8::1", 8080, "/a?b=c#d")
    assert parse_address("http://h?x=1", SCHEMES).path == "/?x=1"


def test_unix_sockets() -> None:
    assert parse_address("docker:///var/run/docker.sock", SCHEMES).socket_path == "/var/run/docker.sock"
    address = parse_address("http+unix://%2Frun%2Fapp.sock/health", SCHEMES)
    assert (address.scheme, address.socket_path, address.path) == ("http", "/run/app.sock", "/health")
    assert parse_address("redis+unix://%2Frun%2Fr.sock", SCHEMES).socket_path == "/run/r.sock"
    with pytest.raises(AddressError, match="names no socket") as seen:
        parse_address("http+unix://user:canary@%2Frun%2Fapp.sock", SCHEMES)
    assert "canary" not in str(seen.value)


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("redsi://h", "unknown scheme 'redsi'", "did you mean redis://?"),
        ("qqqq://h", "unknown scheme", "known: dns docker"),
        ("db.internal", "names no port and no scheme", "write db.internal:PORT"),
        ("http://h/\udcff", "isn't text in UTF-8", "write other bytes as %FF"),
        ("redis://h:0", "no valid port", "1 to 65535"),
        ("redis://h:99999", "no valid port", "1 to 65535"),
        ("redis://h:٣", "no valid port", "1 to 65535"),
        ("redis://u:p/w@h", "no valid port", "in a password write / as %2F"),
        ("redis://u:p#w@h:1", "no valid port", "in a password write / as %2F"),
        ("\u201credis://h\u201d", "begins with a curly quote", "write straight quotes"),
        ("redis://", "no valid host", "as in redis://"),
        ("redis://::1:80", "no valid host", "[::1]"),
        ("redis://[::1", "no valid host", "[::1]"),
        ("redis://[zz]:1", "no valid IPv6", ""),
        ("redis://a b:1", "no valid host", ""),
        ("redis://a\x1b[31m:1", "no valid host", ""),
        ("http+unix://", "names no socket", "as in"),
        ("", "no valid host", ""),
    ],
)
def test_what_can_not_be_read_says_why_and_what_would_do(text: str, problem: str, hint: str) -> None:
    with pytest.raises(AddressError) as raised:
        parse_address(text, SCHEMES)
    assert problem in raised.value.problem
    assert hint in str(raised.value)
    assert "\x1b" not in str(raised.value)


def test_a_password_is_not_in_the_error() -> None:
    with pytest.raises(AddressError) as raised:
        parse_address("redis://u:canary@h:0", SCHEMES)
    assert "canary" not in str(raised.value)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_an_address_error(text: str) -> None:
    for candidate in (text, f"redis://{text}", f"http+unix://{text}"):
        with contextlib.suppress(AddressError):
            parse_address(candidate, SCHEMES)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://u:canary@h:x", "redis://u:***@h:x"),
        ("redis://u:canary://x@h:x", "redis://u:***@h:x"),
        ("u:canary@h:1", "u:***@h:1"),
        (":canary@h:1", ":***@h:1"),
        ("redis:///u:canary@h", "redis:***@h"),
    ],
)
def test_what_can_not_be_read_is_shown_without_its_password(text: str, shown: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(text, SCHEMES)
    assert repr(shown) in str(caught.value)
    assert "canary" not in str(caught.value)

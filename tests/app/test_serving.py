"""Whose Host header names the monitor's own loopback address."""

import pytest

from trueup.app.serving import is_own
from trueup.domain.monitor_settings import Listen


@pytest.mark.parametrize(
    ("listens", "named"),
    [
        ("127.0.0.1", "127.0.0.1:8642"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "LOCALHOST:8642"),
        ("127.0.0.1", "[::1]:8642"),
        ("::1", "[::1]"),
        ("localhost", "localhost"),
        ("127.0.0.2", "127.0.0.2:8642"),
    ],
)
def test_a_loopback_address_that_is_named_as_such(listens: str, named: str) -> None:
    assert is_own(Listen(listens), named)


@pytest.mark.parametrize(
    ("listens", "named"),
    [
        ("127.0.0.1", ""),
        ("127.0.0.1", "shop.example"),
        ("127.0.0.1", "127.0.0.1.shop.example:8642"),
        ("127.0.0.1", "127.0.0.1:8642, shop.example"),
        ("127.0.0.1", "shop.example@127.0.0.1"),
        ("127.0.0.1", "127.0.0.2:8642"),
        ("127.0.0.1", "127.0.0.1:9999"),
        ("0.0.0.0", "127.0.0.1:8642"),
        ("::", "[::1]:8642"),
        ("10.0.0.5", "10.0.0.5:8642"),
    ],
)
def test_any_other_name_and_any_other_place(listens: str, named: str) -> None:
    assert not is_own(Listen(listens), named)

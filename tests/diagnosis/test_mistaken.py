"""How one says that somebody else is at home."""

import pytest

from trueup.diagnosis.mistaken import wanted_and_found


@pytest.mark.parametrize(
    ("expected", "found", "words"),
    [
        ("redis", "http", ("Redis", "HTTP")),
        ("https", "http", ("HTTP inside TLS", "plain HTTP")),
        ("http", "https", ("plain HTTP", "HTTP inside TLS")),
        ("imaps", "http", ("IMAP inside TLS", "HTTP")),
        ("smtp", "imaps", ("SMTP", "IMAP inside TLS")),
        ("redis", "tls", ("Redis", "something inside TLS")),
        ("tls", "ssh", ("TLS", "SSH")),
        ("redis", "gopher", None),
        ("redis", "", None),
    ],
)
def test_names(expected: str, found: str, words: tuple[str, str] | None) -> None:
    assert wanted_and_found(expected, found) == words

"""Addresses from their parts, and what is to be said there."""

import ipaddress
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

NTP_QUESTION: Final = "1b" + "00" * 47
"""A client's packet of NTP 3, which every server answers (RFC 5905, 7.3)."""
UDP_SAYS_NOTHING: Final = (
    "over UDP only an answer shows that somebody is home: write send: or hex:, and expect:"
)


def place_of(host: str, port: Any = None) -> str:
    """``HOST:PORT``, an IPv6 address in its brackets; the port left out where there's none."""
    host = host.strip()
    try:
        shown = (
            f"[{host}]" if ipaddress.ip_address(host.strip("[]")).version == 6 and host[:1] != "[" else host
        )
    except ValueError:
        shown = host
    return f"{shown}:{port}" if port else shown


def split_url(url: str) -> SplitResult:
    """The parts of a URL; brackets in its password are no address, and become percent-encoded.

    Raises:
        ValueError: it is none.
    """
    scheme, mark, rest = url.partition("://")
    end = next((place for place, char in enumerate(rest) if char in "/?#"), len(rest))
    info, at, place = rest[:end].rpartition("@")
    info = info.replace("[", "%5B").replace("]", "%5D")
    return urlsplit(f"{scheme}{mark}{info}{at}{place}{rest[end:]}")

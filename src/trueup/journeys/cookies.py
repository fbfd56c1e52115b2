"""What a browser would remember between the requests of a journey (RFC 6265)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from trueup.probes.http_peer import Origin

COOKIES_MAX: Final = 100
COOKIE_BYTES_MAX: Final = 4096
"""Longer ones aren't kept, as browsers do (RFC 6265, 6.1)."""
_IP: Final = re.compile(r"[\d.]+|.*:.*")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_VALUE: Final = re.compile(r"[!-:<-~ ]*", re.ASCII)
"""Nothing that could end the header, or begin another cookie."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie, and to whom it is sent. ``host_only``: to ``domain`` itself alone."""

    name: str
    value: str
    domain: str
    host_only: bool
    path: str
    secure: bool

    @property
    def place(self) -> tuple[str, str, str]:
        """What a newer cookie replaces."""
        return self.name, self.domain, self.path


class CookieJar:
    """The cookies of one journey, forgotten at its end."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}

    def header_for(self, origin: Origin, target: str) -> str:
        """The value of Cookie for a request; empty where there's nothing to send."""
        path = target.partition("?")[0]
        found = [one for one in self._cookies.values() if _belongs(one, origin, path)]
        found.sort(key=lambda one: -len(one.path))  # RFC 6265, 5.4: longer paths first
        return "; ".join(f"{one.name}={one.value}" for one in found)

    def take(self, origin: Origin, target: str, set_cookies: Iterable[bytes], now: datetime) -> None:
        """Keep, replace or forget what a response says by Set-Cookie."""
        for line in set_cookies:
            read = read_cookie(line, origin, target, now)
            if read is None:
                continue
            cookie, is_over = read
            self._cookies.pop(cookie.place, None)
            if not is_over and len(self._cookies) < COOKIES_MAX:
                self._cookies[cookie.place] = cookie

    def value(self, name: str) -> str | None:
        """The newest cookie of that name."""
        return next((one.value for one in reversed(self._cookies.values()) if one.name == name), None)

    def values(self) -> list[str]:
        """All that it holds: whoever has them may act as us."""
        return [one.value for one in self._cookies.values()]


def read_cookie(line: bytes, origin: Origin, target: str, now: datetime) -> tuple[Cookie, bool] | None:
    """One Set-Cookie, and whether it's over already; None where it isn't to be kept (RFC 6265, 5.2, 5.3)."""
    if len(line) > COOKIE_BYTES_MAX:
        return None
    pair, *others = line.decode("latin-1").split(";")
    name, equals, value = (part.strip() for part in pair.partition("="))
    if not equals or not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
        return None
    said = {key.strip().lower(): what.strip() for key, _, what in (one.partition("=") for one in others)}
    host = origin.host.lower()
    domain = said.get("domain", "").lstrip(".").lower()
    host_only = not domain or domain == host
    if not host_only and (not host.endswith("." + domain) or "." not in domain or _IP.fullmatch(host)):
        return None
    path = said.get("path", "")
    if not path.startswith("/"):
        path = target.partition("?")[0].rpartition("/")[0] or "/"
    cookie = Cookie(name, value, host if host_only else domain, host_only, path, "secure" in said)
    if cookie.secure and origin.scheme != "https" and not _is_loopback(host):
        return None
    return cookie, _is_over(said, now)


def _is_over(said: dict[str, str], now: datetime) -> bool:
    if re.fullmatch(r"-?\d{1,15}", said.get("max-age", "")):
        return int(said["max-age"]) <= 0
    if "expires" not in said:
        return False
    try:
        return parsedate_to_datetime(said["expires"].replace("-", " ")).timestamp() <= now.timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return False


def _belongs(cookie: Cookie, origin: Origin, path: str) -> bool:
    host = origin.host.lower()
    if host != cookie.domain and (cookie.host_only or not host.endswith("." + cookie.domain)):
        return False
    if cookie.secure and origin.scheme != "https" and not _is_loopback(host):
        return False
    if not path.startswith(cookie.path):
        return False
    return path == cookie.path or cookie.path.endswith("/") or path[len(cookie.path)] == "/"


def _is_loopback(host: str) -> bool:
    """Browsers trust these without TLS (W3C, Secure Contexts, 3.1)."""
    return host in ("localhost", "::1") or host.startswith("127.")

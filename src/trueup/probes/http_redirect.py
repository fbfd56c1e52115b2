"""Where a redirect leads (RFC 9110, 15.4), and whether to go there."""

import re
from dataclasses import dataclass
from typing import Final

from trueup.domain.printable import printable
from trueup.probes.http_message import Response, target_of
from trueup.probes.http_peer import PORTS, Origin

REDIRECTS_MAX: Final = 5
FOLLOWED: Final = frozenset({301, 302, 303, 307, 308})
_HOST: Final = re.compile(r"[\w.~:%-]+")


@dataclass(frozen=True, slots=True)
class Redirect:
    """``target`` is what to ask ``origin`` for. ``keeps_method``: with the same method and body."""

    origin: Origin
    target: str
    keeps_method: bool
    text: str

    def may_follow(self, origin: Origin, body: bytes) -> bool:
        """A body is sent to nobody but whom it was meant for."""
        return not (self.keeps_method and body and not origin.trusts(self.origin))


def redirect_of(origin: Origin, target: str, response: Response) -> Redirect | str | None:
    """Where it leads; a sentence where it leads to no place, None where we aren't to follow."""
    location = response.headers.get(b"location")
    if response.status not in FOLLOWED or not location:
        return None
    from urllib.parse import urljoin, urlsplit, urlunsplit

    written = location.decode("utf-8", "replace").strip()
    shown = printable(written, 200)
    try:
        joined = urljoin(f"{origin.scheme}://{origin.name}{target}", written)
        parts = urlsplit(joined)
        port = parts.port
    except ValueError:
        return f"it leads to {shown!r}, which is no address"
    if parts.scheme not in PORTS:
        return None
    host = parts.hostname or ""
    if not _HOST.fullmatch(host):
        return f"it leads to {shown!r}, which has no valid host"
    place = _origin(origin, parts.scheme, host, port or PORTS[parts.scheme])
    path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    # Its query may hold a token: it isn't shown.
    text = printable(f"{place.scheme}://{place.name}{parts.path or '/'}", 200)
    return Redirect(place, target_of(path), response.status in (307, 308), text)


def _origin(origin: Origin, scheme: str, host: str, port: int) -> Origin:
    """A unix socket is left by a redirect to another host only."""
    if origin.socket_path is not None and (scheme, host, port) == (origin.scheme, "localhost", PORTS[scheme]):
        return origin
    return Origin(scheme, host, port)

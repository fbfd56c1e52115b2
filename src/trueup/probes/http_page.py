"""Pages that say more than their status: nobody's site yet, or the wrong door."""

from typing import Final

from trueup.probes.http_content import Unreadable, content_of
from trueup.probes.http_message import Response

WANTS_TLS: Final = (
    # What servers say to plain HTTP on a port for HTTPS: nginx, Go, Apache, Tomcat.
    b"The plain HTTP request was sent to HTTPS port",
    b"Client sent an HTTP request to an HTTPS server",
    b"speaking plain HTTP to an SSL-enabled server port",
    b"This combination of host and port requires TLS",
)
DEFAULT_PAGES: Final[dict[bytes, str]] = {
    # How the title begins of the page that a server shows before anybody gave it a site.
    b"Welcome to nginx!": "nginx's welcome page",
    b"Welcome to OpenResty!": "OpenResty's welcome page",
    b"It works!": "Apache's welcome page",
    b"Apache2 Debian Default Page": "Apache's welcome page on Debian",
    b"Apache2 Ubuntu Default Page": "Apache's welcome page on Ubuntu",
    b"Test Page for the": "a distribution's test page",
    b"HTTP Server Test Page": "a distribution's test page",
    b"IIS Windows": "the welcome page of IIS",
    b"Apache Tomcat/": "Tomcat's welcome page",
    b"Caddy works!": "Caddy's welcome page",
    b"Placeholder page": "lighttpd's placeholder page",
    b"Directory listing for ": "a directory listing",
    b"Index of /": "a directory listing",
}
_TITLES: Final = tuple(DEFAULT_PAGES)
_BYTES_LOOKED_AT: Final = 4096
_GZIP: Final = b"\x1f\x8b"
_MARKUP: Final = b"<"
_PAGES: Final = (_MARKUP, _GZIP)


def wants_tls(response: Response) -> bool:
    """Whether this is a port for HTTPS that was spoken to in plain HTTP, and says so in plain HTTP."""
    return response.status == 400 and any(words in response.body for words in WANTS_TLS)


def default_page(response: Response) -> str | None:
    """The name of the page that a server shows before anybody gave it a site, if it's that."""
    content = response.body
    if not content.startswith(_PAGES):
        return None
    if content.startswith(_GZIP):
        try:
            content = content_of(response)[0]
        except Unreadable:
            return None
        if not content.startswith(_MARKUP):
            return None
    start = _after(content, b"<title>") or _after(content, b"<h1>")  # Apache's own has a heading only
    if not start or not content.startswith(_TITLES, start):
        return None
    return next(name for title, name in DEFAULT_PAGES.items() if content.startswith(title, start))


def _after(content: bytes, mark: bytes) -> int:
    place = content.find(mark, 0, _BYTES_LOOKED_AT)
    return place + len(mark) if place >= 0 else 0

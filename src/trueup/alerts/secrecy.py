"""What of a channel must not be shown: its URL, and everything in it that may be a token."""

from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

from trueup.domain.channel import Channel
from trueup.domain.printable import printable
from trueup.domain.secret import Secret, hide

_MAIL = frozenset({"mailto", "mailtos"})
_WITH_USER = _MAIL | {"http", "https"}
"""Where a user is no secret."""
_WITH_HOST = _WITH_USER | {"ntfy", "ntfys"}
"""Where a host is none; elsewhere a token stands where others have it."""
_PART_CHARS_MIN = 8
"""A shorter part of a path is a word of it rather than a token."""
SAID_CHARS_MAX = 300


def shown(said: str | bytes, channel: Channel) -> str:
    """What a receiver or a library said, as people may read it: one line, escaped, without secrets."""
    text = said.decode("utf-8", "backslashreplace") if isinstance(said, bytes) else said
    return printable(hide(text, secrets_of(channel)), SAID_CHARS_MAX)


def secrets_of(channel: Channel) -> list[Secret]:
    """Each word that may not be printed, also as it's written in a URL."""
    words = set(_words(channel.to.reveal()))
    words |= {secret.reveal() for secret in (channel.secret, *channel.headers.values()) if secret is not None}
    return [Secret(word) for word in words | {unquote(word) for word in words}]


def _words(url: str) -> Iterator[str]:
    """Its login and every option; of the rest, what may be a token."""
    yield url
    scheme, _, rest = url.partition("://")
    rest, _, query = rest.partition("?")
    yield from (value for _, value in parse_qsl(query) if not (scheme.lower() in _MAIL and "@" in value))
    where, _, path = rest.partition("/")
    before, _, host = where.rpartition("@")
    yield before
    user, _, password = before.partition(":")
    yield from (password, "" if scheme.lower() in _WITH_USER else user)
    yield path if len(path) >= _PART_CHARS_MIN else ""
    parts = path.split("/")
    if scheme.lower() not in _WITH_HOST and "." not in host:
        parts.append(host)
    yield from (part for part in parts if len(part) >= _PART_CHARS_MIN and "@" not in part)

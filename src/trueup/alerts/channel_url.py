"""A channel's URL taken apart, as Apprise writes them: tokens may stand where others have a host."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote

from trueup.domain.channel import Channel
from trueup.domain.understood import NotUnderstood

_OF_APPRISE: Final = frozenset(
    {"format", "overflow", "rto", "cto", "emojis", "tz", "store", "retry", "wait", "redirect", "optional"}
)
"""What may stand in any of Apprise's URLs, and means nothing where trueup sends by itself."""
_PORT: Final = re.compile(r"(.*):(\d{1,5})", re.ASCII | re.DOTALL)
_YES: Final = frozenset({"yes", "true", "y", "1", "on", "enable", "allow"})


@dataclass(frozen=True, slots=True)
class ChannelUrl:
    """``host`` is all that stands before the path, without user and password. ``path``: its parts, decoded.

    ``options`` are by name in small letters; the last of a name counts. ``headers``: those that begin with +.
    """

    scheme: str
    host: str
    user: str | None = None
    password: str | None = None
    path: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def host_and_port(self) -> tuple[str, int | None]:
        """The host without brackets, and its port.

        Raises:
            NotUnderstood: it's no host, or no port.
        """
        match = _PORT.fullmatch(self.host)
        host, port = (match[1], int(match[2])) if match else (self.host, None)
        if not host or (port is not None and not 0 < port < 65536):
            raise NotUnderstood("it has no host", "as in SCHEME://HOST:PORT")
        return host.removeprefix("[").removesuffix("]"), port

    def means(self, option: str, default: bool) -> bool:
        """Whether an option says yes."""
        return self.options[option].lower() in _YES if self.options.get(option) else default

    def listed(self, option: str) -> tuple[str, ...]:
        """The parts of an option that is a list, apart by commas or spaces."""
        return tuple(part for part in re.split(r"[\s,]+", self.options.get(option, "")) if part)


def read_url(channel: Channel, options: Collection[str]) -> ChannelUrl:
    """The URL of ``channel``, whose ``options`` its kind understands.

    Raises:
        NotUnderstood: it has others, which may matter.
    """
    scheme, _, rest = channel.to.reveal().partition("://")
    rest, _, query = rest.partition("?")
    host, *path = rest.split("/")
    before, _, host = host.rpartition("@")
    user, colon, password = before.partition(":")
    said = parse_qsl(query, keep_blank_values=True)
    found = {name.lower(): value for name, value in said if name[:1] not in ("+", " ")}
    unknown = found.keys() - set(options) - _OF_APPRISE - {"verify"}
    if unknown:
        raise NotUnderstood(f"it has the option {min(unknown)}", "Apprise may know it")
    return ChannelUrl(
        scheme.lower(),
        unquote(host),
        unquote(user) or None,
        unquote(password) if colon else None,
        tuple(unquote(part) for part in path if part),
        found,
        {name[1:]: value for name, value in said if name[:1] in ("+", " ")},
    )

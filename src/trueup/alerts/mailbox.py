"""Where mail goes, and how: Apprise's mail URLs, read."""

import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import getaddresses
from ipaddress import ip_address
from typing import Any, Final, Literal

from trueup.alerts.channel_url import ChannelUrl, read_url
from trueup.config.apprise_library import apprise_library
from trueup.domain.channel import Channel
from trueup.domain.secret import Secret
from trueup.domain.understood import NotUnderstood

Mode = Literal["insecure", "starttls", "ssl"]
PORTS: Final[Mapping[Mode, int]] = {"insecure": 25, "starttls": 587, "ssl": 465}
OPTIONS: Final = ("to", "cc", "bcc", "from", "name", "reply", "smtp", "mode", "user", "pass", "port")
_PROVIDERS: Final = re.compile(
    r"(gmail|yandex|hotmail|live|outlook|office365|yahoo|gmx|fastmail|zoho|zohomail|sendgrid|163|foxmail|qq"
    r"|comcast)(\.[a-z]{2,3}){1,2}",
    re.ASCII | re.IGNORECASE,
)
"""Providers whose mail server isn't called as their addresses are. Apprise knows what it's called."""
_ADDRESS: Final = re.compile(r"[^\s@<>\"(),:;\\\x00-\x1f\x7f]+@[^\s@<>\"(),;\\\x00-\x1f\x7f]+")
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,80}", re.ASCII)
_HOST: Final = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", re.ASCII)

Named = tuple[str, str]
"""A name, which may be empty, and an address."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """``sender`` is who writes. ``mode``: TLS from the beginning, by STARTTLS, or only where it's offered."""

    host: str
    port: int
    mode: Mode
    sender: Named
    to: tuple[Named, ...]
    cc: tuple[Named, ...] = ()
    bcc: tuple[Named, ...] = ()
    reply_to: tuple[Named, ...] = ()
    user: str | None = None
    password: Secret | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    verify: bool = True

    @property
    def addresses(self) -> tuple[str, ...]:
        """Everybody who gets it, once."""
        return tuple(dict.fromkeys(address for _, address in (*self.to, *self.cc, *self.bcc)))


def needs_apprise(channel: Channel) -> bool:
    """Whether only Apprise knows what the server of this URL is called."""
    url = read_url(channel, OPTIONS)
    return "smtp" not in url.options and _PROVIDERS.fullmatch(url.host) is not None


def read_mailbox(channel: Channel) -> Mailbox:
    """The mailbox that a URL names.

    Raises:
        NotUnderstood: it names none, or has options that are Apprise's alone, as for PGP.
    """
    url = read_url(channel, OPTIONS)
    mode: Any = url.options.get("mode") or ("starttls" if url.scheme == "mailtos" else "insecure")
    if mode not in PORTS:
        raise NotUnderstood("its mode is none", f"one of {' '.join(PORTS)}")
    host, port = url.host_and_port
    server = url.options.get("smtp") or host
    user = url.options.get("user") or url.user
    password = url.options.get("pass") or url.password
    sender = _sender(url, host, user)
    said = _port(url.options.get("port"))
    return Mailbox(
        host=server,
        port=said or port or PORTS[mode],
        mode=mode,
        sender=sender,
        to=_people([*url.path, url.options.get("to", "")]) or (("", sender[1]),),
        cc=_people([url.options.get("cc", "")]),
        bcc=_people([url.options.get("bcc", "")]),
        reply_to=_people([url.options.get("reply", "")]),
        user=user,
        password=Secret(password) if password is not None else None,
        headers=_headers(url.headers),
        verify=url.means("verify", default=True),
    )


def mailbox_by_apprise(channel: Channel) -> Mailbox:
    """The same, as Apprise reads it. It loads the library, which takes a second: not for the loop.

    Raises:
        NotUnderstood: it reads no mailbox either.
    """
    read: Any = apprise_library().Apprise.instantiate(channel.to.reveal())
    if read is None or not hasattr(read, "smtp_host"):
        raise NotUnderstood("Apprise reads no mailbox", "as in mailtos://USER:PASSWORD@HOST?to=ADDRESS")
    return Mailbox(
        host=read.smtp_host,
        port=int(read.port),
        mode=read.secure_mode,
        sender=("trueup" if read.from_addr[0] == read.app_id else read.from_addr[0] or "", read.from_addr[1]),
        to=tuple((name or "", address) for name, address in read.targets),
        cc=tuple(("", address) for address in sorted(read.cc)),
        bcc=tuple(("", address) for address in sorted(read.bcc)),
        reply_to=tuple(("", address) for address in sorted(read.reply_to)),
        user=read.user or None,
        password=Secret(read.password) if read.password else None,
        headers=_headers(read.headers),
        verify=bool(read.verify_certificate),
    )


def this_host() -> str:
    """This machine's name, as SMTP may have it. No resolver is asked."""
    name = socket.gethostname()
    return name if _HOST.fullmatch(name) else "localhost"


def _sender(url: ChannelUrl, host: str, user: str | None) -> Named:
    """``from``, which may be a name alone; else the user at the host; else trueup at this machine."""
    said = url.options.get("from", "")
    name = url.options.get("name", "")
    named = _people([said]) if "@" in said else ()
    if named:
        return name or named[0][0] or "trueup", named[0][1]
    name = name or said or "trueup"
    if user and "@" in user:
        return name, _people([user])[0][1]
    if user and not _is_ip(host):
        return name, _people([f"{user}@{host}"])[0][1]
    return name, f"{user or 'trueup'}@{this_host()}"


def _people(written: Iterable[str]) -> tuple[Named, ...]:
    found = []
    for one in written:
        listed = one if "<" in one else re.sub(r"[\s,;]+", ",", one.strip())
        for name, address in getaddresses([listed] if listed else []):
            if not _ADDRESS.fullmatch(address):
                raise NotUnderstood("one of its addresses is no mail address", "as in ops@example.org")
            found.append((name, address))
    return tuple(found)


def _headers(written: Mapping[str, str]) -> dict[str, str]:
    for name, value in written.items():
        if not _HEADER.fullmatch(name) or not value.isprintable():
            raise NotUnderstood("one of its headers is none", "as in +X-Name=value")
    return dict(written)


def _port(written: str | None) -> int | None:
    if not written:
        return None
    if not written.isascii() or not written.isdecimal() or not 0 < int(written) < 65536:
        raise NotUnderstood("its port is none", "a number up to 65535")
    return int(written)


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True

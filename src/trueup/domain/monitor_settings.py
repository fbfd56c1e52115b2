"""The monitor itself: where it listens, what it keeps, what it may do."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from trueup.domain.address import Address
from trueup.domain.limits import AtLeast, Url
from trueup.domain.oidc import Oidc
from trueup.domain.secret import Secret

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the API and the pages are served. ``host`` is an IP address or a name, without brackets."""

    host: str = "127.0.0.1"
    port: int = 8642

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Store:
    """Where states and history are kept: SQLite in the folder of the data, or a PostgreSQL database."""

    address: Address | None = None

    def __str__(self) -> str:
        return str(self.address or "sqlite")


@dataclass(frozen=True, slots=True)
class Retention:
    """``raw``: how long each result is kept. ``hourly``: how long their hourly summaries are."""

    raw_s: float = 7 * 86400.0
    hourly_s: float = 400 * 86400.0


@dataclass(frozen=True, slots=True)
class Certificate:
    """``cert`` and ``key`` are paths of PEM files."""

    cert: Path
    key: Path


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """``listen``: HOST:PORT. ``data``: the folder of its data. ``store``: ``sqlite`` or a PostgreSQL address.

    ``workers``: processes that look. ``disk``: how much the data may take. ``tls``: its own certificate.
    ``trusted_proxies``: networks whose forwarding headers are believed. ``allow_commands``: whether a
    journey may run commands. ``watchdog``: a URL that is called while the monitor makes progress.
    ``oidc``: an OpenID provider by which people sign in.
    """

    listen: Listen = field(default_factory=Listen)
    data: Path = Path("trueup-data")
    store: Store = field(default_factory=Store)
    workers: Annotated[int, AtLeast(1)] = 1
    retention: Retention = field(default_factory=Retention)
    disk_bytes: int = 2 * 10**9
    tls: Certificate | None = None
    trusted_proxies: tuple[Network, ...] = ()
    allow_commands: bool = False
    watchdog: Annotated[Secret, Url(is_web=True)] | None = None
    oidc: Oidc | None = None

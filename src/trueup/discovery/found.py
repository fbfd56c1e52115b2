"""What discovery speaks of: doors, whoever answers at them, and what to write about it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trueup.host.facts import Transport


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a door of this machine. ``unit`` is a .service of the system's systemd."""

    pids: frozenset[int] = frozenset()
    process: str | None = None
    unit: str | None = None
    container: str | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Door:
    """A port at which something listens; ``host`` is where it's asked, as the configuration should say it.

    ``bound_to`` are the addresses that it's bound to; of another machine's nothing is known.
    """

    host: str
    port: int
    transport: Transport = Transport.TCP
    bound_to: tuple[str, ...] = ()
    holder: Holder | None = None

    @property
    def is_here(self) -> bool:
        """Whether it's known from the inside."""
        return self.holder is not None

    @property
    def place(self) -> str:
        """``HOST:PORT`` as an address has it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Found:
    """Who answers at a door: ``scheme`` is empty where nobody could be told.

    ``part`` is what stands after the slash of the address, ``version`` what it says of its software.
    ``keys`` are the keys of a configuration without which a look would fail for no fault of the service;
    ``notes`` say why, and what else was seen.
    """

    door: Door
    scheme: str
    part: str = ""
    version: str | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def at(self) -> str:
        """The address to write."""
        scheme = self.scheme or ("udp" if self.door.transport is Transport.UDP else "tcp")
        return f"{scheme}://{self.door.place}{self.part}"


@dataclass(frozen=True, slots=True)
class Service:
    """A service to write down. ``keys`` come in the order in which they're written; ``notes`` are said above
    it, and a key's in ``guesses`` behind that key.
    """

    name: str
    at: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    guesses: Mapping[str, str] = field(default_factory=dict)
    door: Door | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """Somebody here, told by his door, keeps a connection to another."""

    holder: Door
    peer: str
    peer_port: int

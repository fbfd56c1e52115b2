"""What is watched: services, journeys and heartbeats, and what an operator says about them."""

from dataclasses import dataclass
from enum import StrEnum

from trueup.domain.address import Address
from trueup.domain.secret import Secret


class Kind(StrEnum):
    """A service is at an address, a journey has steps, a heartbeat is waited for."""

    SERVICE = "service"
    JOURNEY = "journey"
    HEARTBEAT = "heartbeat"


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials. ``user`` is None where the protocol wants a password alone."""

    password: Secret
    user: str | None = None


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How a peer's certificate is judged.

    ``ca``, ``cert`` and ``key`` are paths of PEM files. ``server_name`` is the name asked for and
    expected where it isn't the host's. ``expires_within_s`` is the time left below which a valid
    certificate is ``tls-expiring``.
    """

    verify: bool = True
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    server_name: str | None = None
    expires_within_s: float = 14 * 86400.0


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that a product depends on; its name is its identity.

    ``needs`` are names of other targets, in the order of the configuration. ``host`` is the machine
    whose agent sees it, None for this one where the address is its own. ``slow_s`` and ``timeout_s``
    are None where the protocol's defaults hold.
    """

    name: str
    kind: Kind = Kind.SERVICE
    at: tuple[Address, ...] = ()
    tier: int = 2
    needs: tuple[str, ...] = ()
    host: str | None = None
    unit: str | None = None
    process: str | None = None
    container: str | None = None
    internal: bool = False
    slow_s: float | None = None
    timeout_s: float | None = None
    tags: tuple[str, ...] = ()
    description: str = ""
    runbook: str | None = None
    enabled: bool = True

    @property
    def machine(self) -> str | None:
        """What it's on, by name or address, as far as the configuration tells; None where that's several."""
        hosts = {one.host for one in self.at}
        return self.host or (hosts.pop() or None if len(hosts) == 1 else None)

"""One question to one address of one target."""

from dataclasses import dataclass
from typing import Any, Final

from trueup.domain.address import Address
from trueup.domain.secret import Secret
from trueup.domain.target import Target, TlsSettings
from trueup.probes.probe import Probe
from trueup.probes.registry import probe_for


@dataclass(frozen=True, slots=True)
class Check:
    """``probe`` is None for a bare address, which is looked at as whatever answers there.

    ``options`` is an instance of the probe's own options. ``tls`` is None where nothing is configured.
    ``timeout_s`` is the whole look's deadline. ``secrets`` are words in it that must not be shown, beside
    those that its parts hold as such.
    """

    target: Target
    address: Address
    probe: Probe | None
    options: Any
    tls: TlsSettings | None
    timeout_s: float
    secrets: tuple[Secret, ...] = ()

    @property
    def at(self) -> str | None:
        """The address, where the target has several and an observation must tell which."""
        return self.address.text if len(self.target.at) > 1 else None


BARE_TIMEOUT_S: Final = 5.0
PATIENCE: Final = 0.4
"""The part of its time that a service may be silent before we also ask who or what else might be there."""


def check_address(address: Address, timeout_s: float | None = None) -> Check:
    """The check of an address that no configuration speaks of; the address is its name."""
    target = Target(name=address.text, at=(address,), timeout_s=timeout_s)
    if not address.scheme:
        return Check(target, address, None, None, None, timeout_s or BARE_TIMEOUT_S)
    probe = probe_for(address.scheme)
    return Check(target, address, probe, probe.options(address), None, timeout_s or probe.timeout_s)

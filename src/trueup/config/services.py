"""Services: what is at an address, and how it's asked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from yaml.nodes import Node, ScalarNode

from trueup.checks.check import BARE_TIMEOUT_S, Check
from trueup.config.composing import NULL, STR
from trueup.config.draft import Draft
from trueup.config.options import (
    given,
    probe_of,
    read_options,
    refuse_tls,
    refuse_unknown,
    takes_http,
    takes_tls,
)
from trueup.config.problems import Path
from trueup.config.secret_words import secret_words
from trueup.config.shapes import keys_of
from trueup.config.targets import CommonKeys, Targets
from trueup.config.tiers import POLICY_KEYS
from trueup.domain.address import Address, AddressError, parse_address
from trueup.domain.heartbeat import Heartbeat
from trueup.domain.http_settings import HttpSettings
from trueup.domain.limits import AtLeast
from trueup.domain.secret import hide
from trueup.domain.target import Target, TlsSettings
from trueup.probes.probe import Probe
from trueup.probes.registry import SCHEMES

SECTION: Final = "services"


@dataclass(frozen=True, slots=True)
class ServiceKeys(CommonKeys):
    """What can be said of any service; the rest is its protocol's.

    ``at``: its address, or a list of them. ``host``: the machine whose agent sees it. ``unit``,
    ``process``, ``container``: what runs it there; a process by its own name, its program's, or the file
    name of the script that an interpreter runs (``app.py`` of ``python3 /srv/app.py``, ``shop.jar`` of
    ``java -jar shop.jar``). ``internal``: it must not be reachable from outside.
    ``slow``: the latency over which it's degraded. ``timeout``: the whole look's deadline. ``tls``: how
    its certificate is judged. ``heartbeat``: what it reports by itself. ``http``: how HTTP is spoken to it.
    """

    at: tuple[Address, ...] = ()
    host: str | None = None
    unit: str | None = None
    process: str | None = None
    container: str | None = None
    internal: bool = False
    slow_s: Annotated[float, AtLeast(0.001)] | None = None
    timeout_s: float | None = None
    tls: TlsSettings | None = None
    heartbeat: Heartbeat | None = None
    http: HttpSettings | None = None


@dataclass(frozen=True, slots=True)
class _Addresses:
    at: tuple[Address, ...]


_OWN: Final = frozenset(keys_of(ServiceKeys))
_POLICY: Final = frozenset(POLICY_KEYS)
_SQUEEZED: Final = re.compile(r"([a-z_]+):(?!//|\d+$)\S", re.ASCII)
"""A key and its value without a space between them, which is no address."""
_SHOWN: Final = ("host", "unit", "process", "container", "needs", "tags", "description", "runbook", "tls")
"""What everybody may see."""


def read_services(targets: Targets) -> None:
    """Read the section ``services``."""
    for name, node in targets.names_in(SECTION):
        _Service(targets, name, node).read()


class _Service:
    """One service while it's read."""

    def __init__(self, targets: Targets, name: str, node: Node) -> None:
        self._targets = targets
        self._draft: Draft = targets.draft
        self._name = name
        self._node = node
        self._path: Path = (SECTION, name)
        self._words: tuple[str, ...] = ()

    def read(self) -> None:
        """Read it; what doesn't hold is noted."""
        written = self._written()
        if written is None:
            return
        options = {key: value for key, value in written.items() if key not in _OWN and key not in _POLICY}
        addresses = self._addresses(written.pop("at", None))
        shown = " ".join([self._name, *(str(written.get(key)) for key in _SHOWN)])
        secrets = secret_words(self._words, addresses, shown)
        addresses = tuple(replace(one, text=hide(one.text, secrets)) for one in addresses)
        own = {key: value for key, value in written.items() if key in _OWN}
        keys = self._draft.read(ServiceKeys, {**own, "at": addresses}, self._path, others=_POLICY)
        self._targets.note(self._name, keys, written)
        asked = self._asked(addresses, keys, options)
        if keys is None:
            return
        if keys.timeout_s == 0:
            self._draft.say((*self._path, "timeout"), "in 0s nobody can look", "leave it out for the default")
        target = _target(self._name, keys)
        self._targets.add(target, keys.heartbeat)
        if keys.http is not None:
            self._targets.http[self._name] = keys.http
        self._targets.checks[self._name] = tuple(
            Check(target, address, probe, read, keys.tls, target.timeout_s or _timeout_s(probe), secrets)
            for address, probe, read in asked
        )

    def _addresses(self, written: Any) -> tuple[Address, ...]:
        if not written:
            self._draft.say((*self._path, "at"), "it has no address", "write at: redis://10.0.0.7:6379")
            return ()
        if isinstance(written, str):
            try:
                return (parse_address(written, SCHEMES),)
            except AddressError:
                pass  # it's said below, as for any other value
        read = self._draft.read(_Addresses, {"at": written}, self._path)
        return read.at if read else ()

    def _written(self) -> dict[str, Any] | None:
        """What is written, the short form in full."""
        node = self._node
        value, self._words = self._draft.tree.value_and_words(node, self._path)
        if isinstance(value, dict):
            return value
        if isinstance(node, ScalarNode) and node.tag == STR:
            key = _SQUEEZED.match(value)
            if key is None or key[1] not in _OWN | _POLICY:
                return {"at": value}
            self._draft.say(self._path, f"there's no space after '{key[1]}:'", f"write {key[1]}: VALUE")
            return None
        problem = "nothing is written" if node.tag == NULL else "it is no address and has no keys"
        self._draft.say(self._path, problem, f"write {self._name}: redis://10.0.0.7:6379, or at: below it")
        return None

    def _asked(
        self, addresses: Sequence[Address], keys: ServiceKeys | None, options: dict[str, Any]
    ) -> list[tuple[Address, Probe | None, Any]]:
        """Each address with its probe and that probe's options."""
        probes = [probe_of(address) for address in addresses]
        refuse_unknown(self._draft, self._path, options, probes, _OWN | _POLICY)
        if keys is not None and addresses:
            if keys.tls is not None and not any(map(takes_tls, probes, addresses)):
                refuse_tls(self._draft, self._path, probes[0], addresses[0])
            if keys.http is not None and not any(map(takes_http, probes, addresses)):
                problem = f"{addresses[0].scheme or 'a bare HOST:PORT'} isn't asked over HTTP"
                self._draft.say((*self._path, "http"), problem, "remove it")
            options |= given(tls=keys.tls, http=keys.http)
        return [
            (address, probe, read_options(self._draft, self._path, probe, address, options))
            for address, probe in zip(addresses, probes, strict=True)
        ]


def _timeout_s(probe: Probe | None) -> float:
    return probe.timeout_s if probe else BARE_TIMEOUT_S


def _program(process: str | None) -> str | None:
    """A process is known by its name; of a program's path that is the last part."""
    is_path = process is not None and process.startswith("/")
    return process.rstrip("/").rpartition("/")[2] if process and is_path else process


def _target(name: str, keys: ServiceKeys) -> Target:
    return Target(
        name,
        at=keys.at,
        tier=keys.tier,
        needs=keys.needs,
        host=keys.host,
        unit=keys.unit,
        process=_program(keys.process),
        container=keys.container,
        internal=keys.internal,
        slow_s=keys.slow_s,
        timeout_s=keys.timeout_s,
        tags=keys.tags,
        description=keys.description,
        runbook=keys.runbook,
        enabled=keys.enabled,
    )

"""The probes by scheme. A probe is found by its file in this folder; nothing lists them."""

import importlib
import pkgutil
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

import trueup.probes
from trueup.probes.probe import Probe


class _Schemes(Collection[str]):
    """Every scheme; asking for one loads no more than its file."""

    def __contains__(self, scheme: object) -> bool:
        return _serves(str(scheme)) or scheme in by_scheme()

    def __iter__(self) -> Iterator[str]:
        return iter(by_scheme())

    def __len__(self) -> int:
        return len(by_scheme())


SCHEMES: Collection[str] = _Schemes()
_NOT_PROBES: Final = frozenset({"probe", "registry"})


def probe_for(scheme: str) -> Probe:
    """The probe that serves ``scheme``.

    Raises:
        KeyError: when no probe does.
    """
    if _serves(scheme):  # a look at one scheme loads one file, so that a check starts quickly
        probe = _load(scheme)
        assert probe is not None
        return probe
    return by_scheme()[scheme]


def _serves(scheme: str) -> bool:
    """Whether the file of that name is a probe that serves that scheme."""
    probe = _load(scheme) if scheme in _file_names() else None
    return probe is not None and scheme in probe.schemes


@cache
def all_probes() -> tuple[Probe, ...]:
    """Every probe, in the order of its name."""
    loaded = (_load(name) for name in sorted(_file_names()))
    return tuple(probe for probe in loaded if probe is not None)


@cache
def by_scheme() -> Mapping[str, Probe]:
    """Every probe by each of its schemes."""
    return MappingProxyType({scheme: probe for probe in all_probes() for scheme in probe.schemes})


@cache
def _file_names() -> frozenset[str]:
    return frozenset(module.name for module in pkgutil.iter_modules(trueup.probes.__path__)) - _NOT_PROBES


@cache
def _load(name: str) -> Probe | None:
    probe = getattr(importlib.import_module(f"trueup.probes.{name}"), "PROBE", None)
    return probe if isinstance(probe, Probe) else None

"""The keys that a protocol understands: what's written is checked against the probe's own ``Options``."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Final

from trueup.config.complaints import unknown_key
from trueup.config.draft import Draft
from trueup.config.problems import Path
from trueup.config.shapes import keys_of
from trueup.config.substitution import NOTHING_SAVED, Saved
from trueup.domain.address import BARE, Address, AddressError
from trueup.domain.nearest import nearest
from trueup.domain.understood import quoted
from trueup.probes.probe import Probe
from trueup.probes.registry import all_probes, probe_for

ADDRESS: Final = "address"
"""The first field of every probe's options; it's written as ``at``."""


def option_keys(probe: Probe) -> frozenset[str]:
    """The keys that a probe understands."""
    return _keys(probe.options)


@cache
def _keys(options: Any) -> frozenset[str]:
    return frozenset(keys_of(options)) - {ADDRESS}


def probe_of(address: Address) -> Probe | None:
    """Who looks at an address; None for a bare one."""
    return None if address.scheme == BARE else probe_for(address.scheme)


def takes_tls(probe: Probe | None, address: Address) -> bool:
    """Whether ``tls`` has a meaning there."""
    return probe is not None and (probe.schemes[address.scheme].tls or "tls" in option_keys(probe))


def takes_http(probe: Probe | None, address: Address) -> bool:
    """Whether ``http`` has a meaning there."""
    return probe is not None and (address.scheme in {"http", "https"} or "http" in option_keys(probe))


def read_options(
    draft: Draft,
    path: Path,
    probe: Probe | None,
    address: Address,
    options: Mapping[str, Any],
    *,
    saved: Saved = NOTHING_SAVED,
) -> Any:
    """The options of ``probe`` from the keys of ``options`` that it understands; None for a bare address."""
    if probe is None:
        return None
    known = option_keys(probe)
    mine = {key: value for key, value in options.items() if key in known}
    if not mine:
        try:
            return probe.options(address)
        except AddressError as error:  # its path asks for what can't be had
            draft.say((*path, "at"), error.problem, error.hint)
            return None
    shape: Any = probe.options
    return draft.read(shape, {ADDRESS: address, **mine}, path, saved)


def refuse_unknown(
    draft: Draft,
    path: Path,
    options: Mapping[str, Any],
    probes: Sequence[Probe | None],
    others: Collection[str],
) -> None:
    """Note the keys that none of ``probes`` understands; of none, those that no probe at all does.

    ``others`` are keys that may be written there too, for the hint.
    """
    if not options:
        return
    present = [probe for probe in probes if probe is not None]
    known = frozenset().union(*map(option_keys, present if probes else all_probes()))
    for key in options:
        if key not in known:
            draft.say((*path, key), *_not_theirs(key, known, present, others))


def _not_theirs(
    key: str, known: frozenset[str], probes: Sequence[Probe], others: Collection[str]
) -> tuple[str, str]:
    elsewhere = _who_know(key)
    if not elsewhere:
        return _unknown(key, sorted({*known, *others}))
    if not probes:
        return f"a bare HOST:PORT takes no {quoted(key)}", "write the scheme, as in redis://HOST:PORT"
    means = f"{quoted(key)} means nothing to {' and '.join(sorted({probe.name for probe in probes}))}"
    return means, (f"it takes {' '.join(sorted(known))}" if known else f"known to {elsewhere}")


def _unknown(key: str, known: Sequence[str]) -> tuple[str, str]:
    """A key that no probe understands; the nearest may be one of another protocol's."""
    problem, hint = unknown_key(key, known)
    theirs = sorted({other for probe in all_probes() for other in option_keys(probe)} - {*known})
    close = None if hint.startswith("did you mean") else nearest(key, theirs)
    if close is None:
        return problem, hint
    return problem, f"did you mean {close}, known to {_who_know(close)}?"


def _who_know(key: str) -> str:
    return " ".join(probe.name for probe in all_probes() if key in option_keys(probe))


def given(**settings: Any) -> dict[str, Any]:
    """Settings of every protocol's that some probes want among their own options; those that are set."""
    return {key: value for key, value in settings.items() if value is not None}


def refuse_tls(draft: Draft, path: Path, probe: Probe | None, address: Address) -> None:
    """Note a ``tls`` that has no meaning."""
    if probe is None:
        problem, hint = "a bare HOST:PORT takes no tls", "write the scheme, as in https://HOST:PORT"
    else:
        over_tls = [name for name, scheme in probe.schemes.items() if scheme.tls]
        problem = f"{address.scheme}:// speaks no TLS"
        hint = f"did you mean {over_tls[0]}://?" if over_tls else "remove it"
    draft.say((*path, "tls"), problem, hint)

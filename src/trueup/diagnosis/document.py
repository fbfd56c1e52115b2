"""Verdicts as the document of ``check --json`` and of ``GET /api/v1/targets``."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from trueup.domain.clock import timestamp
from trueup.domain.observation import Observation
from trueup.domain.states import State, worst
from trueup.domain.target import Kind, Target
from trueup.domain.verdict import Verdict

SCHEMA: Final = 1


def document(targets: Iterable[dict[str, Any]], states: Iterable[State]) -> dict[str, Any]:
    """The whole document; ``states`` are those of all targets, also when it's one page of them."""
    return {"schema": SCHEMA, "state": worst(states).value, "targets": list(targets)}


def target_document(target: Target, verdict: Verdict) -> dict[str, Any]:
    """One element of ``targets``."""
    return {
        "name": target.name,
        "kind": target.kind.value,
        "at": _at(target),
        "state": verdict.state.value,
        "layer": verdict.layer.value if verdict.layer else None,
        "cause": verdict.cause.value if verdict.cause else None,
        "blame": verdict.blame,
        "summary": verdict.summary,
        "next": list(verdict.next),
        "observations": [observation_document(seen) for seen in verdict.observations],
    }


def _at(target: Target) -> str | None:
    addresses: Sequence[str] = [address.text for address in target.at]
    return ", ".join(addresses) if addresses and target.kind is Kind.SERVICE else None


def observation_document(seen: Observation) -> dict[str, Any]:
    """One element of ``observations``."""
    shown = {
        "layer": seen.layer.value,
        "vantage": seen.vantage,
        "outcome": seen.outcome.value,
        "cause": seen.cause.value if seen.cause else None,
        "detail": seen.detail,
        "latency_ms": seen.latency_ms,
        "observed_at": timestamp(seen.observed_at),
        "facts": dict(seen.facts),
    }
    return shown if seen.at is None else {**shown, "at": seen.at}

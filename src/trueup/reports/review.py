"""The review of a while: what alerted, what flapped, what a deeper layer saw, what nobody covers. Pure."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trueup.domain.clock import timestamp
from trueup.reports.certificates import Certificate, certificates_of
from trueup.reports.coverage import Coverage, coverage_of
from trueup.reports.deeper import Deeper, deeper_of
from trueup.reports.drift import Drift, drifts_of
from trueup.reports.material import Material
from trueup.reports.noise import Noise, noise_of
from trueup.reports.roots import Root, roots_of
from trueup.reports.suggestions import Suggestion, suggestions_of


@dataclass(frozen=True, slots=True)
class Review:
    """Everything that was found, each list with what matters most first."""

    since_at: datetime
    until_at: datetime
    states: dict[str, int]
    incidents: int
    roots: list[Root]
    noise: Noise
    deeper: list[Deeper]
    drifts: list[Drift]
    certificates: list[Certificate]
    coverage: Coverage
    suggestions: list[Suggestion]


def review(material: Material) -> Review:
    """The review of what is given."""
    roots, noise = roots_of(material), noise_of(material)
    drifts, coverage = drifts_of(material), coverage_of(material)
    return Review(
        since_at=material.since_at,
        until_at=material.until_at,
        states=dict(Counter(str(target["state"]) for target in material.targets)),
        incidents=len(material.incidents),
        roots=roots,
        noise=noise,
        deeper=deeper_of(roots),
        drifts=drifts,
        certificates=certificates_of(material),
        coverage=coverage,
        suggestions=suggestions_of(material, noise, drifts, coverage),
    )


def document(found: Review) -> dict[str, Any]:
    """The review as JSON: durations in seconds, latencies in milliseconds."""
    return {
        "since": timestamp(found.since_at),
        "until": timestamp(found.until_at),
        "states": found.states,
        "incidents": found.incidents,
        "roots": [
            {
                "target": one.target,
                "cause": one.cause or None,
                "layer": one.layer or None,
                "incidents": one.incidents,
                "lasted_s": one.lasted.total_seconds(),
                "open": one.is_open,
                "dragged": one.dragged,
                "summary": one.summary,
            }
            for one in found.roots
        ],
        "noise": {
            "alerts": found.noise.alerts,
            "blips": [
                {
                    "target": one.target,
                    "failures": one.failures,
                    "pending": one.pending,
                    "looks": one.looks,
                }
                for one in found.noise.blips
            ],
            "flapping": [
                {"target": one.target, "incidents": one.incidents, "lasted_s": one.lasted.total_seconds()}
                for one in found.noise.flapping
            ],
            "unacknowledged": found.noise.unacknowledged,
            "out_of_hours": found.noise.out_of_hours,
        },
        "deeper": [
            {
                "layer": one.layer,
                "says": one.words,
                "times": one.times,
                "of": [{"target": target, "cause": cause} for target, cause in one.of],
            }
            for one in found.deeper
        ],
        "drift": [
            {
                "target": one.target,
                "layer": one.layer,
                "before_ms": one.before_ms,
                "after_ms": one.after_ms,
                "worst_ms": one.worst_ms,
            }
            for one in found.drifts
        ],
        "certificates": [
            {
                "target": one.target,
                "expires_at": timestamp(one.expires_at),
                "left_s": one.left.total_seconds(),
            }
            for one in found.certificates
        ],
        "coverage": _coverage(found.coverage),
        "suggestions": [{"line": one.line, "why": one.why} for one in found.suggestions],
    }


def _coverage(found: Coverage) -> dict[str, Any]:
    return {
        "unwatched": [
            {
                "host": one.host,
                "address": one.address,
                "port": one.port,
                "speaks": one.speaks or None,
                "owner": one.owner or None,
            }
            for one in found.unwatched
        ],
        "port_alone": [
            {"target": one.target, "at": one.at, "likely": one.likely or None} for one in found.port_alone
        ],
        "silent": found.silent,
        "never_seen": found.never_seen,
        "channels": found.has_channels,
    }

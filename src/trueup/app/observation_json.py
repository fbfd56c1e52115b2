"""Observations between processes: as the contract's documents, and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome


def observation_from(shown: Mapping[str, Any]) -> Observation:
    """The observation of a document that ``observation_document`` made.

    Raises:
        KeyError, TypeError, ValueError: it's none.
    """
    return Observation(
        Layer(shown["layer"]),
        Outcome(shown["outcome"]),
        datetime.fromisoformat(shown["observed_at"]),
        Cause(shown["cause"]) if shown["cause"] is not None else None,
        str(shown["detail"]),
        shown["latency_ms"],
        dict(shown["facts"]),
        str(shown["vantage"]),
        shown.get("at"),
    )

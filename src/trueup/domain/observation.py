"""One answer to one question about one target: the unit of evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome

LOCAL: Final = "local"
"""The vantage of a prober that has no name of its own."""

Facts = Mapping[str, Any]
"""Names and JSON values: what was seen besides the outcome."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one layer of one target looked like from one vantage at one time.

    ``latency_ms`` counts from the start of connecting to the end of this layer's own exchange; None
    where nothing was exchanged. ``at`` is the address, and is set only where a target has several.
    """

    layer: Layer
    outcome: Outcome
    observed_at: datetime
    cause: Cause | None = None
    detail: str = ""
    latency_ms: float | None = None
    facts: Facts = field(default_factory=dict)
    vantage: str = LOCAL
    at: str | None = None

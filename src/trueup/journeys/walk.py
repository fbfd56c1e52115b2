"""One performance of a journey: what its steps share, and what a step came to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.clock import Clock
from trueup.domain.http_settings import HttpSettings
from trueup.domain.observation import LOCAL
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import TlsSettings
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript
from trueup.journeys.cookies import CookieJar
from trueup.probes.http_peer import Origin

SEEN_CHARS_MAX: Final = 300


@dataclass(slots=True)
class Walk:
    """What is carried from step to step.

    ``saved`` are the values by name. ``acquainted``: servers that have shown that they speak HTTP, so that
    a secret may be sent to them. ``token``: what OAuth 2.0 gave us for this walk. ``fresh``: secrets that
    came up on the way (session cookies, tokens).
    """

    engine: Engine
    clock: Clock
    vantage: str = LOCAL
    http: HttpSettings | None = None
    tls: TlsSettings | None = None
    saved: dict[str, str] = field(default_factory=dict)
    cookies: CookieJar = field(default_factory=CookieJar)
    acquainted: set[Origin] = field(default_factory=set)
    token: Secret | None = None
    fresh: set[Secret] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step came to: as the outcome of one look, and what of it later steps may use.

    ``cause`` and ``layer`` are those of the step itself, as of a service. ``expected`` and ``seen`` are set
    where it fails. ``about`` is what was done, where, in our own words; ``address`` is that of ``about``.
    ``took_ms`` is None where our own lateness makes it no measure. Peers' words stand in ``detail``,
    ``seen`` and ``facts``, their secrets not yet hidden.
    """

    outcome: Outcome
    detail: str
    cause: Cause | None = None
    layer: Layer = Layer.FUNCTION
    expected: str | None = None
    seen: str | None = None
    about: str = ""
    address: Address | None = None
    took_ms: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    saved: Mapping[str, str] = field(default_factory=dict)
    transcripts: tuple[Transcript, ...] = ()
    screenshot: bytes | None = None


def unable(detail: str, cause: Cause | None = None) -> StepResult:
    """A step that we couldn't take, for reasons of our own: nothing is known of whom it was about."""
    return StepResult(Outcome.UNKNOWN, detail, cause)

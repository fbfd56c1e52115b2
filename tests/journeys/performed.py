"""A journey as it's written, performed once."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import dedent, indent

from tests.config.written import loaded
from trueup.app.clock import SystemClock
from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.judge import judge
from trueup.domain.observation import Observation
from trueup.domain.states import Outcome
from trueup.domain.verdict import Verdict
from trueup.engine.engine import Engine
from trueup.journeys.perform import JourneyLook, perform_journey


@dataclass(frozen=True, slots=True)
class Performed:
    look: JourneyLook
    verdict: Verdict

    @property
    def outcomes(self) -> list[str]:
        return [seen.outcome.value for seen in self.look.observations]

    @property
    def failed(self) -> Observation:
        """The first step that failed."""
        return next(seen for seen in self.look.observations if seen.outcome is Outcome.FAIL)

    @property
    def inner(self) -> tuple[object, object]:
        """The step that failed, and why."""
        return self.failed.facts["step"], self.failed.facts["inner_cause"]


def perform(
    steps: str, *, keys: str = "", env: Mapping[str, str] | None = None, allow_commands: bool = False
) -> Performed:
    """``steps`` is a YAML list, ``keys`` more keys of the journey, each a line."""
    text = "\n".join(
        [
            f"monitor: {{allow_commands: {str(allow_commands).lower()}}}",
            "journeys:",
            "  checkout:",
            indent(dedent(keys).strip(), "    "),
            "    steps:",
            indent(dedent(steps).strip("\n"), "      "),
        ]
    )
    configuration = loaded(text, env)
    (target,) = configuration.targets

    async def story() -> JourneyLook:
        async with Engine() as engine:
            return await perform_journey(engine, target, configuration.journeys["checkout"], SystemClock())

    look = asyncio.run(story())
    return Performed(look, judge(Evidence(target, look.observations)))

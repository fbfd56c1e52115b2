"""The journeys of a configuration as what a monitor does in their turn."""

from collections.abc import Awaitable, Callable, MutableMapping

from trueup.app.clock import SystemClock
from trueup.config.configuration import Configuration
from trueup.domain.observation import Observation
from trueup.domain.states import Outcome
from trueup.domain.target import Target
from trueup.engine.engine import Engine
from trueup.journeys.perform import perform_journey


def journey_looks(
    configuration: Configuration, screenshots: MutableMapping[str, bytes]
) -> dict[str, Callable[[Engine, str], Awaitable[tuple[Observation, ...]]]]:
    """By a journey's name: performs it once, from a vantage.

    ``screenshots`` gets by name what a browser showed where it failed, until it passes.
    """
    targets = {target.name: target for target in configuration.targets}
    return {name: _look_of(configuration, targets[name], screenshots) for name in configuration.journeys}


def _look_of(
    configuration: Configuration, target: Target, screenshots: MutableMapping[str, bytes]
) -> Callable[[Engine, str], Awaitable[tuple[Observation, ...]]]:
    journey, clock = configuration.journeys[target.name], SystemClock()

    async def look(engine: Engine, vantage: str) -> tuple[Observation, ...]:
        done = await perform_journey(engine, target, journey, clock, vantage=vantage)
        if done.screenshot is not None:
            screenshots[target.name] = done.screenshot
        elif all(seen.outcome is not Outcome.FAIL for seen in done.observations):
            screenshots.pop(target.name, None)
        return done.observations

    return look

"""Who performs which kind of step. A kind's file is imported when its first step is performed."""

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Final

from trueup.domain.journey import Step, StepKind
from trueup.journeys.walk import StepResult, Walk

Performer = Callable[[Walk, Step, float], Awaitable[StepResult]]
"""Takes one step within so many seconds. What goes wrong is a result, not an exception."""

_PERFORMERS: Final[dict[StepKind, tuple[str, str]]] = {
    StepKind.HTTP: ("http", "perform_http"),
    StepKind.MAIL: ("mail", "perform_mail"),
    StepKind.COMMAND: ("command", "perform_command"),
    StepKind.BROWSER: ("browser", "perform_browser"),
    **dict.fromkeys(
        (StepKind.REDIS, StepKind.POSTGRES, StepKind.MYSQL, StepKind.DNS, StepKind.AMQP, StepKind.PROBE),
        ("probes", "perform_probe"),
    ),
}


def performer_of(kind: StepKind) -> Performer:
    """The function that takes a step of this kind."""
    file, name = _PERFORMERS[kind]
    performer: Performer = getattr(import_module(f"trueup.journeys.{file}"), name)
    return performer

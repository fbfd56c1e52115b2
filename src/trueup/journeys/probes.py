"""A step that is one look at an address by its probe: a round trip, a query, an answer from a name server."""

from dataclasses import replace
from typing import Any, Final

from trueup.checks.check import Check
from trueup.domain.address import BARE, Address
from trueup.domain.causes import Cause
from trueup.domain.journey import ProbeLook, Save, Step
from trueup.domain.states import Outcome
from trueup.domain.target import Target
from trueup.journeys.looks import expectation, look_as_step
from trueup.journeys.saves import NothingToSaveError, missing, values_of
from trueup.journeys.sql import Overheard
from trueup.journeys.walk import StepResult, Walk
from trueup.probes.probe import Probe
from trueup.probes.registry import probe_for

STARTTLS: Final = "submission"
"""The one scheme whose certificate is verified though it doesn't begin with a handshake."""


async def perform_probe(walk: Walk, step: Step, timeout_s: float) -> StepResult:
    """Look once, with the probe's own causes and follow-up questions."""
    action = step.action
    assert isinstance(action, ProbeLook)
    address = action.address
    probe = None if address.scheme == BARE else probe_for(address.scheme)
    options, tls = action.options, action.tls
    if probe is not None:
        tls = action.tls or (walk.tls if _verifies(probe, address) else None)
        options = _with_settings(options, walk, tls)
    heard = Overheard(probe, options) if probe is not None and step.save else None
    check = Check(
        Target(address.text, at=(address,)),
        address,
        heard.probe if heard is not None else probe,
        options,
        tls,
        timeout_s,
    )
    result = await look_as_step(walk, check, _expected(probe, options))
    result = replace(result, about=address.text, address=address)
    if heard is None or result.outcome not in (Outcome.PASS, Outcome.SLOW):
        return result
    return _with_value(result, step, heard)


def _verifies(probe: Probe, address: Address) -> bool:
    return probe.schemes[address.scheme].tls or address.scheme == STARTTLS


def _with_settings(options: Any, walk: Walk, tls: Any) -> Any:
    """What holds for the whole journey, where the protocol knows it and the step says nothing of its own."""
    given = {"tls": tls, "http": walk.http}
    missing_ones = {
        name: value
        for name, value in given.items()
        if value is not None and getattr(options, name, value) is None
    }
    return replace(options, **missing_ones) if missing_ones else options


def _expected(probe: Probe | None, options: Any) -> str:
    if getattr(options, "query", None):
        otherwise = "an answer to the query"
    elif getattr(options, "roundtrip", False):
        otherwise = "what is written is read back"
    else:
        otherwise = f"{probe.title if probe is not None else 'somebody'} answers"
    return expectation(getattr(options, "expect", None), otherwise)


def _with_value(result: StepResult, step: Step, heard: Overheard) -> StepResult:
    def value(save: Save) -> str:
        found = heard.value()
        if found is None:
            raise missing(save, "the query gives no row" if not heard.rows else "it is NULL")
        return found

    try:
        return replace(result, saved=values_of(step.save, value))
    except NothingToSaveError as nothing:
        words = str(nothing)
        detail = f"{result.detail}, but {words}"
        wrong = replace(result, outcome=Outcome.FAIL, cause=Cause.WRONG_ANSWER, detail=detail)
        return replace(wrong, expected="a value to save", seen=words)

"""Verdicts as a tired person reads them."""

import os
import re
import sys
from collections.abc import Iterable, Iterator

import click

from trueup.app.one_look import Looked
from trueup.domain.observation import Observation
from trueup.domain.printable import printable
from trueup.domain.secret import HIDDEN
from trueup.domain.states import Outcome, State
from trueup.engine.transcript import Transcript

_COLOURS = {State.UP: "green", State.DEGRADED: "yellow", State.DOWN: "red", State.UNKNOWN: "magenta"}
_MARKS = {Outcome.PASS: "ok", Outcome.SLOW: "slow", Outcome.FAIL: "FAIL", Outcome.UNKNOWN: "?"}
_DETAIL_CHARS_MAX = 300
_COOKIE = re.compile(rb"^(set-cookie: *[^=;]+=)[^;\s]+", re.IGNORECASE)
"""What a server gives us to be known by: whoever has it may be us."""

_HIDDEN_COOKIE = rb"\1" + HIDDEN.encode()


def is_coloured() -> bool:
    """Colour on a terminal that wants it (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def state_word(state: State) -> str:
    """The state in its colour, eight letters wide."""
    return click.style(f"{state.upper():8}", fg=_COLOURS[state], bold=True)


def verdict_lines(looked: Looked) -> Iterator[str]:
    """The state and the sentence, the layers, and what to do next."""
    verdict = looked.verdict
    state = state_word(verdict.state)
    where = f"  [{verdict.cause}, {verdict.layer}]" if verdict.cause else ""
    yield f"{state} {printable(looked.target.name, 500)}{where}"
    yield f"         {printable(verdict.summary, 600)}"
    for seen in verdict.observations:
        yield _observation_line(seen)
        yield from _of_a_step(seen)
    for step in verdict.next:
        yield f"  next   {printable(step, 500)}"


def _observation_line(seen: Observation) -> str:
    took = "" if seen.latency_ms is None else f"{seen.latency_ms:9.1f} ms"
    where = f"{seen.at} " if seen.at else ""
    from_where = "" if seen.vantage == "local" else f" (from {printable(seen.vantage)})"
    mark = _MARKS[seen.outcome]
    detail = printable(where + seen.detail, _DETAIL_CHARS_MAX)
    return f"  {seen.layer:8} {mark:5}{took:>13}  {detail}{from_where}".rstrip()


def _of_a_step(seen: Observation) -> Iterator[str]:
    """What a journey's step that failed should have brought, and what it brought."""
    if "inner_cause" in seen.facts:
        for name in ("expected", "seen"):
            yield f"  {'':14}{name:>13}  {printable(str(seen.facts.get(name) or '-'), _DETAIL_CHARS_MAX)}"


def transcript_lines(transcripts: Iterable[Transcript]) -> Iterator[str]:
    """What was really said, escaped; secrets were never kept."""
    for transcript in transcripts:
        dial = transcript.dial
        yield f"  -- {dial.transport} {dial.host}:{dial.port} {transcript.peer}".rstrip()
        for said in transcript.said:
            arrow = {"us": ">", "peer": "<"}.get(said.who, "-")
            for line in said.data.splitlines(keepends=True):
                yield f"  {said.at_ms:9.1f} ms {arrow} {printable(_COOKIE.sub(_HIDDEN_COOKIE, line), 400)}"
        if transcript.fault is not None:
            yield f"  {transcript.total_ms:9.1f} ms ! {printable(transcript.fault.detail)}"
        yield f"  {transcript.total_ms:9.1f} ms = {_phases(transcript)}"


def _phases(transcript: Transcript) -> str:
    """How long each phase took; the first byte counts from the start of connecting."""
    phases = {
        "resolve": transcript.resolve_ms,
        "connect": transcript.connect_ms,
        "TLS": transcript.tls_ms,
        "first byte": transcript.first_byte_ms,
    }
    took = [f"{name} {spent_ms:.1f} ms" for name, spent_ms in phases.items() if spent_ms is not None]
    return ", ".join([*took, f"total {transcript.total_ms:.1f} ms"])

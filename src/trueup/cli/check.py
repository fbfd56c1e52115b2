"""``trueup check``: one look, one sentence."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from trueup.app.one_look import Looked, look_once, state_of
from trueup.checks.check import Check, check_address
from trueup.cli.commands import say
from trueup.cli.report import is_coloured, transcript_lines, verdict_lines
from trueup.diagnosis.document import document, target_document
from trueup.domain.address import AddressError, parse_address
from trueup.domain.printable import printable
from trueup.domain.secret import Secret, hide, hide_in, secrets_in
from trueup.probes.registry import SCHEMES

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_SAID = ("summary", "next", "observations", "transcript")
"""Where words of a peer may stand; it may have been told a secret."""


def _duration(_ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """``250ms``, ``3s``, ``5m``: as in the configuration."""
    if value is None:
        return None
    from trueup.domain.duration import DurationError, parse_duration

    try:
        duration_s = parse_duration(value)
    except DurationError as error:
        raise click.BadParameter(str(error), param=param) from error
    if not duration_s:
        raise click.BadParameter("in no time nobody can look; write one as in 3s", param=param)
    return duration_s


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    from trueup.cli.completing import addresses

    return addresses(ctx, param, incomplete)


@click.command(epilog="Example: trueup check redis://127.0.0.1 https://example.org --timeout 3s")
@click.argument("what", nargs=-1, metavar="ADDRESS... | -c FILE [NAME...]", shell_complete=_complete)
@click.option(
    "-c", "--config", type=click.Path(), metavar="FILE", help="Look at the targets of this configuration."
)
@click.option(
    "--timeout",
    callback=_duration,
    metavar="3s",
    help="The whole look's deadline: 5s, for mail 10s, if not set.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdicts and their evidence as JSON.")
@click.option("--no-host", is_flag=True, help="Leave the machine's own evidence out.")
@click.option("--transcript", is_flag=True, help="Show what was said on the wire, escaped, without secrets.")
def COMMAND(  # noqa: N802 - what a command's file exports
    what: tuple[str, ...],
    config: str | None,
    timeout: float | None,
    *,
    as_json: bool,
    no_host: bool,
    transcript: bool,
) -> int:
    """Look once at each ADDRESS, or at the targets NAMEd of a configuration, and say what is true.

    Exit status: 0 up, 1 degraded, 2 down, 3 unknown, 64 wrong usage.
    """
    if config is None:
        looked = asyncio.run(look_once(_addressed(what, timeout), ask_host=not no_host))
    else:
        from pathlib import Path

        from trueup.cli.configured import plan_of

        plan = plan_of(Path(config), what, timeout)
        looking = look_once(
            plan.checks,
            plan.targets,
            journeys=plan.journeys,
            ask_host=not no_host,
            location=plan.location,
        )
        looked = asyncio.run(looking)
    secrets = _in_each_form(tuple(secrets_in([look.check for one in looked for look in one.looks])))
    if config is not None:
        looked = [one for one in looked if one.target.name in plan.shown]
    if as_json:
        say(json.dumps(_document(looked, secrets, transcript=transcript), ensure_ascii=True, indent=2))
    elif looked:
        say("\n".join(_lines(looked, secrets, transcript=transcript)), coloured=is_coloured())
    if not looked:
        click.echo(f"{printable(str(config), 200)} has no target to look at that's enabled", err=True)
    return state_of(looked).exit_status


def _addressed(addresses: Sequence[str], timeout_s: float | None) -> list[Check]:
    if not addresses:
        raise click.UsageError("name at least one ADDRESS, or a configuration with -c FILE")
    checks, problems = [], []
    for text in dict.fromkeys(addresses):
        try:
            checks.append(check_address(parse_address(text, SCHEMES), timeout_s))
        except AddressError as error:
            problems.append(str(error))
    if problems:
        raise click.UsageError("\n       ".join(problems))
    return checks


def _in_each_form(secrets: Sequence[Secret]) -> Sequence[Secret]:
    if not secrets:
        return ()
    from trueup.journeys.hiding import forms_of

    return tuple(forms_of(secrets))


def _document(looked: Sequence[Looked], secrets: Sequence[Secret], *, transcript: bool) -> Any:
    """``secrets`` are what any peer may have been told, and may say; one is blamed in another's summary."""
    shown = []
    for one in looked:
        target = target_document(one.target, one.verdict)
        if transcript:
            target["transcript"] = [line.strip() for line in _transcript(one)]
        shown.append(target | {name: hide_in(target[name], secrets) for name in _SAID if name in target})
    return document(shown, (one.verdict.state for one in looked))


def _lines(looked: Sequence[Looked], secrets: Sequence[Secret], *, transcript: bool) -> Iterator[str]:
    for one in looked:
        name, *lines = verdict_lines(one)
        if transcript:
            lines += _transcript(one)
        yield name  # has its password hidden already; a user or path may be the same word
        yield from (hide(line, secrets) for line in lines)


def _transcript(looked: Looked) -> Iterator[str]:
    """What was said, in the order of looks and steps. A journey knows best what is secret in it."""
    for look in looked.looks:
        yield from transcript_lines(look.transcripts)
    if looked.journey is None:
        return
    for step in looked.journey.steps:
        yield f"  == {step.name}, after {step.began_ms:.1f} ms: {step.outcome} in {step.took_ms:.1f} ms"
        yield from (hide(line, looked.journey.secrets) for line in transcript_lines(step.transcripts))

"""``trueup incidents``: what went wrong, when, and who was told, by a running monitor."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import Any, Final

import click

from trueup.cli.commands import say
from trueup.cli.monitor_api import in_url, monitor_at, with_monitor
from trueup.cli.report import is_coloured, state_word
from trueup.domain.printable import printable
from trueup.domain.states import State

SHOWN: Final = 20


@click.command(epilog="Example: trueup incidents --open --target shop-db")
@click.argument("what", required=False, metavar="[ID|NAME]")
@click.option("--open", "only_open", is_flag=True, help="Only those that are open.")
@click.option("--target", metavar="NAME", help="Only those of one target.")
@click.option(
    "--since", metavar="24h", help="Those that were open then or opened later: a time, or how long ago."
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=SHOWN,
    show_default=True,
    metavar="N",
    help="At most so many.",
)
@with_monitor
@click.option("--json", "as_json", is_flag=True, help="Print the document of the contract.")
def COMMAND(  # noqa: N802 - what a command's file exports
    what: str | None,
    target: str | None,
    since: str | None,
    limit: int,
    url: str,
    *,
    only_open: bool,
    as_json: bool,
) -> int:
    """Show incidents, the newest first: what happened, and who was told.

    ID is the number of one; NAME is a target, as with --target.

    Exit status: 0, 64 for a name that is none, 70 where no monitor is reached.
    """
    number = what if what is not None and what.isdecimal() else None
    if what is not None and number is None:
        target = what
    asked = {
        "target": target,
        "since": since,
        "state": "open" if only_open else None,
        "limit": str(min(limit, 500)),
    }
    query = "&".join(f"{name}={in_url(said)}" for name, said in asked.items() if said is not None)
    api = monitor_at(url)
    if target is not None:
        api.read(f"/api/v1/targets/{in_url(target)}")  # an unknown name says which is meant
    if number is not None:
        found = [api.read(f"/api/v1/incidents/{number}")]
    else:
        found = list(islice(api.pages(f"/api/v1/incidents?{query}", "incidents"), limit))
    said = json.dumps({"incidents": found, "cursor": None}, indent=2) if as_json else "\n".join(_lines(found))
    say(said, coloured=is_coloured())
    return 0


def _lines(incidents: Sequence[dict[str, Any]]) -> Iterator[str]:
    if not incidents:
        yield "No incidents"
    for one in incidents:
        state = State(one["state"]) if one["closed_at"] is None else State.UP
        cause = f"  [{printable(str(one['cause']))}, {printable(str(one['layer']))}]" if one["cause"] else ""
        yield f"{state_word(state)} {one['id']}  {printable(one['target'], 500)}{cause}"
        yield f"         {printable(str(one['summary']), 600)}"
        ended = f", closed {printable(one['closed_at'])}" if one["closed_at"] else ""
        seen = f", acknowledged by {printable(one['acknowledged_by'], 100)}" if one["acknowledged_by"] else ""
        yield f"         opened {printable(one['opened_at'])}{ended}{seen}"
        for what, several in groupby(one["timeline"], key=lambda line: line["what"]):
            yield _line(printable(what, 400), [line["at"] for line in several])
        told: dict[tuple[str, str, str], list[str | None]] = {}
        for row in one["notifications"]:
            told.setdefault((row["channel"], row["event"], row["result"]), []).append(row["sent_at"])
        yield from (_told_line(heard, at) for heard, at in told.items())


def _line(what: str, at: Sequence[str]) -> str:
    """What happened, and where it happened again and again, how often."""
    again = f" ({len(at)} times, last at {printable(at[-1])})" if len(at) > 1 else ""
    return f"  {printable(at[0])}  {what}{again}"


def _told_line(told: tuple[str, str, str], at: Sequence[str | None]) -> str:
    channel, event, result = told
    when = printable(at[-1] or "") or "not sent yet"
    again = f"{len(at)} times, last " if len(at) > 1 else ""
    word = "told  " if at[-1] else "untold"
    return f"  {word} {printable(channel, 200)} {printable(event)} ({again}{when}): {printable(result, 300)}"

"""``trueup explain``: why a verdict is what it is, by a running monitor."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from trueup.cli.commands import say
from trueup.cli.monitor_api import monitor_at, with_monitor
from trueup.cli.report import is_coloured, state_word
from trueup.domain.printable import printable
from trueup.domain.states import State

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_RESULTS: Final = {"speaks": "speaks", "outranked": "also true, outranked"}


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    from trueup.cli.completing import targets

    return targets(ctx, param, incomplete)


@click.command(epilog="Example: trueup explain shop-db")
@click.argument("name", shell_complete=_complete)
@with_monitor
@click.option("--json", "as_json", is_flag=True, help="Print it as the API answers it.")
def COMMAND(name: str, url: str, *, as_json: bool) -> int:  # noqa: N802 - what a command's file exports
    """Say why NAME is what it is: verdict, evidence in order of time, rules, log, and what's missing.

    Exit status: 0, 64 for a name that is none, 70 where no monitor is reached.
    """
    found = monitor_at(url).explained(name)
    said = json.dumps(found, indent=2) if as_json else "\n".join(_lines(found))
    say(said, coloured=is_coloured())
    return 0


def _lines(one: dict[str, Any]) -> Iterator[str]:
    where = f"  [{printable(str(one['cause']))}, {printable(str(one['layer']))}]" if one["cause"] else ""
    yield f"{state_word(State(one['state']))} {printable(one['name'], 500)}{where}"
    yield f"         {printable(one['summary'], 600)}"
    yield f"  since  {printable(str(one['since']))}"
    if one["blame"] and one["blame"] != one["name"]:
        yield f"  blame  {printable(one['blame'], 500)}"
    if one.get("incident") is not None:
        yield f"  open   incident {one['incident']}; see: trueup incidents {one['incident']}"
    for step in one["next"]:
        yield f"  next   {printable(step, 500)}"
    yield from ("", "What happened, in order of time:")
    for event in one["timeline"]:
        yield f"  {printable(event['at'])}  {printable(event['what'], 400)}"
    if one["log"]:
        yield from ("", f"The last that {printable(one['log']['of'])} wrote:")
        for line in one["log"]["lines"]:
            yield f"  {printable(line['at'] or '', 40):24}  {printable(line['text'], 400)}"
    yield from ("", "Rules, in the order in which they're asked:")
    yield from _rules(one["rules"])
    if one["missing"]:
        yield from ("", "What could not be seen:")
        for gap in one["missing"]:
            yield f"  {printable(gap, 400)}"


def _rules(rules: list[dict[str, Any]]) -> Iterator[str]:
    """What those say that found something; of the others, which have nothing to do with it, the names."""
    found = [rule for rule in rules if rule["result"] != "no"]
    for rule in found:
        yield f"  {_RESULTS[rule['result']]:20}  {printable(rule['rule'])}: {printable(rule['says'], 300)}"
        if rule["result"] == "outranked":
            yield f"  {'':20}  it would say: {printable(rule['would_say'], 400)}"
    others = [printable(rule["rule"]) for rule in rules if rule not in found]
    if others:
        yield f"  {'no':20}  {', '.join(others)}"

"""``trueup status``: how things are, by a running monitor."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import click

from trueup.cli.commands import say
from trueup.cli.monitor_api import NotAllowed, Unreachable, monitor_at, with_monitor
from trueup.cli.report import is_coloured, state_word
from trueup.domain.printable import printable
from trueup.domain.states import WORST_FIRST, State, worst

_NAME_CHARS: Final = 30


@click.command(epilog="Example: trueup status --url http://127.0.0.1:8642")
@with_monitor
@click.option("--json", "as_json", is_flag=True, help="Print the document of the contract.")
def COMMAND(url: str, *, as_json: bool) -> int:  # noqa: N802 - what a command's file exports
    """Say how all targets of a running monitor are, the worst first.

    Exit status: 0 up, 1 degraded, 2 down, 3 unknown or no monitor reached, 64 wrong usage.
    """
    try:
        targets = list(monitor_at(url).targets())
    except (Unreachable, NotAllowed) as error:
        error.show()
        return State.UNKNOWN.exit_status
    state = worst(State(one["state"]) for one in targets)
    if as_json:
        say(json.dumps({"schema": 1, "state": state.value, "targets": targets, "cursor": None}, indent=2))
    else:
        say("\n".join(_lines(targets)), coloured=is_coloured())
    return state.exit_status


def _lines(targets: Sequence[dict[str, Any]]) -> Iterator[str]:
    if not targets:
        yield "Nothing is watched yet"
    for one in sorted(targets, key=lambda one: WORST_FIRST.index(State(one["state"]))):
        state = State(one["state"])
        name = printable(one["name"], 200).ljust(_NAME_CHARS)
        incident = f", incident {one['incident']}" if one.get("incident") is not None else ""
        soft = "" if one.get("hard") or state is State.UNKNOWN else ", not confirmed yet"
        yield f"{state_word(state)} {name} since {printable(str(one['since']))}{soft}{incident}"
        if state is not State.UP:
            cause = f" [{printable(str(one['cause']))}]" if one["cause"] else ""
            yield f"         {printable(str(one['summary']), 600)}{cause}"
            for step in one["next"]:
                yield f"  next   {printable(str(step), 500)}"

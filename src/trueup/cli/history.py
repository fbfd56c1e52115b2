"""``trueup history``: how a target was, by a running monitor."""

import json
from collections.abc import Iterator
from typing import Any

import click

from trueup.cli.commands import say
from trueup.cli.monitor_api import in_url, monitor_at, with_monitor
from trueup.cli.report import is_coloured, state_word
from trueup.domain.printable import printable
from trueup.domain.states import State


@click.command(epilog="Example: trueup history shop-db --since 7d --step 1h")
@click.argument("name")
@click.option("--since", metavar="24h", default="24h", show_default=True, help="A time, or how long ago.")
@click.option("--until", metavar="TIME", help="A time, or how long ago; now, if not set.")
@click.option("--step", metavar="5m", help="How much one line sums up; fitting, if not set.")
@with_monitor
@click.option("--json", "as_json", is_flag=True, help="Print the document of the contract.")
def COMMAND(  # noqa: N802 - what a command's file exports
    name: str, since: str, until: str | None, step: str | None, url: str, *, as_json: bool
) -> int:
    """Show how NAME was: the worst state of each step, and how long each layer took.

    Exit status: 0, 64 for a name that is none, 70 where no monitor is reached.
    """
    asked = {"since": since, "until": until, "step": step}
    query = "&".join(f"{word}={in_url(said)}" for word, said in asked.items() if said is not None)
    found = monitor_at(url).read(f"/api/v1/targets/{in_url(name)}/history?{query}")
    said = json.dumps(found, indent=2) if as_json else "\n".join(_lines(found))
    say(said, coloured=is_coloured())
    return 0


def _lines(found: dict[str, Any]) -> Iterator[str]:
    if not found["points"]:
        yield f"Nobody looked at {printable(found['target'], 500)} in that time"
    for point in found["points"]:
        layers = "  ".join(
            f"{printable(layer)} {took['p50_ms']:g} ms, 95% {took['p95_ms']:g}, most {took['max_ms']:g}"
            for layer, took in point["layers"].items()
        )
        yield f"{state_word(State(point['state']))} {printable(point['at'])}  {layers}".rstrip()

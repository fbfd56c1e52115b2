"""``trueup silence``: nobody is alerted about some targets for a while."""

import click

from trueup.cli.monitor_api import monitor_at, with_monitor
from trueup.cli.muted import mute_or_list


@click.command(epilog='Example: trueup silence "shop-*" --for 2h --why "moving the rack"')
@click.argument("what", nargs=-1, metavar="TARGET... | list | end ID")
@click.option("--for", "length", metavar="2h", help="How long.")
@click.option("--until", metavar="TIME", help="Or until when.")
@click.option("--from", "begins", metavar="TIME", help="From when; now, if not set.")
@click.option("--why", metavar="WORDS", help="The reason; it stands in the timelines.")
@with_monitor
@click.option("--json", "as_json", is_flag=True, help="Print it as the API answers it.")
def COMMAND(  # noqa: N802 - what a command's file exports
    what: tuple[str, ...],
    *,
    length: str | None,
    until: str | None,
    begins: str | None,
    why: str | None,
    url: str,
    as_json: bool,
) -> int:
    """Alert nobody about each TARGET, a name, a pattern or tag:NAME, for a while. They're watched on.

    Without a TARGET it lists the silences that haven't ended; "end" and a number ends one. What is still
    broken when a silence ends is told then.
    """
    told = {"for": length, "until": until, "from": begins, "why": why}
    return mute_or_list(monitor_at(url), "silences", what, told, as_json=as_json)

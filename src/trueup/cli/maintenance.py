"""``trueup maintenance``: trouble is expected of some targets, now or later."""

import click

from trueup.cli.monitor_api import monitor_at, with_monitor
from trueup.cli.muted import mute_or_list


@click.command(
    epilog='Example: trueup maintenance tag:data --from 2026-12-01T22:00+01:00 --for 2h --note "new disks"'
)
@click.argument("what", nargs=-1, metavar="TARGET... | list | end ID")
@click.option("--from", "begins", metavar="TIME", help="From when; now, if not set.")
@click.option("--for", "length", metavar="2h", help="How long.")
@click.option("--until", metavar="TIME", help="Or until when.")
@click.option("--note", "--why", metavar="WORDS", help="What people read about it.")
@with_monitor
@click.option("--json", "as_json", is_flag=True, help="Print it as the API answers it.")
def COMMAND(  # noqa: N802 - what a command's file exports
    what: tuple[str, ...],
    *,
    begins: str | None,
    length: str | None,
    until: str | None,
    note: str | None,
    url: str,
    as_json: bool,
) -> int:
    """Plan maintenance of each TARGET, a name, a pattern or tag:NAME: nobody is alerted about it then.

    Without a TARGET it lists what is going on or planned, also by the configuration; "end" and a number
    ends what was planned here.
    """
    told = {"for": length, "until": until, "from": begins, "note": note}
    return mute_or_list(monitor_at(url), "maintenance", what, told, as_json=as_json)

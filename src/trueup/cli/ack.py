"""``trueup ack``: somebody sees to an incident."""

import json
from typing import Any

import click

from trueup.cli.monitor_api import MonitorApi, in_url, monitor_at, whose_word, with_monitor
from trueup.domain.printable import printable


@click.command(epilog='Example: trueup ack shop-db --note "replacing the disk"')
@click.argument("what", metavar="ID|NAME")
@click.option("--note", metavar="WORDS", help="What is known so far; it stands in the timeline.")
@with_monitor
@click.option("--json", "as_json", is_flag=True, help="Print the incident as the API answers it.")
def COMMAND(what: str, note: str | None, url: str, *, as_json: bool) -> int:  # noqa: N802 - what a command's file exports
    """Acknowledge an incident, by its number or by its target: no more reminders, no escalation.

    Its end is told all the same.
    """
    incident = _acknowledge(monitor_at(url), what, note or "")
    if as_json:
        click.echo(json.dumps(incident, indent=2))
    else:
        by = printable(str(incident["acknowledged_by"]), 100)
        click.echo(
            f"Incident {incident['id']} of {printable(incident['target'], 500)} is acknowledged by {by}"
        )
    return 0


def _acknowledge(api: MonitorApi, what: str, note: str) -> dict[str, Any]:
    number = what if what.isdecimal() else _open_incident(api, what)
    found = api.change("POST", f"/api/v1/incidents/{number}/ack", {"note": note, "by": whose_word()})
    if found["closed_at"] is not None and found["acknowledged_by"] is None:
        raise click.UsageError(f"incident {number} is over since {printable(found['closed_at'])}")
    return found


def _open_incident(api: MonitorApi, name: str) -> str:
    api.read(f"/api/v1/targets/{in_url(name)}")  # an unknown name says which is meant
    found = api.read(f"/api/v1/incidents?target={in_url(name)}&state=open")["incidents"]
    if not found:
        raise click.UsageError(f"no incident of {printable(name)} is open")
    return str(found[0]["id"])

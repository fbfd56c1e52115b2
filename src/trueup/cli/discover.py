"""``trueup discover``: what is there to watch, written down."""

import asyncio
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trueup.cli.commands import Failed
from trueup.domain.printable import printable
from trueup.host.paths import is_there

if TYPE_CHECKING:
    from trueup.app.discovering import Discovered
    from trueup.cli.progress import Progress
    from trueup.discovery.places import Host

RATE = 2000.0


@click.command(
    epilog="Example: trueup discover -o trueup.yaml; trueup discover 10.0.0.0/24 --ports 22,5432,6379"
)
@click.argument("hosts", nargs=-1, metavar="[HOST...]")
@click.option("--ports", metavar="PORTS", help="As 22,8000-8100, or all, or usual.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the configuration there. A file that exists is compared with, and not touched.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found, or the comparison, as JSON.")
@click.option("--public", is_flag=True, help="Allow addresses of the internet: look at what is yours only.")
@click.option(
    "--rate",
    type=click.FloatRange(1, 100_000),
    default=RATE,
    show_default=True,
    help="Connections a second to other machines, at most.",
)
def COMMAND(  # noqa: N802 - what a command's file exports
    hosts: tuple[str, ...],
    ports: str | None,
    output: Path | None,
    *,
    as_json: bool,
    public: bool,
    rate: float,
) -> int:
    """Find services, identify them by what answers, and write a configuration.

    Without HOST it looks at this machine: what listens, in which unit or container, nginx's virtual hosts,
    and who keeps connections to whom. A HOST is a name, an address or a range. Of up to 4 hosts all ports are
    tried, of more the usual ones.
    """
    from trueup.cli.progress import Progress
    from trueup.discovery.places import PlaceError, read_hosts, read_ports
    from trueup.host.unreadable import HostUnreadable

    output = None if output == Path("-") else output
    try:
        wanted = read_ports(ports) if ports is not None else None
        places = read_hosts(hosts, public=public)
    except PlaceError as error:
        raise click.UsageError(str(error)) from error
    if hosts and not places:
        raise click.UsageError("the range has no address in it")
    with Progress(sys.stderr) as progress:
        try:
            found = _found(places, wanted, rate, progress)
        except HostUnreadable as error:
            raise Failed(f"this machine's sockets can't be read: {printable(str(error))}") from error
    for gap in found.unreadable:
        click.echo(f"not read: {printable(f'{gap.what}: {gap.why}', 200)}", err=True)
    if output is not None and is_there(output):
        _compare(output, found, places, wanted, as_json=as_json)
        return 0
    if output is not None:
        _write(output, found)
    if as_json:
        from trueup.discovery.writing import service_document

        click.echo(json.dumps({"services": [service_document(one) for one in found.services]}, indent=2))
    elif output is None:
        click.echo(found.text, nl=False)
    return 0


def _found(
    hosts: "Sequence[Host]", ports: Sequence[int] | None, rate: float, progress: "Progress"
) -> "Discovered":
    from trueup.app.discovering import discover_here, discover_hosts, ports_for, sweep_hosts

    if not hosts:
        return asyncio.run(discover_here(ports=ports, progress=progress.of("identified")))
    tried = ports_for(hosts, ports)
    told = progress.of("tried", len(hosts) * len(tried))
    places = sweep_hosts(hosts, tried, rate, progress=told)
    return asyncio.run(discover_hosts(places, hosts, progress=progress.of("identified")))


def _write(path: Path, found: "Discovered") -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(found.text)
    except OSError as error:
        raise Failed(f"can't write {path}: {error.strerror}") from error
    count = len(found.services)
    click.echo(
        f"wrote {count} service{'s' if count != 1 else ''} to {path}; read its comments, "
        f"then: trueup run -c {shlex.quote(str(path))}",
        err=True,
    )


def _compare(
    path: Path, found: "Discovered", hosts: "Sequence[Host]", ports: Sequence[int] | None, *, as_json: bool
) -> None:
    from trueup.app.discovered_before import compare_with, compared_document, compared_lines
    from trueup.app.discovering import ports_for
    from trueup.cli.configured import load_or_say

    tried = ports_for(hosts, ports) if hosts else ports
    compared = compare_with(load_or_say(path), found, hosts, tried)
    if as_json:
        click.echo(json.dumps(compared_document(compared), indent=2))
        return
    for line in compared_lines(compared):
        click.echo(printable(line, 500))
    if compared.is_same:
        click.echo(f"{path} names all that was found")
    click.echo(f"{path} is as it was: what to change is yours to say", err=True)

"""``trueup heartbeats``: where jobs report to."""

import json
from pathlib import Path

import click

from trueup.cli.data_folder import state_in, store_options

_DEFAULT = Path("trueup.yaml")


@click.command(epilog="Example: trueup heartbeats nightly-backup")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    default=_DEFAULT,
    show_default=True,
    help="The monitor's configuration.",
)
@click.option(
    "--url",
    metavar="URL",
    envvar="TRUEUP_URL",
    help="Where jobs reach the monitor; else TRUEUP_URL, else where the configuration lets it listen.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@store_options
def COMMAND(  # noqa: N802 - what a command's file exports
    names: tuple[str, ...],
    config: Path,
    url: str | None,
    data: Path | None,
    store: str | None,
    *,
    as_json: bool,
) -> int:
    """Print the address that each job reports to, or the ones named.

    The data is where the configuration says, unless --data or --store say otherwise.

    A job that calls it reports success; with /start after it, that it began; with /fail or /STATUS, that it
    failed or how it ended. Whoever knows the address may report, and nothing else.
    """
    from trueup.app.beats import address_of
    from trueup.app.own_address import url_of
    from trueup.cli.configured import load_or_say
    from trueup.domain.nearest import nearest
    from trueup.domain.printable import printable
    from trueup.store.state import HEARTBEATS, StateStore

    configuration = load_or_say(config)
    heartbeats, monitor = configuration.heartbeats, configuration.monitor
    for name in names:
        if name not in heartbeats:
            close = nearest(name, heartbeats)
            hint = f"; did you mean {close!r}?" if close else ""
            raise click.UsageError(f"no target {printable(name)!r} has a heartbeat{hint}")
    with state_in(data or monitor.data, store or monitor.store, make=True) as state:
        key = StateStore(state).secret(HEARTBEATS).encode()
    at = (url or url_of(monitor.listen, is_tls=monitor.tls is not None)).rstrip("/")
    shown = {name: at + address_of(name, heartbeats[name], key) for name in names or heartbeats}
    if as_json:
        listed = [{"name": name, "url": address} for name, address in shown.items()]
        click.echo(json.dumps({"heartbeats": listed}, indent=2))
    for name, address in ({} if as_json else shown).items():
        click.echo(f"{name:24}  {address}")
    return 0

"""``trueup backup``: the data in one file."""

from pathlib import Path

import click

from trueup.cli.commands import Failed
from trueup.cli.data_folder import data_option, place_of, require_data
from trueup.host.paths import is_there


@click.command(epilog="Example: trueup backup /srv/backup/trueup.tar")
@click.argument("file", type=click.Path(path_type=Path))
@data_option
def COMMAND(file: Path, data: Path | None) -> int:  # noqa: N802 - what a command's file exports
    """Write states, incidents, users, tokens and history to FILE, whether the monitor runs or not.

    FILE is a tar archive of two SQLite databases, each as it is at one moment, for nobody else to read. A
    store in PostgreSQL is backed up with pg_dump --schema trueup.
    """
    from trueup.domain.size import show_size
    from trueup.store.backups import back_up
    from trueup.store.failure import StoreFailed

    folder, store = place_of(data)
    if store.address is not None:
        raise click.UsageError(f"its data is in {store}: pg_dump --schema trueup backs it up")
    require_data(folder)
    if not is_there(file.parent):
        raise Failed(f"there is no folder {file.parent} for {file.name}; make it first")
    try:
        back_up(folder, file)
    except StoreFailed as error:
        raise Failed(f"{folder} can't be backed up to {file}: {error}") from error
    click.echo(f"{file}: {show_size(file.stat().st_size)}")
    return 0

"""``trueup backup``: the data in one file."""

from pathlib import Path

import click

from trueup.cli.data_folder import data_option, fail, require_data


@click.command(epilog="Example: trueup backup /srv/backup/trueup.tar")
@click.argument("file", type=click.Path(path_type=Path))
@data_option
def COMMAND(file: Path, data: Path) -> int:  # noqa: N802 - what a command's file exports
    """Write states, incidents, users, tokens and history to FILE, whether the monitor runs or not.

    FILE is a tar archive of two SQLite databases, each as it is at one moment, for nobody else to read. A
    store in PostgreSQL is backed up with pg_dump --schema trueup.
    """
    from trueup.domain.size import show_size
    from trueup.store.backups import back_up
    from trueup.store.failure import StoreFailed

    require_data(data)
    try:
        back_up(data, file)
    except StoreFailed as error:
        fail(f"{data} can't be backed up to {file}: {error}")
    click.echo(f"{file}: {show_size(file.stat().st_size)}")
    return 0

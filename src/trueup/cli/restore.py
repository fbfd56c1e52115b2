"""``trueup restore``: what a backup has becomes the data."""

from pathlib import Path

import click

from trueup.cli.commands import Failed
from trueup.cli.data_folder import data_option, place_of


@click.command(epilog="Example: trueup restore /srv/backup/trueup.tar")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@data_option
def COMMAND(file: Path, data: Path | None) -> int:  # noqa: N802 - what a command's file exports
    """Put what FILE has in the place of the data, whether a monitor runs on it or not.

    FILE is what trueup backup wrote, or one of the daily backups in the folder backups of the data. It's
    looked through first. What was there before is kept in a folder of its own, which the command names. A
    monitor that runs begins anew with it, which takes some seconds.
    """
    from trueup.app.clock import SystemClock
    from trueup.store.failure import Reason, StoreFailed
    from trueup.store.handing_over import hand_over
    from trueup.store.restoring import NoBackup, restore

    folder, store = place_of(data)
    if store.address is not None:
        raise click.UsageError(f"its data is in {store}: psql takes back what pg_dump wrote")
    try:
        try:
            kept = restore(file, folder, SystemClock().now())
        except StoreFailed as error:
            if error.reason is not Reason.LOCKED:
                raise
            click.echo("a monitor runs on it, and is asked to take it", err=True)
            kept = hand_over(file, folder)
    except NoBackup as error:
        raise click.UsageError(str(error)) from error
    except StoreFailed as error:
        raise Failed(f"{file} can't be restored to {folder}: {error}") from error
    click.echo(f"{folder} is as in {file}" + (f"; what was there is in {kept}" if kept else ""))
    return 0

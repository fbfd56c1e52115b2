"""``trueup snapshot``: what is, before it changes."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trueup.cli.commands import Failed
from trueup.cli.configured import DEFAULT, InvalidConfigurationError
from trueup.domain.printable import printable
from trueup.host.paths import is_file

if TYPE_CHECKING:
    from trueup.app.snapshots import Subject

_NAMED_MAX = 10


@click.command(epilog="Example: trueup snapshot -o before.json -c trueup.yaml")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write it; an older snapshot there is replaced.",
)
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Whose targets to look at: ./trueup.yaml if it's there, else all that listens.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as well.")
def COMMAND(output: Path, config: Path | None, *, as_json: bool) -> int:  # noqa: N802 - what a command's file exports
    """Write down what is: listeners, units, containers, certificates, and how every target is.

    Take one before a deployment or a reboot; trueup verify --against FILE says afterwards what is missing,
    moved, new, slower or no longer enabled.
    """
    from trueup.host.unreadable import HostUnreadable

    is_file = output != Path("-")
    if is_file:
        _require_no_other_file(output)
    try:
        document = asyncio.run(_take(config or (DEFAULT if DEFAULT.exists() else None)))
    except HostUnreadable as error:
        raise Failed(f"this machine's sockets can't be read: {printable(str(error))}") from error
    text = json.dumps(document, indent=1, ensure_ascii=True) + "\n"
    try:
        if is_file:
            output.write_text(text)
    except OSError as error:
        raise Failed(f"can't write {output}: {error.strerror}") from error
    for gap in document["unreadable"]:
        click.echo(f"not read: {printable('{what}: {why}'.format(**gap), 200)}", err=True)
    if as_json or not is_file:
        click.echo(text, nl=False)
    counts = ", ".join(f"{len(document[name])} {name}" for name in ("listeners", "units", "targets"))
    bad = [one["name"] for one in document["targets"] if one["state"] != "up"]
    more = f" and {len(bad) - _NAMED_MAX} more" if len(bad) > _NAMED_MAX else ""
    told = f"; not up: {', '.join(bad[:_NAMED_MAX])}{more}" if bad else ""
    click.echo(f"wrote {output if is_file else 'it'}: {counts}{told}", err=True)
    return 0


async def _take(config: Path | None) -> dict[str, Any]:
    return await (await subject_of(config)).take()


async def subject_of(config: Path | None) -> "Subject":
    """What to look at: the targets of a configuration, else all that listens.

    Raises:
        InvalidConfigurationError: it doesn't hold.
        HostUnreadable: this machine's sockets can't be read.
    """
    from trueup.app.snapshots import Subject
    from trueup.config import ConfigurationError

    try:
        return Subject.of_file(config) if config is not None else await Subject.of_this_machine()
    except ConfigurationError as error:
        raise InvalidConfigurationError(error) from error


def _require_no_other_file(path: Path) -> None:
    """Raises: click.UsageError: something else than a snapshot is there."""
    from trueup.reports.snapshot import SnapshotError, read_snapshot

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        if is_file(path):
            raise click.UsageError(f"{path} is there, and is no snapshot; name another file") from None
        return
    try:
        if text.strip():
            read_snapshot(text)
    except SnapshotError:
        raise click.UsageError(f"{path} is there, and is no snapshot; name another file") from None

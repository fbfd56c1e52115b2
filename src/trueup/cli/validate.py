"""``trueup validate``: every problem of a configuration at once."""

from pathlib import Path

import click

from trueup.cli.configured import DEFAULT, load_or_say
from trueup.cli.files_named import missing_files


@click.command(epilog="Example: trueup validate -c trueup.yaml")
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    default=DEFAULT,
    show_default=True,
    help="A file, or a folder of files.",
)
def COMMAND(config: Path) -> int:  # noqa: N802 - what a command's file exports
    """Check a configuration: all problems at once, as FILE:LINE: PATH: problem; hint.

    A file for TLS or SSH that isn't on this machine is told as well, and is no problem: the monitor may run
    on another. Exit status: 0 valid, 64 not.
    """
    configuration = load_or_say(config)
    for line in missing_files(configuration):
        click.echo(line, err=True)
    kinds: dict[str, int] = {}
    for target in configuration.targets:
        kinds[target.kind.value] = kinds.get(target.kind.value, 0) + 1
    counted = ", ".join(f"{count} {kind}{'s' if count != 1 else ''}" for kind, count in kinds.items())
    click.echo(f"{config} is valid: {counted or 'no targets'}")
    return 0

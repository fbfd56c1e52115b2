"""``trueup channel``: whether alerts arrive."""

import json
from pathlib import Path

import click

from trueup.cli.commands import FAILED
from trueup.cli.configured import DEFAULT, load_or_say


@click.group(epilog="Example: trueup channel test pager")
def COMMAND() -> None:  # noqa: N802 - what a command's file exports
    """Try the channels by which alerts go out."""


@COMMAND.command("test", epilog="Example: trueup channel test pager -c trueup.yaml")
@click.argument("name")
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    default=DEFAULT,
    show_default=True,
    help="A file, or a folder of files.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def test_channel(name: str, config: Path, *, as_json: bool) -> int:
    """Send a test alert by the channel NAME, and say what the receiver answered.

    It's an event `test` of no incident. It's sent once and at once, and no running monitor is needed.

    Exit status: 0 the receiver has taken it, 70 it hasn't, 64 there's no such channel.
    """
    import asyncio

    from trueup.alerts.attempt import send_test
    from trueup.alerts.sender import Taken
    from trueup.app.clock import SystemClock
    from trueup.domain.nearest import nearest
    from trueup.domain.printable import printable

    channels = load_or_say(config).channels
    channel = channels.get(name)
    if channel is None:
        close = nearest(name, channels)
        hint = f"did you mean {close!r}?" if close else f"there are: {' '.join(channels) or 'none'}"
        raise click.UsageError(f"no channel {printable(name)!r}; {hint}")
    outcome = asyncio.run(send_test(name, channel, SystemClock()))
    is_taken = outcome.taken is Taken.SENT
    if as_json:
        said = {"channel": name, "scheme": channel.scheme, "taken": is_taken, "said": outcome.said}
        click.echo(json.dumps(said))
    elif is_taken:
        click.echo(f"{name} ({channel.scheme}): taken: {outcome.said}")
    else:
        click.echo(f"{name} ({channel.scheme}): not taken: {outcome.said}", err=True)
    return 0 if is_taken else FAILED

"""``trueup agent``: this machine's own word, for a monitor elsewhere."""

import asyncio
import logging
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

import click

from trueup.cli.commands import Failed


@click.command(
    epilog="Example: trueup agent --to https://monitor.example:8642 --token-file /etc/trueup/token"
)
@click.option("--to", required=True, metavar="URL", help="The monitor's address.")
@click.option(
    "--token-file",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Holds the token of: trueup token create --scope agent:HOST. Its own key is kept in FILE.key.",
)
@click.option("--host", metavar="NAME", help="The name of this machine, as in host: of a target.")
@click.option("--unit", "units", multiple=True, metavar="NAME", help="Report this unit too, in any state.")
@click.option("--process", "processes", multiple=True, metavar="NAME", help="Report this process too.")
def COMMAND(  # noqa: N802 - what a command's file exports
    to: str, token_file: Path, host: str | None, units: tuple[str, ...], processes: tuple[str, ...]
) -> int:
    """Report what this machine says of itself: listeners, processes, units, containers, and their logs.

    It only asks, over HTTP or HTTPS; it never listens, and does nothing that it's told.
    """
    import gc

    import uvloop

    from trueup.app.agent import Agent, Duty, NotEnrolled
    from trueup.app.agent_key import BadKey
    from trueup.host.survey import Interests

    parts = urlsplit(to)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.UsageError(f"--to {to!r} is no address of a monitor; write https://HOST:8642")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    named = frozenset(name if "." in name else f"{name}.service" for name in units)
    duty = Duty(to, token_file, host or socket.gethostname(), Interests(named, frozenset(processes)))

    async def report() -> None:
        running = asyncio.ensure_future(Agent(duty).run())
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, running.cancel)
        try:
            await running
        except asyncio.CancelledError:
            return

    gc.freeze()  # what was imported stays, and little of what a report makes is a cycle
    gc.set_threshold(5_000, 10, 10)
    gc.enable()
    try:
        uvloop.run(report())
    except (NotEnrolled, BadKey) as error:
        raise Failed(f"trueup agent can't report: {error}") from error
    return 0

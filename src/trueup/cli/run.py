"""``trueup run``: the monitor."""

from __future__ import annotations

import errno
import logging
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from trueup.cli.commands import Failed

if TYPE_CHECKING:
    from trueup.app.serving import Plan
    from trueup.domain.monitor_settings import Listen

DEFAULT_CONFIG = Path("trueup.yaml")


@click.command(epilog="Example: trueup run -c trueup.yaml --listen 127.0.0.1:8642")
@click.option(
    "-c", "--config", type=click.Path(path_type=Path), metavar="FILE", help="A file, or a folder of files."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder of what it remembers; else the configuration's, else ./trueup-data.",
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Where API and page are; else the configuration's, else 127.0.0.1:8642.",
)
@click.option("--store", metavar="ADDRESS", help='"sqlite", or the address of a PostgreSQL database.')
def COMMAND(config: Path | None, data: Path | None, listen: str | None, store: str | None) -> int:  # noqa: N802 - what a command's file exports
    """Watch, judge, keep, alert and show.

    Without -c it uses ./trueup.yaml, else what trueup discover finds on this machine. A configuration that
    changes is read again, also at SIGHUP; one that doesn't hold changes nothing. SIGHUP also has it show
    its own certificate anew, where that was renewed.
    """
    import gc

    import uvloop

    from trueup.app.reloading import fingerprint
    from trueup.app.serving import Plan, serve
    from trueup.app.this_machine import configuration_of_this_machine
    from trueup.app.watched import Watched, watched_of
    from trueup.app.web_server import CertificateUnusable
    from trueup.cli.configured import load_or_say
    from trueup.cli.data_folder import store_of
    from trueup.domain.monitor_settings import MonitorSettings
    from trueup.host.unreadable import HostUnreadable
    from trueup.store.failure import StoreFailed

    path = config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    # Before it is read: what changes meanwhile is to be seen.
    seen = fingerprint(path) if path is not None else None
    configuration = load_or_say(path) if path is not None else None
    settings = configuration.monitor if configuration is not None else MonitorSettings()
    plan = Plan(
        data or settings.data,
        _listen(listen) if listen is not None else settings.listen,
        store_of(store) if store is not None else settings.store,
        path,
        settings.tls,
        settings.trusted_proxies,
        settings.workers,
        settings.oidc,
        seen,
    )

    def say(words: str) -> None:
        click.echo(f"trueup: {words}", err=True)

    async def find() -> Watched:
        if configuration is not None:
            return watched_of(configuration)
        say("without a configuration, what listens here; to keep it: trueup discover -o trueup.yaml")
        return watched_of(await configuration_of_this_machine(leave_out=frozenset({plan.listen.port})))

    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there's somebody to hear it
    # The configuration stays as long as the process does, and little of what a look makes is a cycle.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    try:
        uvloop.run(serve(find, plan, say))
    except (OSError, StoreFailed, HostUnreadable, CertificateUnusable) as error:
        raise Failed(f"trueup can't run: {_said(error, plan)}") from error
    return 0


def _listen(text: str) -> Listen:
    from trueup.domain.monitor_settings import Listen

    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise click.UsageError(f"--listen {text!r} is no HOST:PORT; write 127.0.0.1:8642")
    return Listen(host.strip("[]"), int(port))


def _said(error: Exception, plan: Plan) -> str:
    from trueup.store.failure import StoreFailed

    port = plan.listen.port
    if isinstance(error, StoreFailed) and plan.store.address is not None:
        return f"the data in {plan.store} can't be used: {error}"
    if isinstance(error, StoreFailed):
        return f"the data in {plan.data} can't be used: {error}; name another folder with --data"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}; name another folder with --data"
    if isinstance(error, socket.gaierror):
        return f"the name {plan.listen.host} has no address here; --listen takes another"
    words = _NOT_LISTENING.get(error.errno or 0) if isinstance(error, OSError) else None
    return words.format(host=plan.listen.host, port=port) if words is not None else str(error)


_NOT_LISTENING: Final = {
    errno.EADDRINUSE: "port {port} is taken; trueup who {port} says by whom, --listen takes another",
    errno.EADDRNOTAVAIL: "{host} is no address of this machine; --listen takes another",
    errno.EACCES: "port {port} needs more rights than this user has; --listen takes another",
}

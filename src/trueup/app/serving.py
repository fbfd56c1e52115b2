"""The monitor and its web side in one process, until it's told to stop."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import uvicorn

from trueup.alerts.attempt import send_test
from trueup.app.accounts import StoredAccounts
from trueup.app.agents_desk import Desk
from trueup.app.beforehand import import_all
from trueup.app.clock import SystemClock
from trueup.app.machines import KnownMachines
from trueup.app.own_address import url_of
from trueup.app.reloading import Fingerprint, Reloader
from trueup.app.reports import Reports
from trueup.app.running import Running
from trueup.app.service_manager import notify
from trueup.app.watched import Watched, watched_of
from trueup.app.watching_host import WatchedHost
from trueup.app.web_server import WebServer, bound, is_own, renew, settings, try_certificate
from trueup.app.workers import Workers
from trueup.domain.monitor_settings import Certificate, Listen, Network, Store
from trueup.domain.oidc import Oidc
from trueup.store.handing_over import is_asked, take
from trueup.store.opening import Stores
from trueup.store.stand_in import open_or_stand_in
from trueup.web.access import Doorman
from trueup.web.api import application

RESTORE_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """Where everything is: its data, its store, its configuration (None without one; ``seen`` is how its
    files were before it was read), and who may ask.
    """

    data: Path
    listen: Listen
    store: Store = field(default_factory=Store)
    config: Path | None = None
    tls: Certificate | None = None
    trusted_proxies: tuple[Network, ...] = ()
    workers: int = 1
    oidc: Oidc | None = None
    seen: Fingerprint | None = None

    @property
    def url(self) -> str:
        """Where people find it."""
        return url_of(self.listen, is_tls=self.tls is not None)


async def serve(
    find_watched: Callable[[], Awaitable[Watched]],
    plan: Plan,
    announce: Callable[[str], None],
) -> None:
    """Watch and serve until SIGTERM or SIGINT; anew where a backup is to take the place of the data.

    Raises:
        OSError: the address is taken or can't be listened on, or the folder can't be made.
        StoreFailed: the state can't be opened, or another monitor runs on this data.
        CertificateUnusable: its own certificate can't be used.
    """
    if plan.tls is not None:
        try_certificate(plan.tls)
    stopped = asyncio.Event()
    watched: Watched | None = None
    while not stopped.is_set():
        with contextlib.closing(bound(plan.listen)) as sock:
            import_all()
            if _is_to_be_restored(plan):
                take(plan.data, SystemClock().now())
            stores = open_or_stand_in(plan.data, plan.store)
            try:
                watched = watched or await find_watched()
                watched = await _serve(watched, plan, stores, sock, announce, stopped=stopped)
            finally:
                stores.close()


def _is_to_be_restored(plan: Plan) -> bool:
    return plan.store.address is None and is_asked(plan.data)


async def _until_restored(plan: Plan) -> None:
    while not _is_to_be_restored(plan):  # noqa: ASYNC110 - another process asks by a file
        await asyncio.sleep(RESTORE_EVERY_S)


async def _serve(
    watched: Watched,
    plan: Plan,
    stores: Stores,
    sock: socket.socket,
    announce: Callable[[str], None],
    *,
    stopped: asyncio.Event,
) -> Watched:
    """One run, until it's ``stopped`` or a backup is to be taken; what it watched in the end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    clock = SystemClock()
    host = WatchedHost(watched.targets, clock)
    reports = Reports(clock)
    data = plan.data if plan.store.address is None else None
    running = Running(
        watched, stores, host, reports, clock=clock, url=plan.url, data=data, workers=_workers(plan)
    )
    desk = Desk(stores.tokens, stores.agents, clock, running.heard)
    accounts = StoredAccounts(stores.tokens, stores.users)
    config = settings(
        application(
            running,
            Doorman(partial(is_own, plan.listen), accounts, plan.trusted_proxies),
            desk=desk,
            machines=KnownMachines(reports),
            trial=partial(send_test, clock=clock),
            oidc=plan.oidc,
            is_discovered=plan.config is None,
        ),
        plan.tls,
    )
    server = WebServer(config)
    served = asyncio.ensure_future(server.serve(sockets=[sock]))
    doing = [
        asyncio.ensure_future(running.watch()),
        asyncio.ensure_future(stopped.wait()),
        asyncio.ensure_future(_until_restored(plan)),
        asyncio.ensure_future(_reload_on(running, plan, config)),
    ]
    count = len(running.targets)
    announce(f"watching {count} target{'s' if count != 1 else ''}; see {plan.url}/")
    set_up_word = stores.users.new_set_up_word()
    if set_up_word is not None:
        announce(f"nobody has an account yet; make the first at {plan.url}/setup with {set_up_word}")
    notify("READY=1")
    try:
        done, _ = await asyncio.wait([served, *doing], return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()
    finally:
        if not _is_to_be_restored(plan):
            notify("STOPPING=1")
        running.events.close()
        server.should_exit = True
        for one in doing:
            one.cancel()
        await asyncio.gather(served, *doing, return_exceptions=True)
        host.close()
    return watched_of(running.configuration) if running.configuration is not None else watched


def _workers(plan: Plan) -> Workers | None:
    """Of one process, the monitor itself looks. What was found without a configuration only it knows."""
    return Workers(plan.workers, plan.config) if plan.workers > 1 and plan.config is not None else None


async def _reload_on(running: Running, plan: Plan, server: uvicorn.Config) -> None:
    """Follow the configuration; a hang-up asks for it, and for a certificate that was renewed."""
    loop = asyncio.get_running_loop()
    if plan.config is None:
        loop.add_signal_handler(signal.SIGHUP, renew, plan.tls, server)
        await loop.create_future()
        return
    reloader = Reloader(
        plan.config, running.replace, running.complain, running=running.configuration, seen=plan.seen
    )

    def hang_up() -> None:
        renew(plan.tls, server)
        reloader.ask()

    loop.add_signal_handler(signal.SIGHUP, hang_up)
    await reloader.run()

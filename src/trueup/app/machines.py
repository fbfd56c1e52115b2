"""Machines as the web shows them: this one, and those whose agents report."""

import asyncio
import os
import socket
import time
from collections.abc import Iterable
from typing import Any, Final

from trueup.app.clock import SystemClock
from trueup.app.listening import Heard, listener_document, who_listens
from trueup.app.reports import Known, Reports
from trueup.host.report import Listener
from trueup.host.unreadable import HostUnreadable
from trueup.web.machines import Machine

KEPT_S: Final = 30.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class KnownMachines:
    """Who listens here is asked for at most twice a minute: each listener is spoken to."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._clock = SystemClock()
        self._here: Machine | None = None
        self._here_s = 0.0
        self._asking = asyncio.Lock()

    async def machines(self) -> list[Machine]:
        async with self._asking:
            if self._here is None or time.monotonic() - self._here_s > KEPT_S:
                self._here, self._here_s = await self._look_here(), time.monotonic()
        others = [self._reported(host, known) for host, known in self._reports.all().items()]
        return [self._here, *(one for one in others if one.host != self._here.host)]

    async def _look_here(self) -> Machine:
        host, now = socket.gethostname(), self._clock.now()
        try:
            heard, gaps = await who_listens(lambda _: True)
        except HostUnreadable as error:
            return Machine(host, is_here=True, taken_at=now, gaps=(str(error),))
        names = _LOOPBACK | {host} | {one.listener.socket.address for one in heard}
        return Machine(
            host,
            is_here=True,
            taken_at=now,
            listeners=_documents(heard),
            names=names,
            own_ports=frozenset(
                one.listener.socket.port for one in heard if one.listener.owner.pid == os.getpid()
            ),
            gaps=[f"{gap.what}: {gap.why}" for gap in gaps],
        )

    def _reported(self, host: str, known: Known) -> Machine:
        speaks = {(look.address, look.port): look.speaks for look in known.looks if look.speaks}

        def heard(one: Listener) -> Heard:
            return Heard(one, speaks.get((one.socket.address, one.socket.port)))

        report = known.report
        return Machine(
            host,
            is_here=False,
            taken_at=known.taken_at,
            is_fresh=self._reports.newest(host) is not None,
            listeners=_documents(map(heard, report.listeners)),
            names=frozenset({host}),
            gaps=[f"{gap.what}: {gap.why}" for gap in report.unreadable],
        )


def _documents(heard: Iterable[Heard]) -> list[dict[str, Any]]:
    return [listener_document(one) for one in heard]

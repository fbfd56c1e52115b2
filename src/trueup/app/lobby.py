"""How many may be connected to the API at once: files that visitors take are lost to looks and alerts."""

import asyncio
import itertools
import resource
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

SHARE: Final = 8
"""One file of so many is for visitors."""
VISITORS_LEAST: Final = 8


def visitors_max() -> int:
    """As many as this process's limit of open files allows."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)  # the engine raises the soft limit to the hard one
    return max(VISITORS_LEAST, files // SHARE)


def lobby(most: int) -> type[asyncio.Protocol]:
    """The protocol of a server where ``most`` are in at once. When one more comes, whoever has been idle for
    longest goes; where nobody is, it's who came.
    """
    turns = itertools.count()  # a clock gives all that come in one round of the loop the same time

    class Visitor(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
            super().connection_made(transport)
            self.heard = next(turns)
            if len(self.connections) > most:
                idle = [one for one in self.connections if isinstance(one, Visitor) and one.is_idle]
                min(idle, key=lambda one: one.heard, default=self).transport.abort()

        def data_received(self, data: bytes) -> None:
            self.heard = next(turns)
            super().data_received(data)

        @property
        def is_idle(self) -> bool:
            """Whether it waits for no answer."""
            cycle: RequestResponseCycle | None = self.cycle
            return cycle is None or cycle.response_complete

    return Visitor

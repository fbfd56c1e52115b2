"""Names to addresses, off the loop, with a cache."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

KEPT_S: Final = 30.0
FAILURE_KEPT_S: Final = 5.0
ENTRIES_MAX: Final = 50_000
THREADS_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class Place:
    """A socket address, or the path of a unix socket. ``text`` is the numeric address for people."""

    family: int
    sockaddr: str | tuple[str, int] | tuple[str, int, int, int]
    text: str


Found = tuple[Place, ...] | BaseException
Reply = Callable[[Found], None]


class Resolver:
    """Looks names up with the system's resolver in threads of its own; asks once for the same name.

    ``addresses_of`` answers at once for numeric addresses and for what is cached.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._numeric: dict[tuple[str, int], tuple[Place, ...]] = {}
        self._kept: dict[tuple[str, int], tuple[float, Found]] = {}
        self._waiting: dict[tuple[str, int], list[Reply]] = {}
        self._threads: ThreadPoolExecutor | None = None

    def close(self) -> None:
        """Let go of the threads; a look-up under way ends by itself."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def forget(self, host: str) -> None:
        """Ask anew next time: a retry varies what it can."""
        for key in [key for key in self._kept if key[0] == host]:
            del self._kept[key]

    def addresses_of(self, host: str, port: int, reply: Reply) -> Found | None:
        """The addresses now, or None and ``reply`` is called later on the loop."""
        key = (host, port)
        numeric = self._numeric.get(key)
        if numeric is not None:
            return numeric
        kept = self._kept.get(key)
        if kept is not None and kept[0] > self._loop.time():
            return kept[1]
        place = numeric_place(host, port)
        if place is not None:
            if len(self._numeric) >= ENTRIES_MAX:
                self._numeric.clear()
            self._numeric[key] = (place,)
            return (place,)
        waiting = self._waiting.setdefault(key, [])
        waiting.append(reply)
        if len(waiting) == 1:
            self._ask(key)
        return None

    def _ask(self, key: tuple[str, int]) -> None:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="resolve")
        job = self._threads.submit(look_up, *key)

        def done() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._keep, key, job.result())

        job.add_done_callback(lambda finished: None if finished.cancelled() else done())

    def _keep(self, key: tuple[str, int], found: Found) -> None:
        kept_s = FAILURE_KEPT_S if isinstance(found, BaseException) else KEPT_S
        if len(self._kept) >= ENTRIES_MAX:
            self._kept.clear()
        self._kept[key] = (self._loop.time() + kept_s, found)
        for reply in self._waiting.pop(key, []):
            reply(found)


def numeric_place(host: str, port: int) -> Place | None:
    """The place of a numeric address, None for a name. A scope as in ``fe80::1%eth0`` is a name's matter."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            packed = socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        text = socket.inet_ntop(family, packed)
        sockaddr = (text, port) if family == socket.AF_INET else (text, port, 0, 0)
        return Place(family, sockaddr, text)
    return None


def look_up(host: str, port: int) -> Found:
    """Ask the system's resolver (in a thread: it blocks). Errors come back as values."""
    if "\0" in host:  # the C library would ask for what stands before it
        return ValueError("a name has no NUL")
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return error
    places: dict[str, Place] = {}
    for family, _, _, _, sockaddr in rows:
        if family in (socket.AF_INET, socket.AF_INET6):
            text = str(sockaddr[0])
            places.setdefault(text, Place(family, sockaddr, text))  # type: ignore[arg-type]  # of these two families
    return tuple(places.values()) or socket.gaierror(socket.EAI_NODATA, "no address")

"""Which TCP ports are open: a connection to each and no more, tens of thousands a second and core.

A loop of its own on a bare epoll. Most ports are closed, and to hear that takes no conversation: the engine,
which keeps a transcript of each, takes twice the processor, and the memory.
"""

import errno
import resource
import select
import socket
from _socket import socket as RawSocket  # noqa: N812 - socket.socket adds Python calls to each of its own
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from trueup.engine.sockets import close_by_reset

TIMEOUT_S: Final = 1.5
"""A lost first packet is sent again after one second (RFC 6298, 2.1)."""

IN_FLIGHT_MAX: Final = 2000
FILES_SPARED: Final = 64
AT_ONCE: Final = 256
"""Begun before we listen again."""

PROGRESS_EVERY_S: Final = 0.5
_POOR_FOR_S: Final = 0.05
_POOR_TIMES_MAX: Final = 100
_POOR: Final = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EAGAIN}
)
"""This machine has no files, memory or ports left for the moment: nothing follows about the other."""
_STREAM: Final = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC

Target = tuple[str, int]
"""A numeric address and a port."""

Progress = Callable[[int, int], None]
"""Called now and then with how many are done, and how many of them are open."""


@dataclass(slots=True)
class Swept:
    """What came of it. ``unknown``: this machine could not try."""

    open: list[Target] = field(default_factory=list)
    refused: int = 0
    silent: int = 0
    unreachable: int = 0
    unknown: int = 0

    @property
    def done(self) -> int:
        return len(self.open) + self.refused + self.silent + self.unreachable + self.unknown


def sweep(
    targets: Iterable[Target],
    *,
    rate: float | None = None,
    timeout_s: float = TIMEOUT_S,
    in_flight_max: int = IN_FLIGHT_MAX,
    progress: Progress | None = None,
) -> Swept:
    """Connect to each of ``targets``, at most ``rate`` a second; it blocks until all are done."""
    return _Sweep(iter(targets), rate, timeout_s, in_flight_max, progress).run()


class _Sweep:
    def __init__(
        self,
        targets: Iterator[Target],
        rate: float | None,
        timeout_s: float,
        in_flight_max: int,
        progress: Progress | None,
    ) -> None:
        self._targets = targets
        self._rate = rate
        self._timeout_s = timeout_s
        self._room = min(in_flight_max, max(8, _file_limit() - FILES_SPARED))
        self._progress = progress
        self._swept = Swept()
        self._epoll = select.epoll()
        self._pending: dict[int, tuple[RawSocket, Target]] = {}
        self._deadlines: deque[tuple[float, int, RawSocket]] = deque()
        self._again: list[Target] = []
        self._exhausted = False
        self._began_s = monotonic()
        self._begun = 0
        self._told_s = self._began_s
        self._poor_until_s = 0.0
        self._poor_times = 0

    def run(self) -> Swept:
        try:
            while not self._exhausted or self._pending or self._again:
                self._begin()
                self._hear()
                self._tell()
        finally:
            for sock, _ in self._pending.values():
                sock.close()
            self._epoll.close()
        return self._swept

    # ---- begin --------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        now_s = monotonic()
        count = min(AT_ONCE, self._room - len(self._pending), self._allowed(now_s))
        if now_s < self._poor_until_s:
            return
        for _ in range(count):
            target = self._again.pop() if self._again else next(self._targets, None)
            if target is None:
                self._exhausted = True
                return
            self._begun += 1
            if not self._connect(target, now_s):
                return

    def _allowed(self, now_s: float) -> int:
        """How many more the rate allows until now."""
        if self._rate is None:
            return AT_ONCE
        return max(0, int((now_s - self._began_s) * self._rate) + 1 - self._begun)

    def _connect(self, target: Target, now_s: float) -> bool:
        """False where this machine can't just now."""
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        try:
            sock = RawSocket(family, _STREAM)
            number = sock.connect_ex(target)
        except OSError as error:
            return self._conclude(target, error.errno or errno.EIO)
        if number == errno.EINPROGRESS:
            self._epoll.register(sock.fileno(), select.EPOLLOUT)
            self._pending[sock.fileno()] = (sock, target)
            self._deadlines.append((now_s + self._timeout_s, sock.fileno(), sock))
            return True
        return self._conclude(target, _ended(sock, target, number))

    # ---- hear ---------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        for fd, _ in self._epoll.poll(self._patience_s(), AT_ONCE * 2):
            sock, target = self._pending.pop(fd)
            number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self._conclude(target, _ended(sock, target, number))
        now_s = monotonic()
        while self._deadlines and self._deadlines[0][0] <= now_s:
            _, fd, sock = self._deadlines.popleft()
            waiting = self._pending.get(fd)
            if waiting is not None and waiting[0] is sock:  # numbers of files are used again
                del self._pending[fd]
                sock.close()
                self._swept.silent += 1

    def _patience_s(self) -> float:
        """Until when nothing but an answer can happen."""
        if self._exhausted and not self._again:
            return 0.02
        full = len(self._pending) >= self._room
        return 0.02 if full or monotonic() < self._poor_until_s else (0.002 if self._rate else 0.0)

    def _conclude(self, target: Target, number: int) -> bool:
        swept = self._swept
        if number == 0:
            swept.open.append(target)
        elif number in (errno.ECONNREFUSED, errno.ECONNRESET):
            swept.refused += 1
        elif number in _POOR and self._poor_times < _POOR_TIMES_MAX:
            self._poor_times += 1
            self._poor_until_s = monotonic() + _POOR_FOR_S
            self._again.append(target)
            self._begun -= 1
            return False
        elif number == errno.ETIMEDOUT:
            swept.silent += 1
        elif number in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EPERM):
            swept.unreachable += 1
        else:
            swept.unknown += 1
            return True
        self._poor_times = 0
        return True

    def _tell(self) -> None:
        if self._progress is not None and monotonic() - self._told_s >= PROGRESS_EVERY_S:
            self._told_s = monotonic()
            self._progress(self._swept.done, len(self._swept.open))


def _ended(sock: RawSocket, target: Target, number: int) -> int:
    """Close it, and give the error number that it comes to."""
    if number:
        sock.close()
        return number
    number = errno.ECONNREFUSED if _is_our_own(sock, target) else 0
    close_by_reset(sock)
    return number


def _is_our_own(sock: RawSocket, target: Target) -> bool:
    """Whether the kernel gave us the very port that we call, so that we met ourselves (RFC 9293, 3.5)."""
    try:
        return bool(sock.getsockname()[:2] == target)
    except OSError:
        return False


def _file_limit() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            return hard if hard != resource.RLIM_INFINITY else 1 << 20
    return soft if soft != resource.RLIM_INFINITY else 1 << 20

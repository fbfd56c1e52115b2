"""Who listens here, with 2,000 listeners: the time and CPU of one listing, beside psutil's."""

import asyncio
import contextlib
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

LISTENERS = 2000
MS_MOST = 300.0
RUNS = 10
PSUTIL = """
import psutil
names = {one.pid: one.name() for one in psutil.process_iter()}
found = [one for one in psutil.net_connections(kind="inet") if one.status == "LISTEN"]
assert len(found) >= %d
"""


def run(scale: float) -> int:
    """1 where it takes longer than it may."""
    with listeners(LISTENERS):
        ours_ms = [_listed_ms() for _ in range(max(3, int(RUNS * scale)))]
        cpu_s = _cpu_s([sys.executable, "-m", "bench.who"])
        peer_s = _cpu_s([sys.executable, "-c", PSUTIL % LISTENERS])
    middle = statistics.median(ours_ms)
    print(f"{LISTENERS} listeners listed with their owners in {middle:.0f} ms (bound {MS_MOST:.0f} ms)")
    print(f"a whole process that lists them once: {cpu_s:.2f} s of CPU, psutil's {peer_s:.2f} s")
    return 0 if middle <= MS_MOST else 1


@contextlib.contextmanager
def listeners(count: int) -> Iterator[None]:
    """As many sockets that listen on the loopback, held by this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 500)), hard))
    with contextlib.ExitStack() as held:
        for _ in range(count):
            held.enter_context(socket.create_server(("127.0.0.1", 0)))
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _listed_ms() -> float:
    began_s = time.perf_counter()
    _list()
    return (time.perf_counter() - began_s) * 1000


def _list() -> None:
    from trueup.app.listening import who_listens

    heard, _ = asyncio.run(who_listens(lambda _: True, ask=False))
    assert len(heard) >= LISTENERS, f"{len(heard)} seen"


def _cpu_s(argv: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    _list()

"""``trueup check`` of a local address from cold, beside a bare interpreter that imports asyncio and ssl."""

import os
import resource
import statistics
import subprocess
import sys
import time

from tests.beds.redis import redis

MOST = 2.0
RUNS = 20

BARE = [sys.executable, "-c", "import asyncio, ssl"]


def run(scale: float) -> int:
    """1 where it takes longer than it may."""
    with redis() as server:
        bare_s, check_s, ratios = side_by_side(server.url, max(5, int(RUNS * scale)))
    wall = statistics.median(check_s) / statistics.median(bare_s)
    ours_ms, bare_ms = statistics.median(check_s) * 1000, statistics.median(bare_s) * 1000
    print(
        f"from cold: trueup check {ours_ms:.0f} ms, a bare interpreter with asyncio and ssl {bare_ms:.0f} ms"
    )
    print(f"           {wall:.2f}x wall, {statistics.median(ratios):.2f}x CPU (bound {MOST}x)")
    return 0 if wall <= MOST else 1


def check(address: str) -> list[str]:
    return [sys.executable, "-m", "trueup", "check", address]


def side_by_side(address: str, runs: int) -> tuple[list[float], list[float], list[float]]:
    """Wall seconds of the bare interpreter and of the check, turn by turn, and the CPU ratio of each pair."""
    bare_s, check_s, ratios = [], [], []
    _run(check(address))
    for _ in range(runs):
        (wall_bare, cpu_bare), (wall_check, cpu_check) = _run(BARE), _run(check(address))
        bare_s.append(wall_bare)
        check_s.append(wall_check)
        ratios.append(cpu_check / cpu_bare)
    return bare_s, check_s, ratios


def _as_installed() -> dict[str, str]:
    """An installed program is compiled once, not each time."""
    return {name: word for name, word in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _run(argv: list[str]) -> tuple[float, float]:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    before_s, cpu_before_s = time.perf_counter(), used.ru_utime + used.ru_stime
    subprocess.run(argv, stdout=subprocess.DEVNULL, check=True, env=_as_installed())
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - before_s, used.ru_utime + used.ru_stime - cpu_before_s

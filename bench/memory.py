"""Memory at N watched targets: ``python -m bench.memory PORT N`` prints MiB before, and once all are seen."""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

import uvloop

from tests.beds.redis import redis
from trueup.app.running import Running
from trueup.app.watched import Watched
from trueup.checks.check import check_address
from trueup.domain.address import parse_address
from trueup.domain.monitor_settings import Store
from trueup.domain.states import State
from trueup.domain.tier import Tier
from trueup.probes.registry import SCHEMES
from trueup.store.opening import open_stores

TARGETS = 10_000
MIB_MOST = 350


def run(scale: float) -> int:
    """1 where it takes more memory than it may."""
    count = max(500, int(TARGETS * scale))
    with redis(address="0.0.0.0") as server:
        argv = [sys.executable, "-m", "bench.memory", str(server.port), str(count)]
        before, after = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    print(f"{after} MiB with {count} targets looked at (bound {MIB_MOST}), {before} MiB before")
    return 0 if int(after) <= MIB_MOST else 1


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def measure(port: int, count: int) -> float:
    """MiB once each of ``count`` targets has a verdict."""
    checks = [
        check_address(
            parse_address(
                f"redis://127.{number // 65536}.{number // 256 % 256}.{number % 256 or 1}:{port}", SCHEMES
            )
        )
        for number in range(1, count + 1)
    ]
    named = {check.target.name: (check,) for check in checks}
    watched = Watched(
        tuple(one[0].target for one in named.values()), named, dict.fromkeys(named, Tier(every_s=60.0))
    )
    with tempfile.TemporaryDirectory() as folder:
        running = Running(watched, open_stores(Path(folder), Store()))
        watching = asyncio.ensure_future(running.watch())
        while any(running.hard_state(name) is State.UNKNOWN for name in named):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.5)
        reached = resident_mib()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return reached


if __name__ == "__main__":
    before = resident_mib()
    after = uvloop.run(measure(int(sys.argv[1]), int(sys.argv[2])))
    print(f"{before:.0f} {after:.0f}")

"""The agent at rest on a machine with 2,000 listeners and 300 processes, beside a psutil loop.

Both see who listens, and of each process that holds a listener what the agent reports of it, and both notice
within a second that one has gone: psutil knows no events, so its loop asks once a second. The agent tells
more: units, containers, vitals, how its listeners answer. What it would be of a loop that asks only as often
as the agent reports, and notices so late, is shown beside it.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.who import LISTENERS, listeners
from tests.cli.monitor import monitor
from tests.cli.test_agent import agent, token_for
from trueup.app.agent import EVERY_S

PROCESSES = 300
SETTLE_S = 140.0
WATCH_S = 120.0
CPU_MOST = 0.005
MIB_MOST = 60
SHARE_MOST = 0.1
NOTICED_WITHIN_S = 1.0
PEER = """
import psutil, time
FACTS = ["pid", "ppid", "name", "status", "create_time", "num_threads", "uids", "username"]
FACTS += ["exe", "cmdline", "num_fds", "memory_info"]
while True:
    found = [one for one in psutil.net_connections(kind="inet") if one.status == "LISTEN"]
    known = [psutil.Process(pid).as_dict(FACTS) for pid in {one.pid for one in found if one.pid}]
    assert len(found) >= %d and known
    time.sleep(%f)
"""
_TICKS = os.sysconf("SC_CLK_TCK")


def run(scale: float) -> int:
    """How many of its three bounds are missed."""
    watch_s = EVERY_S * max(2, round(WATCH_S * scale / EVERY_S))  # whole rounds of both
    with tempfile.TemporaryDirectory() as name, listeners(LISTENERS), _processes():
        folder = Path(name)
        with monitor(folder, "services: {one: 'tcp://127.0.0.1:1'}\n") as ran:
            token = token_for("here", ran.data, folder)
            with agent(ran.url, token, "--host", "here") as ours, _peer() as theirs:
                time.sleep(SETTLE_S)  # it has enrolled, and knows who answers where
                before = _cpu_s(ours.pid), _cpu_s(theirs.pid)
                time.sleep(watch_s)
                mine_s, peer_s = _cpu_s(ours.pid) - before[0], _cpu_s(theirs.pid) - before[1]
                mib = _resident_mib(ours.pid)
    share, of_peer = mine_s / watch_s, mine_s / peer_s
    of_slow_peer = of_peer * EVERY_S / NOTICED_WITHIN_S
    print(f"with {LISTENERS} listeners and {PROCESSES} processes, over {watch_s:.0f} s:")
    print(f"the agent {share:.2%} of a core (bound {CPU_MOST:.1%}), {mib:.0f} MiB (bound {MIB_MOST})")
    print(f"a psutil loop that notices as soon takes {peer_s / watch_s:.1%} of a core:", end=" ")
    print(f"the agent {of_peer:.3f} of it (bound {SHARE_MOST})")
    print(f"of one that asks every {EVERY_S:.0f} s, and so notices later: {of_slow_peer:.2f}")
    return (share > CPU_MOST) + (mib > MIB_MOST) + (of_peer > SHARE_MOST)


@contextlib.contextmanager
def _processes() -> Iterator[None]:
    others = [subprocess.Popen(["sleep", "3600"]) for _ in range(PROCESSES)]
    try:
        yield
    finally:
        for one in others:
            one.kill()
        for one in others:
            one.wait()


@contextlib.contextmanager
def _peer() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", PEER % (LISTENERS, NOTICED_WITHIN_S)])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20

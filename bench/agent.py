"""The agent at rest on a machine of 300 processes, a third of which hold its 2,000 listeners, beside a psutil
loop that tells of them what psutil knows: who listens, their processes, the machine itself.

Both notice within a second that a listener has gone: psutil knows no events, so its loop asks each second.
The agent tells more: queues, units, containers, how its listeners answer. What it would be of a loop that
asks only as often as the agent reports, and so notices late, is shown beside it. The machine is namespaces
of its own: whatever else happens here is nobody's rest.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.cli.monitor import monitor
from tests.cli.test_agent import agent, token_for
from trueup.app.agent import EVERY_S

PROCESSES = 300
HOLDERS = 100
LISTENERS = 2000
SETTLE_S = 160.0
WATCH_S = 300.0
CPU_MOST = 0.005
MIB_MOST = 60
SHARE_MOST = 0.1
NOTICED_WITHIN_S = 1.0
MACHINE = """
import os, select, socket
for number in range(%d):
    if os.fork() == 0:
        count = %d if number < %d else 0
        doors = {one.fileno(): one for one in (socket.create_server(("127.0.0.1", 0)) for _ in range(count))}
        inside = {}
        poll = select.epoll()
        for door in doors:
            poll.register(door, select.EPOLLIN)
        os.write(1, b".")
        while True:
            for number, _ in poll.poll():
                if number in doors:
                    guest, _ = doors[number].accept()
                    inside[guest.fileno()] = guest
                    poll.register(guest, select.EPOLLIN)
                else:
                    inside.pop(number).close()  # whatever it says, or how it goes
os.write(1, b".")
os.waitpid(-1, 0)
"""
PEER = """
import psutil, time
FACTS = ["pid", "ppid", "name", "status", "create_time", "num_threads", "uids", "username"]
FACTS += ["exe", "cmdline", "num_fds", "memory_info"]
while True:
    found = [one for one in psutil.net_connections(kind="inet") if one.status == "LISTEN"]
    known = [psutil.Process(pid).as_dict(FACTS) for pid in {one.pid for one in found if one.pid}]
    vitals = psutil.getloadavg(), psutil.virtual_memory(), psutil.swap_memory(), psutil.boot_time()
    disks = [psutil.disk_usage(one.mountpoint) for one in psutil.disk_partitions()]
    addresses = psutil.net_if_addrs()
    assert len(found) >= %d and len(known) >= %d
    time.sleep(%f)
"""
_TICKS = os.sysconf("SC_CLK_TCK")


def run(scale: float) -> int:
    """How many of its three bounds are missed."""
    alone = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return subprocess.run([*alone, sys.executable, "-m", "bench.agent", str(scale)], check=False).returncode


def _measured(scale: float) -> int:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    watch_s = EVERY_S * max(2, round(WATCH_S * scale / EVERY_S))  # whole rounds of both
    with tempfile.TemporaryDirectory() as name, _machine():
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
def _machine() -> Iterator[None]:
    words = MACHINE % (PROCESSES - 1, LISTENERS // HOLDERS, HOLDERS)
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", words], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert process.stdout is not None
        assert len(process.stdout.read(PROCESSES)) == PROCESSES
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def _peer() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", PEER % (LISTENERS, HOLDERS, NOTICED_WITHIN_S)])
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


if __name__ == "__main__":
    sys.exit(_measured(float(sys.argv[1])))

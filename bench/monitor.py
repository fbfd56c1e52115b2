"""The whole monitor: probes, states, history, metrics.

CPU for each check beside blackbox_exporter's, both as busy as they are with some thousand checks a second.
Then 10,000 targets at 60 s, of which 500 don't answer: what that takes of a core, memory, how late looks are,
how long the configuration takes to load. In a network namespace of its own, whose firewall drops what the 500
are asked.
"""

import http.client
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from bench import blackbox
from bench.checks import cost_us as limits_cost_us
from bench.checks import limit_in, limits_argv
from bench.exchanges import Exchange, farm, said_by
from tests.beds.nginx import nginx
from tests.beds.server import free_port

TARGETS = 10_000
DEAD = 500
EVERY_S = 60
BUSY = 2_000
"""Targets, each looked at once a second."""
BUSY_S = 30.0
CPU_MOST_US = {"tcp": 100.0, "http": 130.0}
"""On a machine whose C client takes ``LIMIT_US`` for a GET; on another, so many times as long as its own."""
LIMIT_US = 33.0
BLACKBOX_SHARE = 0.25
MIB_MOST = 350.0
LAG_MOST_S = 0.25
LOAD_MOST_S = 3.0
WATCH_S = 120.0
_DROP = """
add table inet t
add chain inet t i { type filter hook input priority 0; }
add rule inet t i tcp dport 9 drop
"""
_TICKS = os.sysconf("SC_CLK_TCK")
_CHECKS = re.compile(rb"^trueup_checks_total\{[^}]*\} (\S+)$", re.MULTILINE)
_DOWN = re.compile(rb"^trueup_up\{[^}]*\} 0(?:\.0)?$", re.MULTILINE)
_LAG = re.compile(rb"^trueup_schedule_lag_seconds (\S+)$", re.MULTILINE)


def run(scale: float) -> int:
    """How many bounds are missed."""
    argv = ["unshare", "--net", sys.executable, "-m", "bench.monitor", str(scale)]
    return subprocess.run(argv, check=False).returncode


def _inside(scale: float) -> int:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["nft", _DROP], check=True)
    slowness = _slowness()
    print(f"the C client takes {slowness:.2f} times {LIMIT_US:.0f} µs for a GET here: so are the bounds")
    return sum(_one(scheme, scale, slowness) for scheme in CPU_MOST_US)


def _slowness() -> float:
    """How many times as long as the bounds' machine this one takes for a GET without Python."""
    with tempfile.TemporaryDirectory() as name, nginx("location / { return 200 'ready'; }") as web:
        folder = Path(name)
        limit, asked = limit_in(folder), said_by(Exchange("http", web.url, web.port, 20_000, 0.0))
        request = folder / "request"
        request.write_bytes(asked.request)
        with farm(folder, asked.reply, len(asked.request)) as port:
            argv = limits_argv(limit, request, replace(asked, port=port))
            return statistics.median(limits_cost_us(argv) for _ in range(3)) / LIMIT_US


def _one(scheme: str, scale: float, slowness: float) -> int:
    with tempfile.TemporaryDirectory() as name, ExitStack() as held:
        folder = Path(name)
        web = held.enter_context(nginx("location / { return 200 'ready'; }"))
        real = Exchange("http" if scheme == "http" else "connect", web.url, web.port, 4000, 0.0)
        asked = said_by(real) if scheme == "http" else real
        port = held.enter_context(farm(folder, asked.reply, len(asked.request)))
        most_us = CPU_MOST_US[scheme] * slowness
        return _busy(folder, scheme, port, real, scale, most_us) + _many(folder, scheme, port, scale)


def _busy(folder: Path, scheme: str, port: int, real: Exchange, scale: float, most_us: float) -> int:
    """A check's cost, beside the peer's."""
    file = folder / "busy.yaml"
    file.write_text(_configuration(scheme, port, BUSY, 0, 1))
    with _monitor(file, folder / "busy") as (pid, at):
        _wait_for(lambda: _checks(at) >= 3 * BUSY)
        cost_us, per_s = _cost_us(pid, at, max(5.0, BUSY_S * scale))
    peer_us = _peer_us(real)
    print(f"{scheme}: {cost_us:.0f} µs of CPU a check, all in, at {per_s:.0f} a second", end=" ")
    print(f"(bound {most_us:.0f}), blackbox_exporter {peer_us:.0f} µs:", end=" ")
    print(f"{cost_us / peer_us:.2f} of it (bound {BLACKBOX_SHARE})")
    return sum((cost_us > most_us, cost_us > peer_us * BLACKBOX_SHARE))


def _many(folder: Path, scheme: str, port: int, scale: float) -> int:
    """Memory, lag, and what there is to do for many that are seldom looked at."""
    count = max(1000, int(TARGETS * scale))
    dead = count * DEAD // TARGETS
    file = folder / "many.yaml"
    file.write_text(_configuration(scheme, port, count, dead, EVERY_S))
    load_s = _load_s(file) if scheme == "tcp" else 0.0
    with _monitor(file, folder / "many") as (pid, at):
        _wait_for(lambda: _checks(at) >= count)
        _wait_for(lambda: _down(at) == dead)  # that they break is another matter than that they are broken
        cost_us, per_s = _cost_us(pid, at, max(EVERY_S, WATCH_S * scale))
        lag_s, mib = _lag_s(at), _resident_mib(pid)
    print(
        f"{scheme}: {count} targets, {dead} of them dead: {cost_us * per_s / 1e4:.1f} % of a core, {mib:.0f}",
        end=" ",
    )
    print(f"MiB (bound {MIB_MOST:.0f}), looks late by {lag_s * 1000:.0f} ms at the 99th percentile", end=" ")
    print(f"(bound {LAG_MOST_S * 1000:.0f})")
    if load_s:
        print(f"a configuration of {count} services loads in {load_s:.2f} s (bound {LOAD_MOST_S:.0f})")
    return sum((mib > MIB_MOST, lag_s > LAG_MOST_S, load_s > LOAD_MOST_S))


def _cost_us(pid: int, port: int, for_s: float) -> tuple[float, float]:
    """A check's CPU, and how many there were a second. Asking for the numbers isn't counted."""
    before = _checks(port)
    began_cpu_s = _cpu_s(pid)
    time.sleep(for_s)
    cpu_s = _cpu_s(pid) - began_cpu_s
    done = _checks(port) - before
    return cpu_s / done * 1e6, done / for_s


def _configuration(scheme: str, port: int, count: int, dead: int, every_s: int) -> str:
    path = "/" if scheme == "http" else ""
    alive = [f"  s{number}: {scheme}://127.0.0.1:{port}{path}\n" for number in range(count - dead)]
    gone = [f"  d{number}: {scheme}://127.0.0.1:9{path}\n" for number in range(dead)]
    return f"tiers: {{2: {{every: {every_s}s}}}}\nservices:\n" + "".join(alive + gone)


def _load_s(file: Path) -> float:
    began_s = time.perf_counter()
    subprocess.run([sys.executable, "-m", "trueup", "validate", "-c", file], check=True, capture_output=True)
    return time.perf_counter() - began_s


@contextmanager
def _monitor(file: Path, data: Path) -> Iterator[tuple[int, int]]:
    port = free_port()
    words = ["run", "-c", str(file), "--data", str(data), "--listen", f"127.0.0.1:{port}"]
    with (data.parent / "log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "trueup", *words], stderr=log)
    try:
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()


def _wait_for(seen: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + 300
    while time.monotonic() < ends_s:
        try:
            if seen():
                return
        except OSError:
            pass
        time.sleep(1)
    raise AssertionError("not everything was looked at in time")


def _metrics(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read()
    finally:
        connection.close()


def _checks(port: int) -> float:
    return sum(float(one) for one in _CHECKS.findall(_metrics(port)))


def _down(port: int) -> int:
    return len(_DOWN.findall(_metrics(port)))


def _lag_s(port: int) -> float:
    found = _LAG.search(_metrics(port))
    assert found is not None
    return float(found[1])


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20


def _peer_us(real: Exchange) -> float:
    program = shutil.which("prometheus-blackbox-exporter")
    assert program is not None, "prometheus-blackbox-exporter isn't installed"
    with blackbox.blackbox(program) as (pid, port):
        return blackbox.cost_us(pid, port, real, real.count)


if __name__ == "__main__":
    sys.exit(_inside(float(sys.argv[1])))

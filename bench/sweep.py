"""A sweep with identification, beside nmap's connect scan with version detection, on the same ports.

Real servers on loopback among thousands of closed ports.
"""

import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

from tests.beds.certificates import Authority
from tests.beds.haproxy import haproxy
from tests.beds.memcached import memcached
from tests.beds.mosquitto import mosquitto
from tests.beds.nats import nats
from tests.beds.nginx import nginx
from tests.beds.postgres import postgres
from tests.beds.redis import redis
from tests.beds.slapd import slapd
from tests.beds.sshd import sshd
from tests.beds.vsftpd import vsftpd
from trueup.host.facts import Transport
from trueup.host.sockets import Sockets

CONNECTS_LEAST = 5_000
"""A second and core."""

TIMES_LEAST = 5.0
"""As fast as nmap."""

CLOSED = 20_000
_SWEEP = """
import sys, time
from trueup.discovery.sweep import sweep
first, last = map(int, sys.argv[1:])
began_s = time.process_time()
swept = sweep(("127.0.0.1", port) for port in range(first, last + 1))
assert not swept.unknown
print(swept.done / (time.process_time() - began_s))
"""


@contextmanager
def servers(folder: Path) -> Iterator[list[int]]:
    """Their ports; those whose protocol a stranger can be told by are ten."""
    authority = Authority(folder)
    with ExitStack() as farm:
        web = farm.enter_context(nginx())
        secure = haproxy(f"127.0.0.1:{web.port}", tls=authority.valid("127.0.0.1"))
        beds = (redis(), memcached(), mosquitto(), nats(), slapd(), sshd(), vsftpd(), postgres(), secure)
        yield [web.port, *(farm.enter_context(bed).port for bed in beds)]


def connects() -> float:
    """Connections for each second of one core, to ports that are mostly closed."""
    words = [sys.executable, "-c", _SWEEP, "1", "30000"]
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def closed() -> list[str]:
    """Spans of ports at which nobody listens: whoever else is on this machine isn't measured."""
    taken = sorted({sock.port for sock in Sockets().read(Transport.TCP) if sock.port <= CLOSED})
    edges = [0, *taken, CLOSED + 1]
    return [f"{before + 1}-{after - 1}" for before, after in pairwise(edges) if after - before > 1]


def ours(ports: str) -> tuple[float, set[int]]:
    """Seconds by the wall, and the ports at which somebody was identified."""
    began_s = time.monotonic()
    words = [sys.executable, "-m", "trueup", "discover", "127.0.0.1", "--ports", ports, "--json"]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    told = [one["at"] for one in json.loads(done.stdout)["services"]]
    known = {int(at.rpartition(":")[2].rstrip("/")) for at in told if not at.startswith(("tcp:", "tls:"))}
    return time.monotonic() - began_s, known


def theirs(nmap: str, ports: str) -> tuple[float, set[int]]:
    """The same of nmap; what it only guesses by the port's number isn't identified."""
    began_s = time.monotonic()
    words = [nmap, "-sT", "-sV", "-Pn", "-n", "-p", ports, "-oX", "-", "127.0.0.1"]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    known = re.findall(r'portid="(\d+)".*?<service [^>]*method="probed"', done.stdout)
    return time.monotonic() - began_s, set(map(int, known))


def run(scale: float) -> int:
    """How many bounds were missed."""
    rounds = max(1, round(3 * scale))
    rate = statistics.median(connects() for _ in range(rounds))
    missed = int(rate < CONNECTS_LEAST)
    print(f"sweep: {rate:,.0f} connects a second and core (bound {CONNECTS_LEAST:,})")
    nmap = shutil.which("nmap")
    if nmap is None:
        print("sweep: nmap isn't installed, so there is nothing to compare with")
        return missed
    with tempfile.TemporaryDirectory() as name, servers(Path(name)) as found:
        ports = ",".join([*closed(), *map(str, sorted(found))])
        pairs = [(ours(ports), theirs(nmap, ports)) for _ in range(rounds)]
    times = statistics.median(nmap_s / our_s for (our_s, _), (nmap_s, _) in pairs)
    our_s, nmap_s = (statistics.median(pair[side][0] for pair in pairs) for side in (0, 1))
    told, known = (min(len(pair[side][1] & set(found)) for pair in pairs) for side in (0, 1))
    print(f"       {CLOSED:,} ports, {len(found)} servers: {our_s:.1f} s, {told} identified;")
    print(f"       nmap -sT -sV: {nmap_s:.1f} s, {known} identified;")
    print(f"       {times:.1f} times as fast (bound {TIMES_LEAST:g})")
    return missed + (times < TIMES_LEAST) + (told < known)

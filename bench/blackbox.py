"""What the same checks cost blackbox_exporter, as it must be run: asked over HTTP, once for each check."""

import http.client
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from bench.exchanges import Exchange
from tests.beds.server import LOOPBACK, free_port

MODULES = """
modules:
  connect: {prober: tcp, timeout: 5s}
  ping: &ping
    prober: tcp
    timeout: 5s
    tcp: {query_response: [{send: PING}, {expect: "^\\\\+PONG"}]}
  redis: *ping
  http: {prober: http, timeout: 5s}
  https: {prober: http, timeout: 5s, http: {tls_config: {insecure_skip_verify: true}}}
"""
TICKS = 100


@contextmanager
def blackbox(program: str) -> Iterator[tuple[int, int]]:
    """A running exporter: its pid and port."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "blackbox.yml"
        config.write_text(MODULES)
        argv = [
            program,
            f"--config.file={config}",
            f"--web.listen-address={LOOPBACK}:{port}",
            "--log.level=error",
        ]
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield process.pid, port
        finally:
            process.terminate()
            process.wait(10)


def cost_us(pid: int, port: int, exchange: Exchange, count: int) -> float:
    """CPU of the exporter per check, in µs."""
    place = f"{LOOPBACK}:{exchange.real_port or exchange.port}"
    target = f"{exchange.name}://{place}" if exchange.name.startswith("http") else place
    path = f"/probe?module={exchange.name}&target={quote(target, safe='')}"
    before = _cpu_s(pid)
    threads = [threading.Thread(target=_ask, args=(port, path, count // 4)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (_cpu_s(pid) - before) / (count // 4 * 4) * 1e6


def _ask(port: int, path: str, count: int) -> None:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    for _ in range(count):
        connection.request("GET", path)
        body = connection.getresponse().read()
        assert b"probe_success 1" in body, body.decode()
    connection.close()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _wait_for(port: int) -> None:
    until_s = time.monotonic() + 10
    while True:
        try:
            connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1)
            connection.request("GET", "/-/healthy")
            connection.getresponse().read()
        except OSError:
            assert time.monotonic() < until_s, "blackbox_exporter doesn't answer"
            time.sleep(0.05)
        else:
            return

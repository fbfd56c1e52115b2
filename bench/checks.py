"""CPU per check, beside a C client of the same exchange (the limit) and blackbox_exporter."""

import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import blackbox
from bench.exchanges import Exchange, exchanges

BLACKBOX_SHARE = 1 / 6
IN_FLIGHT = 100
COUNT = 20_000
ROUNDS = 5


def run(scale: float) -> int:
    """How many exchanges are out of bounds; ``scale`` 1.0 is the full measurement."""
    with tempfile.TemporaryDirectory() as folder:
        return _checks(Path(folder), max(2000, int(COUNT * scale)), max(3, int(ROUNDS * scale)))


def _checks(folder: Path, count: int, rounds: int) -> int:
    limit = limit_in(folder)
    peer = shutil.which("prometheus-blackbox-exporter")
    print(f"CPU per check in µs, median of {rounds} rounds in turns, {IN_FLIGHT} in flight, loopback")
    print(f"{'':10}{'trueup':>9}{'C epoll':>9}{'ratio':>8}{'bound':>8}{'blackbox':>10}{'share':>8}")
    missed = 0
    for exchange in exchanges(folder, count):
        request = folder / f"{exchange.name}.request"
        request.write_bytes(exchange.request)
        missed += _one(limit, request, exchange, peer, rounds)
    return missed


def _one(limit: Path, request: Path, exchange: Exchange, peer: str | None, rounds: int) -> int:
    theirs = limits_argv(limit, request, exchange)
    words = [exchange.address, str(exchange.count), str(IN_FLIGHT)]
    words += ["--ca", exchange.ca] if exchange.ca else []
    words += ["--says", exchange.says] if exchange.says else []
    ours = [sys.executable, "-m", "bench.ours", *words]
    pairs = [(cost_us(ours), cost_us(theirs)) for _ in range(rounds)]
    ratio = statistics.median(mine / least for mine, least in pairs)
    mine, least = (statistics.median(column) for column in zip(*pairs, strict=True))
    ok = ratio <= exchange.most
    line = f"{exchange.name:10}{mine:9.1f}{least:9.1f}{ratio:7.2f}x{exchange.most:7.1f}x"
    if peer is not None and exchange.name != "postgres":
        with blackbox.blackbox(peer) as (pid, port):
            other = blackbox.cost_us(pid, port, exchange, max(400, exchange.count // 10))
        share_ok = not exchange.is_like_for_like or mine / other <= BLACKBOX_SHARE
        ok = ok and share_ok
        line += f"{other:10.0f}{mine / other:8.2f}"
    print(line + ("" if ok else "   OUT OF BOUNDS"), flush=True)
    return 0 if ok else 1


def limit_in(folder: Path) -> Path:
    """The C client, compiled."""
    limit, source = folder / "limit", Path(__file__).with_name("limit.c")
    subprocess.run(["gcc", "-O2", "-Wall", "-o", limit, source, "-lssl", "-lcrypto"], check=True)
    return limit


def limits_argv(limit: Path, request: Path, exchange: Exchange) -> list[str]:
    """Its command for an exchange whose request is in that file."""
    kind = "tls" if exchange.ca else "plain"
    base = [str(limit), kind, "127.0.0.1", str(exchange.port), str(exchange.count), str(IN_FLIGHT)]
    return [*base, str(request), str(exchange.reply_bytes)] if exchange.request else base


def cost_us(argv: list[str]) -> float:
    """What such a command prints: the CPU of each exchange in µs. All of them must have been good."""
    cost, failures = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()
    assert failures == "0", f"{failures} of the exchanges failed: {argv}"
    return float(cost)

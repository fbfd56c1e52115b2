"""Without a name server: whose name can't be looked up is unknown, and all others are watched as ever."""

import contextlib
import os
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.capabilities import require_capability
from tests.beds.unbound import unbound
from tests.crash.crowd import Crowd, crowd
from tests.crash.victim import TARGET, Victim, victim
from trueup.engine.resolve import KEPT_S

LONG = bool(os.environ.get("TRUEUP_CRASHES"))
NAMED, OTHERS = 20, 10
LOOKS = 10 if LONG else 5
"""So many of each, once a second, have a minute."""


@contextlib.contextmanager
def dead(address: str, how: str) -> Iterator[None]:
    """A name server that isn't there, or never answers."""
    with contextlib.ExitStack() as stack:
        if how == "silent":
            port = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            port.bind((address, 53))
        yield


@contextlib.contextmanager
def alive(address: str, named: Crowd) -> Iterator[None]:
    lines = [f'    local-data: "n{n}.crowd.test. A {one}"' for n, one in enumerate(named.addresses)]
    lines += ['    local-data: "hook.crowd.test. A 127.0.0.1"']
    zone = '    local-zone: "crowd.test." static'
    with unbound("\n".join(["server:", zone, *lines]), address=address, port=53):
        yield


@contextlib.contextmanager
def asking(folder: Path, address: str) -> Iterator[Victim]:
    """A monitor that asks this name server, and tells a second channel by its name."""
    require_capability("overlay")
    (folder / "resolv.conf").write_text(f"nameserver {address}\noptions timeout:1 attempts:2\n")
    with victim(folder) as monitor:
        script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        monitor.prefix = ("unshare", "--mount", "sh", "-c", script, str(folder / "resolv.conf"))
        port = monitor.receiver.server.server_port
        monitor.channels = {"named": f"http://hook.crowd.test:{port}/"}
        yield monitor


def has_looked(monitor: Victim, others: Crowd) -> None:
    """Everybody else is asked as often as ever."""
    since_s = time.monotonic()
    monitor.until(
        lambda: all(others.asked_since(since_s)[one] >= LOOKS for one in others.addresses), "looking"
    )


def are_unknown(monitor: Victim, names: dict[str, str]) -> bool:
    shown = {one["name"]: one for one in monitor.api.json("/api/v1/targets")["targets"]}
    return {(shown[one]["state"], shown[one]["cause"]) for one in names} == {("unknown", "monitor-offline")}


@pytest.mark.parametrize("how", ["gone", "silent"])
def test_a_name_server_that_is_dead_and_comes_back(tmp_path: Path, how: str) -> None:
    address = f"127.{random.randint(64, 250)}.{random.randint(0, 250)}.{random.randint(1, 250)}"
    with asking(tmp_path, address) as monitor, crowd(NAMED) as named, crowd(OTHERS, "127.78") as others:
        names = {f"named-{n}": f"tcp://n{n}.crowd.test:{named.port}" for n in range(NAMED)}
        monitor.others = names | others.targets("well")
        monitor.configure()
        with dead(address, how):
            monitor.start()
            monitor.until(lambda: monitor.are_up(TARGET, *others.targets("well")), "up")
            monitor.until(lambda: are_unknown(monitor, names), "unknown")
            monitor.service.stop()
            monitor.until(lambda: monitor.told_of(TARGET) == ["opened"], "told that it's down")
            has_looked(monitor, others)
        with alive(address, named):
            monitor.until(lambda: monitor.are_up(*names), "up by their names")
            monitor.until(monitor.has_told_all, "told by the channel that has a name")
            monitor.service.listen()
            monitor.until(lambda: monitor.told_of(TARGET) == ["opened", "closed"], "told that it's up")
        if LONG:
            with dead(address, how):
                time.sleep(KEPT_S)
                monitor.until(lambda: are_unknown(monitor, names), "unknown again")
                has_looked(monitor, others)
        assert {one["target"] for one in monitor.receiver.came} == {TARGET}
        assert {one["target"] for one in monitor.incidents()} == {TARGET}

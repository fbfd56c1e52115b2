"""Hundreds die at once, in silence: none is forgotten, people aren't flooded, and the others don't wait."""

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.beds.firewall import Firewall
from tests.beds.namespaces import Namespace, network
from tests.crash.crowd import Crowd
from tests.crash.victim import Receiver, victim

LONG = bool(os.environ.get("TRUEUP_CRASHES"))
DYING = 500 if LONG else 80
HEALTHY = 20
LOOKS = 10
"""So many of each healthy one, once a second, have a minute."""
TIERS = (
    "{1: {every: 1s, confirm: {failures: 2, apart: 200ms}, recover: 2},"
    " 2: {every: 3s, confirm: {failures: 2, apart: 500ms}, recover: 2}}"
)
LAG_MOST_S = 0.25
NETWORK = "10.99"


@contextlib.contextmanager
def far_away(there: Namespace, here: Namespace, first: int, number: int) -> Iterator[Crowd]:
    """A crowd on the other machine, which has all addresses of the network for its own."""
    there.run("ip", "route", "replace", "local", f"{NETWORK}.0.0/16", "dev", "lo")
    here.run("ip", "route", "replace", f"{NETWORK}.0.0/16", "via", there.ipv4)
    made = Crowd([f"{NETWORK}.{first + n // 250}.{n % 250 + 1}" for n in range(number)])
    with there.enter():
        made.listen()
    try:
        yield made
    finally:
        made.stop()


@contextlib.contextmanager
def people() -> Iterator[Receiver]:
    """Who reads: a channel of ntfy's kind."""
    receiver = Receiver()
    threading.Thread(target=receiver.server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()


def test_many_die_at_once_and_come_back(tmp_path: Path) -> None:
    with (
        network("here", "there") as (here, there),
        far_away(there, here, 0, DYING) as dying,
        far_away(there, here, 100, HEALTHY) as healthy,
        here.enter(),
        people() as readers,
        victim(tmp_path) as monitor,
    ):
        names = dying.targets("dying")
        monitor.prefix = here.prefix
        monitor.tiers = TIERS
        monitor.others = {name: {"at": at, "timeout": "1s"} for name, at in names.items()}
        monitor.others |= {name: {"at": at, "tier": 1} for name, at in healthy.targets("healthy").items()}
        monitor.channels = {"people": f"ntfy://127.0.0.1:{readers.server.server_port}/ops"}
        monitor.configure()
        monitor.start()
        monitor.until(lambda: monitor.are_up(*monitor.others), "up")
        since_s = time.monotonic()
        with Firewall(there).drop(dying.port):
            monitor.until(lambda: all(monitor.told_of(one) == ["opened"] for one in names), "told of all")
            looked = healthy.asked_since
            monitor.until(lambda: all(looked(since_s)[one] >= LOOKS for one in healthy.addresses), "looking")
            monitor.until(lambda: set(names) <= read_of(readers), "read of all")
            assert len(readers.came) < DYING / 3
            if LONG:
                assert lag_s(monitor.api.get("/metrics")[1].decode()) < LAG_MOST_S
        monitor.until(
            lambda: all(monitor.told_of(one)[1:] == ["closed"] for one in names), "told of all ends"
        )
        monitor.until(monitor.has_told_all, "written down")
        assert monitor.receiver.repeats() == []
        assert {one["target"] for one in monitor.receiver.came} == set(names)


def read_of(readers: Receiver) -> set[str]:
    return set(
        re.findall(r"\bdying-\d+", " ".join(f"{one['title']} {one['message']}" for one in readers.came))
    )


def lag_s(metrics: str) -> float:
    found = re.search(r"^trueup_schedule_lag_seconds (\S+)$", metrics, re.MULTILINE)
    assert found is not None
    return float(found[1])

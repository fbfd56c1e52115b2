"""Whenever it's killed, no incident and no notification is lost, and none is told twice as another.

A few kills by default; all of them with ``make crash``, which sets ``TRUEUP_CRASHES`` to their number.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.crash.victim import Victim, events_of, victim
from trueup.domain.monitor_settings import Store
from trueup.domain.sample import Sample
from trueup.domain.states import State
from trueup.store.damage import damage_of
from trueup.store.failpoint import POINTS
from trueup.store.opening import open_stores

KILLS = int(os.environ.get("TRUEUP_CRASHES", "0"))
IN_SHORT = {("in-transaction", "opened"), ("after-answer", "closed")}
OF_AN_OUTAGE = tuple(point for point in POINTS if point not in ("in-packing", "in-checkpoint"))
HOUR = datetime(2026, 11, 21, 10, tzinfo=UTC)
CASES = [
    (point, event)
    for point in OF_AN_OUTAGE
    for event in ("opened", "closed")
    if KILLS or (point, event) in IN_SHORT
]


@pytest.fixture
def monitor(tmp_path: Path) -> Iterator[Victim]:
    with victim(tmp_path) as made:
        yield made


def outage_is_whole(monitor: Victim, count: int = 1) -> None:
    """As many incidents as outages, each opened and closed, told once each, and all of it written down."""
    incidents = monitor.incidents()
    assert len(incidents) == count
    for incident in incidents:
        assert incident["closed_at"] is not None
        assert monitor.receiver.told(incident["id"]) == ["opened", "closed"]
        assert events_of(incident) == ["opened", "closed"]
    assert {event["incident"] for event in monitor.receiver.came} == {one["id"] for one in incidents}


@pytest.mark.parametrize(("point", "event"), CASES)
def test_killed_at_a_named_point_of_an_outage(monitor: Victim, point: str, event: str) -> None:
    monitor.start()
    monitor.until(monitor.is_up, "up")
    if event == "closed":
        monitor.service.stop()
        monitor.until(monitor.has_told("opened"), "told that it's down")
    monitor.kill()
    if event == "opened":
        monitor.service.stop()
    else:
        monitor.service.listen()
    monitor.start(point)
    if point == "in-reload":
        monitor.until(lambda: bool(monitor.incidents()), "going on with its incidents")
        monitor.configure("changed")
    monitor.died()
    monitor.start()
    if event == "opened":
        monitor.until(monitor.has_told("opened"), "told that it's down")
        monitor.service.listen()
    monitor.until(monitor.has_told("opened", "closed"), "told that it's up")
    outage_is_whole(monitor)
    if point != "after-answer":
        assert monitor.receiver.repeats() == []


def test_killed_while_it_sends(monitor: Victim) -> None:
    monitor.start()
    monitor.until(monitor.is_up, "up")
    monitor.receiver.kills = monitor.kill
    monitor.service.stop()
    monitor.died()
    monitor.start()
    monitor.until(monitor.has_told("opened"), "told that it's down")
    monitor.service.listen()
    monitor.until(monitor.has_told("opened", "closed"), "told that it's up")
    outage_is_whole(monitor)
    assert len(monitor.receiver.repeats()) == 1, (
        "nobody knows whether it arrived: it's sent again, as the same"
    )


def test_killed_while_it_packs_an_hour(tmp_path: Path) -> None:
    stores = open_stores(tmp_path, Store())
    stores.history.add(Sample("db", HOUR + timedelta(minutes=n), State.UP) for n in range(60))
    before = stores.history.points("db", HOUR, HOUR + timedelta(hours=1), 60)
    stores.close()
    program = (
        "import datetime, pathlib, sys\n"
        "from trueup.domain.monitor_settings import Store\n"
        "from trueup.store.opening import open_stores\n"
        "open_stores(pathlib.Path(sys.argv[1]), Store()).history.pack(datetime.datetime.now(datetime.UTC))\n"
    )
    env = {**os.environ, "TRUEUP_FAILPOINT": "in-packing"}
    done = subprocess.run([sys.executable, "-c", program, tmp_path], env=env, check=False)
    assert done.returncode == -signal.SIGKILL
    stores = open_stores(tmp_path, Store())
    assert stores.history.points("db", HOUR, HOUR + timedelta(hours=1), 60) == before
    assert stores.history.pack(HOUR + timedelta(hours=2)) == 1
    stores.close()


def checkpoints(folder: Path, failpoint: str = "") -> "subprocess.Popen[str]":
    """A process that stores one incident after another, says the number of each, and has checkpoints."""
    program = (
        "import datetime, itertools, pathlib, sys\n"
        "from trueup.domain.incident import Incident\n"
        "from trueup.domain.monitor_settings import Store\n"
        "from trueup.domain.states import State\n"
        "from trueup.store.opening import open_stores\n"
        "from trueup.store.state import Batch\n"
        "state = open_stores(pathlib.Path(sys.argv[1]), Store()).state\n"
        "now = datetime.datetime.now(datetime.UTC)\n"
        "for n in itertools.count(state.load().last_incident_id + 1):\n"
        "    state.record(Batch(incidents=(Incident(n, 'db', 1, State.DOWN, 'x' * 9000, now),)))\n"
        "    print(n, flush=True)\n"
        "    if n % 5 == 0: state.checkpoint()\n"
    )
    env = {**os.environ, "TRUEUP_FAILPOINT": failpoint}
    command = [sys.executable, "-c", program, str(folder)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def all_are_there(folder: Path, stored: int) -> None:
    """What it said that it stored; the file was sound before anybody could have mended it."""
    assert damage_of(folder / "state.db") is None
    stores = open_stores(folder, Store())
    assert [one.incident.id for one in stores.state.load().incidents][:stored] == [*range(1, stored + 1)]
    stores.close()


def test_killed_in_a_checkpoint(tmp_path: Path) -> None:
    with checkpoints(tmp_path, "in-checkpoint:3") as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert said.split()[-1] == "15"
    assert (tmp_path / "state.db-wal").stat().st_size > 0
    all_are_there(tmp_path, 15)


def test_killed_at_random_times_of_checkpoints(tmp_path: Path) -> None:
    chance = random.Random(20261130)
    stored = 0
    for _ in range(max(3, KILLS * 3 // 5)):
        with checkpoints(tmp_path) as process:
            assert process.stdout is not None
            stored = int(process.stdout.readline())
            time.sleep(chance.uniform(0, 0.2))
            process.kill()
            said = process.stdout.read().splitlines(keepends=True)
        stored = max([stored, *(int(line) for line in said if line.endswith("\n"))])
        all_are_there(tmp_path, stored)


def test_killed_at_random_times_of_outages(monitor: Victim) -> None:
    """Half of the kills come on the way down, half on the way up."""
    chance = random.Random(20261130)
    rounds = max(1, KILLS // 2)
    monitor.start()
    monitor.until(monitor.is_up, "up")
    for number in range(1, rounds + 1):
        monitor.service.stop()
        time.sleep(chance.uniform(0, 2.5))
        monitor.kill()
        monitor.start()
        monitor.until(lambda number=number: len(monitor.incidents()) == number, "an incident")  # type: ignore[misc]
        monitor.until(monitor.has_told("opened"), "told that it's down")
        monitor.service.listen()
        time.sleep(chance.uniform(0, 2.5))
        monitor.kill()
        monitor.start()
        monitor.until(monitor.has_told("opened", "closed"), "told that it's up")
        monitor.until(monitor.is_up, "up")
    outage_is_whole(monitor, rounds)

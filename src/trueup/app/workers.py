"""Processes that look, so that looks, the store and the API don't wait for each other.

Each reads the configuration itself: no secret goes over a pipe. They are asked for a target by its name, in
a line of JSON, and answer with observations; they judge nothing. One that dies takes nobody with it: what it
was looking at is unknown, and another takes its place.
"""

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from trueup.app.observation_json import observation_from
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome

AGAIN_AFTER_S: Final = 1.0
STARTS_WITHIN_S: Final = 10.0
LINE_BYTES_MAX: Final = 16 * 2**20
_LOG = logging.getLogger("trueup")


@dataclass(slots=True)
class _Worker:
    process: asyncio.subprocess.Process | None = None
    started: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: dict[int, asyncio.Future[tuple[Observation, ...]]] = field(default_factory=dict)


class Workers:
    """``number`` processes that look by the configuration at ``config``. ``run`` keeps them going."""

    def __init__(self, number: int, config: Path) -> None:
        self._config = config
        self._workers = [_Worker() for _ in range(number)]
        self._ids = count(1)

    async def run(self) -> None:
        """Start them, and each anew when it has ended, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for worker in self._workers:
                tasks.create_task(self._keep(worker))

    def reload(self) -> None:
        """The configuration holds, and is another now."""
        for worker in self._workers:
            self._send(worker, {"reload": True})

    async def look(self, name: str, *, anew: bool) -> tuple[Observation, ...]:
        """What one look at a target brings. A target is always looked at by the same worker."""
        worker = self._workers[crc32(name.encode()) % len(self._workers)]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STARTS_WITHIN_S):
                await worker.started.wait()
        number = next(self._ids)
        answer: asyncio.Future[tuple[Observation, ...]] = asyncio.get_running_loop().create_future()
        worker.waiting[number] = answer
        if not self._send(worker, {"id": number, "target": name, "anew": anew}):
            del worker.waiting[number]
            return (_nobody_looked("no process is there to look"),)
        try:
            return await answer
        finally:
            worker.waiting.pop(number, None)

    def pids(self) -> Iterable[int]:
        """Of those that run."""
        return [one.process.pid for one in self._workers if one.process is not None]

    async def _keep(self, worker: _Worker) -> None:
        while True:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "trueup.app.worker", str(self._config)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=LINE_BYTES_MAX,
            )
            worker.process = process
            worker.started.set()
            try:
                await _hear(worker, process)
            finally:
                worker.process = None
                worker.started.clear()
                _end(process)
                _give_up(worker)
            _LOG.error("a process that looks has ended; another takes its place")
            await asyncio.sleep(AGAIN_AFTER_S)

    def _send(self, worker: _Worker, what: dict[str, Any]) -> bool:
        process = worker.process
        if process is None or process.stdin is None or process.stdin.is_closing():
            return False
        process.stdin.write(json.dumps(what).encode() + b"\n")
        return True


async def _hear(worker: _Worker, process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        said = json.loads(line)
        answer = worker.waiting.get(said["id"])
        if answer is not None and not answer.done():
            answer.set_result(tuple(map(observation_from, said["observations"])))


def _end(process: asyncio.subprocess.Process) -> None:
    """By the end of what it reads; killed if it has stopped reading."""
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is None:
        process.terminate()


def _give_up(worker: _Worker) -> None:
    waiting, worker.waiting = worker.waiting, {}
    for answer in waiting.values():
        if not answer.done():
            answer.set_result((_nobody_looked("the process that looked has ended"),))


def _nobody_looked(why: str) -> Observation:
    return Observation(Layer.PORT, Outcome.UNKNOWN, datetime.now(UTC), Cause.MONITOR_STARVED, why)

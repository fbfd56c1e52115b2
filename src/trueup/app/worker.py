"""One process that looks: ``python -m trueup.app.worker CONFIG``, started by the monitor alone."""

import asyncio
import gc
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

from trueup.app.beforehand import import_all
from trueup.app.clock import SystemClock
from trueup.app.looking import observed
from trueup.app.watched import Watched, watched_of
from trueup.config import ConfigurationError, load
from trueup.diagnosis.document import observation_document
from trueup.domain.target import Target
from trueup.engine.engine import Engine

WRONG_CONFIGURATION: Final = 64
_LOG = logging.getLogger("trueup")


class Worker:
    """Answers what is asked on standard input, line by line, on standard output."""

    def __init__(self, config: Path, engine: Engine) -> None:
        self._config, self._engine = config, engine
        self._clock = SystemClock()
        self._use(watched_of(load(config, os.environ)))

    def _use(self, watched: Watched) -> None:
        self._watched = watched
        self._targets: dict[str, Target] = {target.name: target for target in watched.targets}

    async def answer(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to one question; None to what is none."""
        if "reload" in asked:
            await self._reload()
            return None
        target = self._targets.get(asked["target"])
        seen = (
            await observed(self._engine, self._watched, target, self._clock, anew=asked["anew"])
            if target is not None
            else ()
        )
        return {"id": asked["id"], "observations": [observation_document(one) for one in seen]}

    async def _reload(self) -> None:
        try:
            self._use(watched_of(await asyncio.to_thread(load, self._config, os.environ)))
        except ConfigurationError:
            _LOG.warning("a process that looks keeps its configuration: the newest doesn't hold")


async def _work(config: Path) -> None:
    loop = asyncio.get_running_loop()
    asked = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
    async with Engine() as engine:
        worker = Worker(config, engine)
        tasks: set[asyncio.Task[None]] = set()
        while line := await asked.readline():
            task = asyncio.create_task(_answer(worker, json.loads(line)))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        for task in tasks:
            task.cancel()


async def _answer(worker: Worker, asked: dict[str, Any]) -> None:
    try:
        answer = await worker.answer(asked)
    except Exception:  # noqa: BLE001 - whatever it is, it says nothing of the target
        _LOG.exception("a look failed, which is a bug in trueup")
        answer = {"id": asked.get("id"), "observations": []}
    if answer is not None:
        os.write(sys.stdout.fileno(), json.dumps(answer, default=str).encode() + b"\n")


def main() -> int:
    """Look until standard input ends."""
    import uvloop

    # A terminal's signals go to all its processes; the monitor tells us when to end.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    import_all()
    gc.set_threshold(20_000, 20, 50)
    try:
        uvloop.run(_work(Path(sys.argv[1])))
    except ConfigurationError:
        return WRONG_CONFIGURATION
    return 0


if __name__ == "__main__":
    sys.exit(main())

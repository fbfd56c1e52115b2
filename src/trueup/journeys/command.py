"""A program of the user's own: its arguments as they are written, no shell, a bounded time and output."""

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, Self

from trueup.domain.causes import Cause
from trueup.domain.journey import Command, CommandExpect, Save, Step
from trueup.domain.printable import printable
from trueup.domain.secret import CUT
from trueup.domain.states import Outcome
from trueup.journeys.hiding import secrets_of_environment
from trueup.journeys.places import NoPlaceError, Places
from trueup.journeys.saves import NothingToSaveError, from_text, values_of
from trueup.journeys.walk import SEEN_CHARS_MAX, StepResult, Walk, unable

OUTPUT_BYTES_MAX: Final = 262_144
"""Of each stream; the rest is read, so that the program isn't held up, and forgotten."""
SAID_CHARS_MAX: Final = 240
LATE_S: Final = 1.0
"""A deadline that we noticed this much too late says nothing of the program."""
READ_BYTES: Final = 65_536
REST_S: Final = 0.5
"""What a program started and left behind may still write, when it has ended itself."""
_PLACES: Final = Places(16)


@dataclass(slots=True)
class Run:
    """What became of it. ``status`` is negative for a signal, None where its time was over."""

    status: int | None
    output: bytes
    errors: bytes
    late_s: float = 0.0


async def perform_command(walk: Walk, step: Step, timeout_s: float) -> StepResult:
    """Run it and hold it against what is expected. It is killed with all that it started."""
    command, expect = step.action, step.expect or CommandExpect()
    assert isinstance(command, Command)
    walk.fresh |= secrets_of_environment()
    began_s = walk.clock.monotonic_s()
    try:
        async with _PLACES.taken(timeout_s):
            left_s = timeout_s - (walk.clock.monotonic_s() - began_s)
            began_s = walk.clock.monotonic_s()
            run = await _run(command.argv, left_s)
    except NoPlaceError as none:
        return unable(f"trueup has no room to run {_called(command)}: {none}", Cause.MONITOR_STARVED)
    except OSError as error:
        return unable(f"trueup can't run {_called(command)}: {error.strerror or type(error).__name__}")
    except ValueError:  # a NUL among the arguments
        return unable(f"trueup can't run {_called(command)}: an argument has a NUL in it")
    took_ms = round((walk.clock.monotonic_s() - began_s) * 1000, 3)
    return _judged(command, expect, step.save, run, took_ms)


def _judged(
    command: Command, expect: CommandExpect, saves: tuple[Save, ...], run: Run, took_ms: float
) -> StepResult:
    called, seen = _called(command), _seen(run)
    expected = f"status {' or '.join(map(str, expect.status))}"
    if expect.contains is not None:
        expected += f", contains: {expect.contains!r}"
    if run.status is None and run.late_s > LATE_S:
        words = f"trueup itself was {run.late_s:.1f} s late to end {called}, and can't judge"
        return unable(words, Cause.MONITOR_STARVED)
    facts = {"status": run.status} if run.status is not None else {}

    def failed(cause: Cause, words: str) -> StepResult:
        return StepResult(
            Outcome.FAIL,
            words,
            cause,
            expected=expected,
            seen=seen,
            about=called,
            took_ms=took_ms,
            facts=facts,
        )

    if run.status is None:
        return failed(Cause.SILENT, f"it hasn't ended after {took_ms / 1000:.1f} s, and was killed")
    if run.status not in expect.status:
        return failed(Cause.ERROR_ANSWER, f"it {seen}")
    output = run.output.decode("utf-8", "replace")
    if expect.contains is not None and expect.contains not in output:
        return failed(Cause.WRONG_ANSWER, f"its output doesn't contain {expect.contains!r}: it {seen}")
    try:
        saved = values_of(saves, lambda save: from_text(save, output))
    except NothingToSaveError as nothing:
        return failed(Cause.WRONG_ANSWER, str(nothing))
    words = f"it {_ended(run.status)}"
    return StepResult(Outcome.PASS, words, about=called, took_ms=took_ms, facts=facts, saved=saved)


def _called(command: Command) -> str:
    """Its name alone: an argument may be anything."""
    return printable(PurePath(command.argv[0]).name or command.argv[0], 60)


def _ended(status: int | None) -> str:
    if status is None:
        return "doesn't end"
    if status >= 0:
        return f"ends with status {status}"
    with contextlib.suppress(ValueError):
        return f"is ended by {signal.Signals(-status).name}"
    return f"is ended by signal {-status}"


def _seen(run: Run) -> str:
    """How it ended, and the last that it said: errors before output."""
    said = (run.errors.strip() or run.output.strip()).decode("utf-8", "replace")
    if len(said) > SAID_CHARS_MAX:
        said = CUT + said[-SAID_CHARS_MAX:]
    words = f"{_ended(run.status)}: {said}" if said else _ended(run.status)
    return printable(words, SEEN_CHARS_MAX)


async def _run(argv: tuple[str, ...], timeout_s: float) -> Run:
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + timeout_s
    with _Ear() as output, _Ear() as errors:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output.mouth,
            stderr=errors.mouth,
            start_new_session=True,
        )
        output.listen()
        errors.listen()
        status: int | None = None
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(ends_s):
                    status = await process.wait()
            late_s = loop.time() - ends_s
            if status is not None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(REST_S):
                        await output.silence.wait()
                        await errors.silence.wait()
            return Run(status, bytes(output.heard), bytes(errors.heard), late_s)
        finally:
            _kill_group(process.pid)
            await process.wait()


class _Ear:
    """Our end of a pipe, read as it comes. What the program leaves behind may hold the other end for ever:
    so ``silence`` isn't waited for where the program itself has ended.
    """

    def __init__(self) -> None:
        self._ear, self.mouth = os.pipe()
        os.set_blocking(self._ear, False)
        self._loop = asyncio.get_running_loop()
        self.heard = bytearray()
        self.silence = asyncio.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._loop.remove_reader(self._ear)
        os.close(self._ear)
        if self.mouth >= 0:
            os.close(self.mouth)

    def listen(self) -> None:
        """From now on; the other end is the program's alone."""
        os.close(self.mouth)
        self.mouth = -1
        self._loop.add_reader(self._ear, self._hear)

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._ear, READ_BYTES)
            self.heard += data[: OUTPUT_BYTES_MAX - len(self.heard)]
            if not data:
                self._loop.remove_reader(self._ear)
                self.silence.set()


def _kill_group(leader: int) -> None:
    """The program is the first of a session of its own; what it started is in its group, unless it left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)

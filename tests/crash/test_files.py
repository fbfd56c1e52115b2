"""A monitor that may open few files: what it can't ask is unknown, and what it knows is told."""

import contextlib
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.crowd import crowd
from tests.crash.victim import TARGET, Victim, victim

FILES = 64
MANY, FEW = 120, 10
"""Many hold more than all files, and each for a while; of few, visitors would get all files between looks."""


@contextlib.contextmanager
def visitors(monitor: Victim, number: int) -> Iterator[None]:
    """So many who connect to its API, and say nothing."""
    with contextlib.ExitStack() as stack:
        for _ in range(number):
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_connection(("127.0.0.1", monitor.port), timeout=5))
        yield


@pytest.mark.parametrize(("number", "silent_s"), [(MANY, 0.4), (FEW, 0.0)])
def test_with_too_few_files_for_targets_and_visitors(tmp_path: Path, number: int, silent_s: float) -> None:
    with victim(tmp_path) as monitor, crowd(number, silent_s=silent_s) as others:
        monitor.prefix = ("prlimit", f"--nofile={FILES}:{FILES}")
        names = others.targets("well", "http")
        monitor.others = names
        monitor.configure()
        monitor.start()
        monitor.until(lambda: monitor.are_up(TARGET, *names), "up")
        with visitors(monitor, 2 * FILES):
            monitor.service.stop()
            monitor.until(monitor.has_told("opened"), "told that it's down, and answering")
            before = len(others.asked)
            monitor.until(lambda: len(others.asked) > before + number, "looking at the others")
        monitor.service.listen()
        monitor.until(monitor.has_told("opened", "closed"), "told that it's up")
        monitor.until(lambda: monitor.are_up(TARGET, *names), "up again")
        assert {one["target"] for one in monitor.receiver.came} == {TARGET}
        monitor.until(lambda: {one["target"] for one in monitor.incidents()} == {TARGET}, "without another")


def test_without_a_file_left_all_is_unknown_and_afterwards_told(tmp_path: Path) -> None:
    with victim(tmp_path) as monitor, crowd(FEW) as others:
        names = others.targets("well")
        monitor.others = names
        monitor.configure()
        monitor.start()
        monitor.until(lambda: monitor.are_up(TARGET, *names), "up")
        with no_more_files(monitor):
            monitor.service.stop()
            words = "well-3 is unknown", "db is unknown", "trueup has no file descriptor left"
            monitor.until(lambda: monitor.has_logged(*words), "unknown")
        monitor.until(lambda: monitor.told_of(TARGET) == ["opened"], "told that it's down")
        monitor.until(lambda: monitor.are_up(*names), "up again")
        monitor.service.listen()
        monitor.until(monitor.has_told("opened", "closed"), "told that it's up")
        assert {one["target"] for one in monitor.receiver.came} == {TARGET}


def test_one_that_falls_silent_is_judged_without_a_file_to_import_from(tmp_path: Path) -> None:
    """Whoever is silent for long is asked more: the code that does so isn't needed before."""
    with victim(tmp_path) as monitor, crowd(1) as others:
        (name,) = monitor.others = others.targets("well", "http")
        monitor.configure()
        monitor.start()
        monitor.until(lambda: monitor.are_up(TARGET, name), "up")
        others.silent_s = 60.0
        before = len(others.asked)
        monitor.until(lambda: len(others.asked) > before, "asking")
        with no_more_files(monitor):
            monitor.until(lambda: monitor.has_logged(f"{name} is down"), "judged")
        assert not monitor.has_logged("Traceback")
        others.silent_s = 0.0
        monitor.service.stop()
        monitor.until(lambda: "opened" in monitor.told_of(TARGET), "told that it's down")


@contextlib.contextmanager
def no_more_files(monitor: Victim) -> Iterator[None]:
    """It may open none besides those that it has."""
    assert monitor.process is not None
    pid = monitor.process.pid
    most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    # A number is given again once it's free: none below the limit must be.
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(_free(pid)), most[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, most)


def _free(pid: int) -> set[int]:
    used = {int(one.name) for one in Path(f"/proc/{pid}/fd").iterdir()}
    return set(range(len(used) + 1)) - used

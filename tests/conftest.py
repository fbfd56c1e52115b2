"""What all tests share. Quick servers have no fixture: a test opens its own, `with redis() as server:`."""

import signal
from collections.abc import Generator, Iterator
from typing import Any, Final

import hypothesis
import pytest

from tests.beds import processes
from tests.beds.certificates import Authority
from tests.beds.mariadb import mariadb
from tests.beds.mongod import mongod
from tests.beds.postgres import postgres
from tests.beds.rabbitmq import rabbitmq
from tests.beds.server import Server

pytest_plugins = ["tests.beds.skips"]


def pytest_configure() -> None:
    # A busy machine is no bug.
    hypothesis.settings.register_profile(
        "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("patient")
    processes.adopt_orphans()
    # Killed kindly, the run still stops its servers.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", returncode=143))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows the logs of the servers that it had as fixtures; one's own are in the error."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for used in item.funcargs.values():
            if isinstance(used, Server):
                report.sections.append((used.name, used.log_end()))
    return report


_LEFT_BEHIND: Final = "left_behind"
_left_to_workers: Final[list[str]] = []


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process that outlives its test fails the run, and is ended by its id.

    Where several workers run the tests, each tells its own, for they are all that the first process has.
    """
    if getattr(session.config.option, "numprocesses", None):
        left = list(_left_to_workers)
    else:
        there = processes.left_behind()
        processes.end(there)
        left = [f"{process.command} ({process.pid})" for process in there]
    output: dict[str, list[str]] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_LEFT_BEHIND] = left
        return
    for process in left:
        print(f"\nleft behind by a test: {process}")
    if left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """A worker has ended: what did it leave behind?"""
    _left_to_workers.extend(getattr(node, "workeroutput", {}).get(_LEFT_BEHIND, ()))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Shared: change nothing in it that another test could see."""
    with postgres() as shared:
        yield shared


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    """Shared: change nothing in it that another test could see."""
    with mariadb() as shared:
        yield shared


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[Server]:
    """Shared: change nothing in it that another test could see. It has its management API."""
    with rabbitmq(management=True) as shared:
        yield shared


@pytest.fixture(scope="session")
def mongod_server() -> Iterator[Server]:
    """Shared: change nothing in it that another test could see."""
    with mongod() as shared:
        yield shared

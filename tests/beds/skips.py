"""A pytest plugin: in CI (`CI=true`) only skips that tests/allowed_skips.txt names may happen."""

import fnmatch
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ALLOWED_FILE = Path(__file__).parents[1] / "allowed_skips.txt"


def unallowed(reasons: Iterable[str], allowed: str) -> list[str]:
    """Those that match no line of `allowed`: `PATTERN :: WHY` with * and ?, `#` begins a comment."""
    patterns = list(_patterns(allowed))
    return sorted(
        reason for reason in reasons if not any(fnmatch.fnmatchcase(reason, pattern) for pattern in patterns)
    )


def _patterns(allowed: str) -> Iterator[str]:
    for number, line in enumerate(allowed.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        pattern, separator, why = line.partition("::")
        if not separator or not why.strip():
            raise pytest.UsageError(
                f"{ALLOWED_FILE.name}:{number}: a skip is allowed with its reason: PATTERN :: WHY"
            )
        yield pattern.strip()


class Skips:
    """Gathers the reasons of all skips of a run, and fails it for those that aren't allowed."""

    def __init__(self, allowed: str) -> None:
        self._allowed = allowed
        self._reasons: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if unallowed(self._reasons, self._allowed) and session.exitstatus in (
            0,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for reason in unallowed(self._reasons, self._allowed):
            terminalreporter.write_line(f"CI allows no such skip: {reason}", red=True)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
            self._reasons.add(report.longrepr[2].removeprefix("Skipped: "))


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CI") == "true":
        config.pluginmanager.register(Skips(ALLOWED_FILE.read_text()))

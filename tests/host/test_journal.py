import asyncio
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.host.sample import sample_text
from trueup.host import commands
from trueup.host.journal import Journal, parse_journal
from trueup.host.traces import LogLine
from trueup.host.unreadable import HostUnreadable, Reason


def test_the_lines_of_a_unit_that_failed() -> None:
    lines = parse_journal(sample_text("journal_fails.jsonl"))
    assert [(line.source, line.text) for line in lines] == [
        ("systemd", "Started fails.service - Exits with 3."),
        ("sh", "about to fail"),
        ("systemd", "fails.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED"),
        ("systemd", "fails.service: Failed with result 'exit-code'."),
    ]
    assert lines[1] == LogLine(datetime.fromtimestamp(1795229217.955679, UTC), "about to fail", 6, "sh")
    assert lines[3].priority == 4


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("[98,105,110,32,1,255,32,120]", "bin \x01� x"),  # as journald gave it for a line that isn't UTF-8
        ("null", ""),
        ('["one", "two"]', "one two"),
        ('"' + "x" * 3000 + '"', "x" * 2000),
    ],
)
def test_messages_of_every_form(message: str, text: str) -> None:
    (line,) = parse_journal(f'{{"__REALTIME_TIMESTAMP": "1", "MESSAGE": {message}}}')
    assert (line.text, line.priority, line.source) == (text, None, None)


@pytest.mark.parametrize("line", ["-- No entries --", "[]", "{}", '{"__REALTIME_TIMESTAMP": "x"}'])
def test_another_form_is_refused(line: str) -> None:
    with pytest.raises(HostUnreadable) as caught:
        parse_journal(line)
    assert caught.value.reason is Reason.MALFORMED


# ---- the command, played by a script ----------------------------------------------------------------------


@pytest.fixture
def fake_journalctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "journalctl"
    monkeypatch.setattr(commands, "_SEARCH", f"{tmp_path}:/usr/bin:/bin")
    return path


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def asked(root: Path) -> tuple[LogLine, ...]:
    return asyncio.run(
        Journal(str(root)).of_unit("shop.service", 5, datetime(2026, 11, 21, tzinfo=UTC))
    ).lines


def test_the_command_is_asked_for_this_unit_only_and_bounded(fake_journalctl: Path, tmp_path: Path) -> None:
    script(
        fake_journalctl,
        f'echo "$@" > {tmp_path}/said; echo \'{{"__REALTIME_TIMESTAMP": "1", "MESSAGE": "x"}}\'',
    )
    assert [line.text for line in asked(tmp_path)] == ["x"]
    said = (tmp_path / "said").read_text().split()
    assert "--unit=shop.service" in said
    assert "--lines=5" in said
    assert "--since=@1795219200.000000" in said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("echo No journal files: insufficient permissions. >&2; exit 1", Reason.PERMISSION),
        (
            "echo Hint: You are currently not seeing messages from other users and the system. >&2",
            Reason.PERMISSION,
        ),
        ("exit 0", Reason.ABSENT),
        ("echo Failed to add match >&2; exit 1", Reason.FAILED),
    ],
)
def test_no_line_is_no_statement(fake_journalctl: Path, tmp_path: Path, text: str, reason: Reason) -> None:
    script(fake_journalctl, text)
    with pytest.raises(HostUnreadable) as caught:
        asked(tmp_path)
    assert caught.value.reason is reason


def test_where_there_is_a_journal_a_unit_may_have_said_nothing(fake_journalctl: Path, tmp_path: Path) -> None:
    script(fake_journalctl, "exit 0")
    (tmp_path / "run/log/journal").mkdir(parents=True)
    assert asked(tmp_path) == ()


def test_kills_for_memory_are_read_from_the_journal_too(fake_journalctl: Path, tmp_path: Path) -> None:
    killed = (
        "Out of memory: Killed process 812 (shop) total-vm:9kB, anon-rss:2kB, file-rss:1kB, shmem-rss:0kB"
    )
    script(fake_journalctl, f'echo \'{{"__REALTIME_TIMESTAMP": "5000000", "MESSAGE": "{killed}"}}\'')
    (kill,) = asyncio.run(Journal(str(tmp_path)).memory_kills())
    assert (kill.pid, kill.process, kill.at) == (812, "shop", datetime.fromtimestamp(5, UTC))


def test_a_journal_without_end_is_ended(fake_journalctl: Path, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script(fake_journalctl, f"echo $$ > {pid_file}; exec yes")
    with pytest.raises(HostUnreadable, match="more than"):
        asked(tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)

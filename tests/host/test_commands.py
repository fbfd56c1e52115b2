import asyncio
import os
from pathlib import Path

import pytest

from trueup.host.commands import output_of
from trueup.host.unreadable import HostUnreadable, Reason


def test_it_speaks_english_in_utc_and_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    output = asyncio.run(output_of(["sh", "-c", 'echo "$LC_ALL $TZ"; cat; echo oh >&2']))
    assert (output.written, output.complaint) == (b"C UTC\n", "oh")


@pytest.mark.parametrize(
    ("argv", "reason", "why"),
    [
        (["no-such-program"], Reason.ABSENT, "not installed"),
        (["sh", "-c", "echo bad >&2; exit 3"], Reason.FAILED, "bad"),
        (["sh", "-c", "exit 3"], Reason.FAILED, "ended with 3"),
        (["sh", "-c", "echo Access denied >&2; exit 1"], Reason.PERMISSION, "Access denied"),
        (["yes"], Reason.MALFORMED, "more than"),
    ],
)
def test_failures_are_named(argv: list[str], reason: Reason, why: str) -> None:
    with pytest.raises(HostUnreadable, match=why) as caught:
        asyncio.run(output_of(argv, size_bytes_max=1000))
    assert caught.value.reason is reason


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with pytest.raises(HostUnreadable) as caught:
        asyncio.run(output_of(["sh", "-c", f"echo $$ > {pid_file}; exec sleep 60"], timeout_s=0.5))
    assert caught.value.reason is Reason.TIMEOUT
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)

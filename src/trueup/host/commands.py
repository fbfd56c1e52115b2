"""Runs a read-only command of the system, bounded in time and bytes."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from trueup.host.unreadable import HostUnreadable, Reason

_READ_BYTES: Final = 65536
_COMPLAINT_CHARS_MAX: Final = 300
_SEARCH: Final = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin:/usr/local/sbin"


@dataclass(frozen=True, slots=True)
class Output:
    """What a command that succeeded wrote to its output, and to its errors."""

    written: bytes
    complaint: str


async def output_of(
    argv: Sequence[str],
    *,
    timeout_s: float = 5.0,
    size_bytes_max: int = 1024 * 1024,
) -> Output:
    """What the command writes, in the C locale and UTC. It never sees our standard input.

    Raises:
        HostUnreadable: it isn't installed, takes too long, fails, or writes too much.
    """
    program = shutil.which(argv[0], path=_SEARCH)
    if program is None:
        raise HostUnreadable(argv[0], "not installed", Reason.ABSENT)
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *argv[1:],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "LC_ALL": "C", "TZ": "UTC", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"},
        )
    except OSError as error:
        raise HostUnreadable.of(argv[0], error) from error
    complaint = asyncio.create_task(_read(process.stderr, _READ_BYTES))
    try:
        async with asyncio.timeout(timeout_s):
            written = await _read(process.stdout, size_bytes_max)
            if len(written) > size_bytes_max:
                raise HostUnreadable(argv[0], f"wrote more than {size_bytes_max} bytes", Reason.MALFORMED)
            said = (await complaint).decode(errors="replace").strip()[:_COMPLAINT_CHARS_MAX]
            status = await process.wait()
    except TimeoutError as error:
        raise HostUnreadable(argv[0], f"no answer within {timeout_s:g} s", Reason.TIMEOUT) from error
    finally:
        complaint.cancel()
        await asyncio.gather(complaint, return_exceptions=True)
        await _end(process)
    if status:
        raise HostUnreadable(argv[0], said or f"ended with {status}", _reason(said))
    return Output(written, said)


async def _read(stream: asyncio.StreamReader | None, size_bytes_max: int) -> bytes:
    assert stream is not None
    parts = b""
    while len(parts) <= size_bytes_max and (part := await stream.read(_READ_BYTES)):
        parts += part
    return parts


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kills it and what it started, and empties its pipes: with a full one its end would never be told."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.gather(_drain(process.stdout), _drain(process.stderr), process.wait())


async def _drain(stream: asyncio.StreamReader | None) -> None:
    assert stream is not None
    while await stream.read(_READ_BYTES):
        pass


def _reason(said: str) -> Reason:
    denied = ("permission" in said.lower(), "Access denied" in said, "not permitted" in said)
    return Reason.PERMISSION if any(denied) else Reason.FAILED

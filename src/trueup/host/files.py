"""Small kernel and log files, read with a bound."""

import os
from typing import Final

from trueup.host.unreadable import HostUnreadable, Reason

SIZE_BYTES_MAX: Final = 4 * 1024 * 1024
_CHUNK_BYTES: Final = 65536


def read_bytes(path: str, size_bytes_max: int = SIZE_BYTES_MAX) -> bytes:
    """The whole of a file.

    Raises:
        HostUnreadable: it can't be read, or is longer than ``size_bytes_max``.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            parts = []
            size_bytes = 0
            while part := os.read(descriptor, _CHUNK_BYTES):
                parts.append(part)
                size_bytes += len(part)
                if size_bytes > size_bytes_max:
                    raise HostUnreadable(path, f"longer than {size_bytes_max} bytes", Reason.MALFORMED)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise HostUnreadable.of(path, error) from error
    return b"".join(parts)


def read_text(path: str, size_bytes_max: int = SIZE_BYTES_MAX) -> str:
    """The same as text; bytes that aren't UTF-8 come out as U+FFFD.

    Raises:
        HostUnreadable: as ``read_bytes``.
    """
    return read_bytes(path, size_bytes_max).decode(errors="replace")


def read_tail(path: str, size_bytes_max: int) -> str:
    """The last bytes of a growing log, from the first whole line on.

    Raises:
        HostUnreadable: it can't be read.
    """
    try:
        with open(path, "rb", buffering=0) as log:  # noqa: PTH123 - a path is text throughout this floor
            size_bytes = log.seek(0, os.SEEK_END)
            start = max(0, size_bytes - size_bytes_max)
            log.seek(start)
            tail = log.read(size_bytes_max)
    except OSError as error:
        raise HostUnreadable.of(path, error) from error
    if start:
        tail = tail.partition(b"\n")[2]
    return tail.decode(errors="replace")

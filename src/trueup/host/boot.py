"""When this system started, and which boot it is."""

import os
import time
from datetime import UTC, datetime
from typing import Final

from trueup.host.facts import Boot
from trueup.host.files import read_text

TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")


def read_boot(proc: str = "/proc") -> Boot:
    """Raises:
    HostUnreadable: /proc can't be read.
    """
    kernel_started_s = boot_epoch_s()
    # In a container, process 1 is its own init: what wasn't started since then isn't enabled there.
    ticks = start_ticks(read_text(f"{proc}/1/stat"))
    return Boot(
        id=read_text(f"{proc}/sys/kernel/random/boot_id").strip(),
        started_at=moment(kernel_started_s + ticks / TICKS_A_SECOND),
        kernel_started_at=moment(kernel_started_s),
    )


def boot_epoch_s() -> float:
    """The wall clock's reading when the kernel's boot clock was 0; moves when the wall clock is set."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def moment(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)


def start_ticks(stat: str) -> int:
    """Field 22 of /proc/PID/stat, counted behind the name, which may hold spaces and brackets."""
    return int(stat[stat.rindex(")") + 2 :].split()[19])

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trueup.host.boot import TICKS_A_SECOND, read_boot, start_ticks
from trueup.host.unreadable import HostUnreadable


def test_the_boot_agrees_with_the_kernels_own_seconds() -> None:
    boot = read_boot()
    (btime,) = [line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime")]
    told = datetime.fromtimestamp(int(btime.split()[1]), UTC)
    assert abs(boot.kernel_started_at - told) < timedelta(seconds=2)
    assert boot.kernel_started_at <= boot.started_at <= datetime.now(UTC)
    assert boot.id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_in_a_container_its_own_first_process_tells(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    (tmp_path / "sys/kernel/random/boot_id").write_text("abc\n")
    ticks = 100 * TICKS_A_SECOND
    (tmp_path / "1/stat").write_text(f"1 (systemd) S 0 {'0 ' * 17}{ticks} 0 0\n")
    boot = read_boot(str(tmp_path))
    assert boot.id == "abc"
    assert boot.started_at - boot.kernel_started_at == timedelta(seconds=100)


def test_start_ticks_are_counted_behind_the_name() -> None:
    stat = Path(f"/proc/{os.getpid()}/stat").read_text()
    assert start_ticks(stat) == int(stat.rpartition(") ")[2].split()[19])


def test_without_proc_it_raises(tmp_path: Path) -> None:
    with pytest.raises(HostUnreadable):
        read_boot(str(tmp_path))

import shutil
from pathlib import Path

import pytest

from trueup.host.unreadable import HostUnreadable
from trueup.host.vitals import parse_load, parse_memory, parse_netstat, read_vitals


def test_this_machine() -> None:
    vitals = read_vitals()
    assert 0 < vitals.memory_available_bytes < vitals.memory_bytes
    assert vitals.processors >= 1
    assert vitals.load_1m >= 0
    assert vitals.files_open is not None
    assert vitals.files_max is not None
    assert 0 < vitals.files_open < vitals.files_max
    assert vitals.listen_overflows is not None


def test_what_a_kernel_lacks_is_none(tmp_path: Path) -> None:
    for name in ("loadavg", "meminfo"):
        shutil.copy(f"/proc/{name}", tmp_path / name)
    vitals = read_vitals(str(tmp_path))
    assert (vitals.pressure_cpu, vitals.files_open, vitals.listen_drops) == (None, None, None)
    assert vitals.memory_bytes > 0


@pytest.mark.parametrize("lost", ["loadavg", "meminfo"])
def test_without_load_or_memory_it_raises(tmp_path: Path, lost: str) -> None:
    for name in {"loadavg", "meminfo"} - {lost}:
        shutil.copy(f"/proc/{name}", tmp_path / name)
    with pytest.raises(HostUnreadable):
        read_vitals(str(tmp_path))


def test_parsers() -> None:
    assert parse_load("1.61 1.36 0.86 2/210 7326\n") == (1.61, 1.36, 0.86)
    with pytest.raises(HostUnreadable):
        parse_load("a b c")
    assert parse_memory("MemTotal:  2 kB\nHugePages_Total:  3\n") == {"MemTotal": 2048}
    assert parse_netstat("TcpExt: A B\nTcpExt: 1 2\nIpExt: A\nIpExt: 9\n") == {
        "TcpExtA": 1,
        "TcpExtB": 2,
        "IpExtA": 9,
    }


def test_no_memory_available_is_refused(tmp_path: Path) -> None:
    shutil.copy("/proc/loadavg", tmp_path / "loadavg")
    (tmp_path / "meminfo").write_text("MemTotal: 5 kB\n")
    with pytest.raises(HostUnreadable, match="MemAvailable"):
        read_vitals(str(tmp_path))

"""The machine's own state: load, memory, swap, files, tracked connections, overflows, pressure."""

import os
from typing import Final

from trueup.host.facts import Pressure, Vitals
from trueup.host.files import read_text
from trueup.host.pressure import read_pressure
from trueup.host.unreadable import HostUnreadable, Reason

_KILO: Final = 1024


def parse_load(text: str) -> tuple[float, float, float]:
    """The three averages of /proc/loadavg.

    Raises:
        HostUnreadable: not of its form.
    """
    try:
        one, five, fifteen = map(float, text.split()[:3])
    except ValueError as error:
        raise HostUnreadable("/proc/loadavg", f"unlike a load: {text!r}", Reason.MALFORMED) from error
    return one, five, fifteen


def parse_memory(text: str) -> dict[str, int]:
    """Bytes by name, of /proc/meminfo."""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if len(words) == 2 and words[1] == "kB" and words[0].isdecimal():
            found[name] = int(words[0]) * _KILO
    return found


def parse_netstat(text: str) -> dict[str, int]:
    """The counters of /proc/net/netstat by name: pairs of lines, names above numbers."""
    found = {}
    lines = text.splitlines()
    for names, numbers in zip(lines[::2], lines[1::2], strict=False):
        prefix, _, rest = names.partition(":")
        for name, number in zip(rest.split(), numbers.partition(":")[2].split(), strict=False):
            found[prefix + name] = int(number)
    return found


def read_vitals(proc: str = "/proc") -> Vitals:
    """What isn't there on this kernel is None.

    Raises:
        HostUnreadable: load or memory can't be read.
    """
    load = parse_load(read_text(f"{proc}/loadavg"))
    memory = parse_memory(read_text(f"{proc}/meminfo"))
    try:
        memory_bytes, available_bytes = memory["MemTotal"], memory["MemAvailable"]
    except KeyError as error:
        raise HostUnreadable("/proc/meminfo", f"no {error}", Reason.MALFORMED) from error
    files = _numbers(f"{proc}/sys/fs/file-nr")
    tracked = f"{proc}/sys/net/netfilter/nf_conntrack"
    counters = _counters(proc)
    return Vitals(
        load_1m=load[0],
        load_5m=load[1],
        load_15m=load[2],
        processors=os.cpu_count() or 1,
        memory_bytes=memory_bytes,
        memory_available_bytes=available_bytes,
        swap_bytes=memory.get("SwapTotal", 0),
        swap_free_bytes=memory.get("SwapFree", 0),
        files_open=files[0] - files[1] if len(files) == 3 else None,
        files_max=files[2] if len(files) == 3 else None,
        connections_tracked=next(iter(_numbers(f"{tracked}_count")), None),
        connections_tracked_max=next(iter(_numbers(f"{tracked}_max")), None),
        listen_overflows=counters.get("TcpExtListenOverflows"),
        listen_drops=counters.get("TcpExtListenDrops"),
        pressure_cpu=_pressure(proc, "cpu"),
        pressure_memory=_pressure(proc, "memory"),
        pressure_io=_pressure(proc, "io"),
    )


def _numbers(path: str) -> list[int]:
    try:
        return [int(word) for word in read_text(path).split()]
    except (HostUnreadable, ValueError):
        return []


def _counters(proc: str) -> dict[str, int]:
    try:
        return parse_netstat(read_text(f"{proc}/net/netstat"))
    except (HostUnreadable, ValueError):
        return {}


def _pressure(proc: str, resource: str) -> Pressure | None:
    try:
        return read_pressure(resource, f"{proc}/pressure")
    except HostUnreadable:
        return None

"""Whether this machine has a way out: without one, an unreachable network is our own trouble."""

from pathlib import Path
from typing import Final

_REJECTS: Final = 0x0200
"""RTF_REJECT (linux/route.h): the route that says there is none."""


def has_default_route(peer: str, proc: Path = Path("/proc/net")) -> bool:
    """Whether there's a default route for the family of ``peer``; True where that can't be read.

    This machine itself needs none.
    """
    import ipaddress

    if ipaddress.ip_address(peer.partition("%")[0]).is_loopback:
        return True
    try:
        if ":" in peer:
            return leads_out_v6((proc / "ipv6_route").read_text())
        return leads_out_v4((proc / "route").read_text())
    except OSError:
        return True


def leads_out_v4(table: str) -> bool:
    """``/proc/net/route``: interface, destination, gateway, flags, ..., mask in the eighth column."""
    rows = (line.split() for line in table.splitlines()[1:])
    return any(
        len(row) > 7 and row[1] == "00000000" and row[7] == "00000000" and not int(row[3], 16) & _REJECTS
        for row in rows
    )


def leads_out_v6(table: str) -> bool:
    """``/proc/net/ipv6_route``: destination, its prefix length, ..., flags, interface."""
    rows = (line.split() for line in table.splitlines())
    return any(
        len(row) > 9
        and row[0] == "0" * 32
        and row[1] == "00"
        and row[9] != "lo"
        and not int(row[8], 16) & _REJECTS
        for row in rows
    )

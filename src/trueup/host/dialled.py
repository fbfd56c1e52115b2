"""Where a call arrives. Most looks ask no more of a machine than this, and load no more for it."""

from typing import Final

_DIALLED: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Whoever calls no address calls this machine: ip(7), ipv6(7)."""


def met_at(address: str) -> str:
    """The address that a call to ``address`` arrives at, spelt as listeners and interfaces are."""
    from ipaddress import ip_address

    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return address  # a name
    plain = str(getattr(read, "ipv4_mapped", None) or read)
    return _DIALLED.get(plain, plain)

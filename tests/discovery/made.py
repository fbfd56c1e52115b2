"""Doors and who answers there, as tests need them."""

from typing import Any

from trueup.discovery.found import Door, Found, Holder


def here(
    scheme: str,
    port: int,
    *,
    process: str | None = None,
    unit: str | None = None,
    container: str | None = None,
    bound_to: tuple[str, ...] = ("127.0.0.1",),
    pid: int = 1,
    **more: Any,
) -> Found:
    """Somebody at a door of this machine."""
    holder = Holder(frozenset({pid}), process, unit, container)
    host = "127.0.0.1" if bound_to[0] in ("0.0.0.0", "::") else bound_to[0]
    return Found(Door(host, port, bound_to=bound_to, holder=holder), scheme, **more)


def elsewhere(scheme: str, host: str, port: int) -> Found:
    """Somebody at a door of another machine."""
    return Found(Door(host, port), scheme)

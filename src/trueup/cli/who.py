"""``trueup who``: who holds which door of this machine."""

import asyncio
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import click

from trueup.domain.printable import printable

if TYPE_CHECKING:
    from trueup.host.report import Listener

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_ALL: Final = frozenset({"0.0.0.0", "::"})
_COLUMNS = ("ADDRESS", "SPEAKS", "PROCESS", "PID", "USER", "UNIT OR CONTAINER", "SINCE", "QUEUE")


@click.command(epilog="Example: trueup who 6379 --json")
@click.argument("place", required=False, metavar="[PORT|ADDRESS]")
@click.option("--json", "as_json", is_flag=True, help="Print the listeners as JSON.")
def COMMAND(place: str | None, *, as_json: bool) -> int:  # noqa: N802 - what a command's file exports
    """List this machine's listeners: what answers, which process holds it, since when, how full its queue is.

    What may not be looked into is "owner unknown (permission)", never a guess: run as root to see all.
    """
    from trueup.app.listening import listener_document, who_listens

    heard, gaps = asyncio.run(who_listens(_wanted(place)))
    documents = [listener_document(one) for one in heard]
    if as_json:
        click.echo(json.dumps({"listeners": documents}, indent=2, ensure_ascii=True))
    else:
        unknown = {
            id(document): one.listener.owner.unknown for document, one in zip(documents, heard, strict=True)
        }
        _print([_row(document, unknown[id(document)]) for document in documents])
        if not documents:
            where = f" at {printable(place, 200)}" if place else ""
            click.echo(f"Nothing listens{where} on this machine", err=True)
    for gap in gaps:
        click.echo(f"not read: {printable(f'{gap.what}: {gap.why}', 200)}", err=True)
    return 0


def _wanted(place: str | None) -> "Callable[[Listener], bool]":
    """By port, address, or both; who listens on all addresses listens on each.

    Raises:
        click.UsageError: it's neither.
    """
    if place is None:
        return lambda _: True
    if place.isdecimal():
        only_port = _port(place)
        return lambda one: one.socket.port == only_port
    addresses, port = _addresses_and_port(place)
    return lambda one: port in (None, one.socket.port) and _is_met(one, addresses)


def _is_met(listener: "Listener", addresses: Iterable[str]) -> bool:
    from trueup.host.report import takes

    return any(takes(listener.socket, address) for address in addresses)


def _port(digits: str) -> int:
    if not 0 < int(digits[:6]) < 65536:
        raise click.UsageError(f"{printable(digits, 40)} is no port; a port is 1 to 65535")
    return int(digits)


def _addresses_and_port(place: str) -> tuple[frozenset[str], int | None]:
    """Of an IP address alone, or of an address as ``check`` takes it."""
    import ipaddress

    from trueup.domain.address import BARE, AddressError, parse_address
    from trueup.host.dialled import met_at
    from trueup.probes.registry import SCHEMES, by_scheme

    with suppress(ValueError):
        alone = str(ipaddress.ip_address(place.strip("[]")))
        return frozenset({alone if alone in _ALL else met_at(alone)}), None
    if place == "localhost":
        return _LOOPBACK, None
    try:
        address = parse_address(place, SCHEMES)
    except AddressError as error:
        hint = error.hint if "://" in place else "write 6379 or 127.0.0.1:6379"
        raise click.UsageError(f"{printable(place)!r} is no PORT and no ADDRESS; {hint}") from None
    port = address.port
    if port is None and address.scheme != BARE and address.socket_path is None:
        port = by_scheme()[address.scheme].schemes[address.scheme].port
    if port is None:
        raise click.UsageError(f"{printable(place)!r} names no port of this machine; write 6379")
    return _resolved(address.host), port


def _resolved(host: str) -> frozenset[str]:
    import socket

    from trueup.host.dialled import met_at

    try:
        found = socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        raise click.UsageError(f"the name {printable(host)} has no address here; write 6379") from None
    named = [str(place[0]) for *_, place in found]
    return frozenset([*named, *map(met_at, named)])


def _row(document: dict[str, Any], unknown: object) -> tuple[str, ...]:
    address = f"[{document['address']}]" if ":" in document["address"] else document["address"]
    process = document["process"] or f"owner unknown ({unknown or 'permission'})"
    most = "" if document["queue_max"] is None else f"/{document['queue_max']}"
    cells = (
        f"{document['protocol']} {address}:{document['port']}",
        document["speaks"] or "-",
        process,
        "-" if document["pid"] is None else str(document["pid"]),
        document["user"],
        document["container"] or document["unit"] or "-",
        (document["since"] or "-")[:19],
        f"{document['queue']}{most}",
    )
    return tuple(printable(cell, 60) for cell in cells)


def _print(rows: Iterable[tuple[str, ...]]) -> None:
    table = [_COLUMNS, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(_COLUMNS))]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

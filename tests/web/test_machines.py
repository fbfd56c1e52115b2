"""Who listens where, and what of it nobody watches."""

from datetime import UTC, datetime
from typing import Any

from tests.web.scripted import named
from trueup.domain.address import Address
from trueup.domain.target import Target
from trueup.web.machines import Coverage, Machine, coverage


def who(port: int, protocol: str = "tcp") -> dict[str, Any]:
    return {"port": port, "protocol": protocol}


def target(name: str, scheme: str, host: str, port: int, machine: str | None = None) -> Target:
    return named([name], at=(Address(scheme, host, f"{scheme}://{host}:{port}", port),), host=machine)[0]


def test_trueups_own_listener_needs_nobody() -> None:
    here = Machine(
        "db-1", True, datetime.now(UTC), listeners=[who(8642), who(8642, "udp")], own_ports=frozenset({8642})
    )
    found = coverage(here, ())
    assert [(one.listener["protocol"], one.is_own) for one in found.covered] == [
        ("udp", False),
        ("tcp", True),
    ]
    assert found.unwatched == 1


def covered(*listeners: dict[str, Any], targets: tuple[Target, ...]) -> Coverage:
    here = Machine("db-1", True, datetime.now(UTC), listeners=listeners, names=frozenset({"127.0.0.1"}))
    return coverage(here, targets)


def test_a_listener_is_watched_by_who_asks_its_machine_at_its_port() -> None:
    targets = (
        target("named", "postgres", "db.internal", 5432, "db-1"),
        target("near", "redis", "127.0.0.1", 6379),
        target("plain", "tcp", "127.0.0.1", 9100),
        target("elsewhere", "http", "127.0.0.1", 80, "web-1"),
    )
    found = covered(who(5432), who(6379), who(9100), who(80), who(53, "udp"), targets=targets)
    shown = {one.listener["port"]: (one.by, one.by_port_alone) for one in found.covered}
    assert shown == {
        5432: (["named"], False),
        6379: (["near"], False),
        9100: (["plain"], True),
        80: ([], False),
        53: ([], False),
    }
    assert found.unwatched == 2
    assert [one.listener["port"] for one in found.covered[:2]] == [53, 80]

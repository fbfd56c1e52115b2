"""Where a question went on a machine, and who is met there."""

from dataclasses import replace
from typing import Any

import pytest

from tests.diagnosis.hosts import OWN, REDIS, failed, held, holder_in, process, report, target, unit
from trueup.diagnosis.holder import Asked, holder_of
from trueup.domain.causes import Cause
from trueup.host.facts import Process, Transport, Unit

SERVER = process(812, "redis-server", unit=REDIS)


@pytest.mark.parametrize(
    ("at", "facts", "asked"),
    [
        ("redis://127.0.0.1", {}, Asked("127.0.0.1", 6379)),
        ("redis://127.0.0.1:7000", {}, Asked("127.0.0.1", 7000)),
        ("redis://[::1]", {}, None),  # not an address of this machine
        ("redis://0.0.0.0", {}, Asked("127.0.0.1", 6379)),  # as the kernel takes it
        ("redis://[::ffff:127.0.0.1]", {}, Asked("127.0.0.1", 6379)),
        ("redis://[::ffff:7f00:1]", {}, Asked("127.0.0.1", 6379)),
        ("redis://db.local", {"peer": f"::ffff:{OWN}"}, Asked(OWN, 6379)),
        ("redis://localhost", {"peer": "127.0.0.1"}, Asked("127.0.0.1", 6379)),
        ("redis://shop.example", {}, None),  # the name has no address
        ("redis://shop.example", {"peer": OWN}, Asked(OWN, 6379)),
        ("redis://shop.example", {"peer": "192.0.2.1"}, None),
        ("127.0.0.1:7000", {}, Asked("127.0.0.1", 7000)),
        ("dns://127.0.0.1/example.org", {}, Asked("127.0.0.1", 53, Transport.UDP)),
        ("dns://127.0.0.1/example.org", {"dialled": "127.0.0.1:53"}, Asked("127.0.0.1", 53)),
        ("http://127.0.0.1", {"dialled": "127.0.0.1:8443"}, Asked("127.0.0.1", 8443)),
        ("http://127.0.0.1", {"dialled": "shop.example:443", "peer": "192.0.2.1"}, None),
        ("http://127.0.0.1", {"dialled": "shop.example:443", "peer": OWN}, Asked(OWN, 443)),
        ("http+unix://%2Fx/a", {"dialled": "127.0.0.1:8443"}, Asked("127.0.0.1", 8443)),
        ("icmp://127.0.0.1", {}, None),
        ("docker:///run/docker.sock", {}, Asked("/run/docker.sock", None)),
    ],
)
def test_where_the_question_went(at: str, facts: dict[str, Any], asked: Asked | None) -> None:
    holder = holder_of(target(at), failed(**facts), report())
    assert (holder.asked if holder is not None else None) == asked


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked("127.0.0.1", 80), "port 80"),
        (Asked("127.0.0.1", 53, Transport.UDP), "UDP port 53"),
        (Asked("/run/x", None), "/run/x"),
    ],
)
def test_its_words(asked: Asked, words: str) -> None:
    assert asked.words == words


def test_met_are_those_of_the_address_and_elsewhere_are_the_others() -> None:
    mine, any_, other = (held(address=at, by=SERVER) for at in ("127.0.0.1", "0.0.0.0", OWN))
    holder = holder_in(report(unit(REDIS), listeners=(mine, other), processes=(SERVER,)))
    assert (holder.met, holder.elsewhere) == ((mine,), (other,))
    holder = holder_in(report(unit(REDIS), listeners=(any_,), processes=(SERVER,)))
    assert (holder.met, holder.elsewhere) == ((any_,), ())


def test_tcp_is_not_udp() -> None:
    over_udp = held(6379, by=SERVER, transport=Transport.UDP)
    assert holder_in(report(listeners=(over_udp,), processes=(SERVER,))).met == ()


def test_those_elsewhere_of_another_unit_than_configured_are_left_out() -> None:
    other = process(9, "valkey-server", unit="valkey.service")
    host = report(
        unit(REDIS), unit("valkey.service"), listeners=(held(address=OWN, by=other),), processes=(other,)
    )
    assert len(holder_in(host).elsewhere) == 1
    assert holder_in(host, target(unit="redis-server")).elsewhere == ()


def test_masters_come_before_their_workers() -> None:
    workers: tuple[Process, ...] = tuple(process(pid, "nginx", parent_pid=80) for pid in (7, 8))
    master = process(80, "nginx")
    host = report(listeners=(held(by=master, pids=(7, 8, 80)),), processes=(*workers, master))
    assert [one.pid for one in holder_in(host).holding()] == [80, 7, 8]


def test_named_by_the_configuration() -> None:
    host = report(unit(REDIS, main_pid=812), processes=(SERVER,))
    by_unit = holder_in(host, target(unit="redis-server"))
    assert (by_unit.unit, by_unit.process, by_unit.named) == (host.units[0], SERVER, True)
    by_process = holder_in(host, target(process="redis-server"))
    assert (by_process.unit, by_process.process) == (host.units[0], SERVER)
    assert holder_in(host, target(process="redis")).process is None


def test_of_several_processes_of_a_name_the_one_that_holds_the_port() -> None:
    idle = process(5, "redis-server")
    host = report(listeners=(held(by=SERVER),), processes=(idle, SERVER))
    assert holder_in(host, target(process="redis-server")).process == SERVER


def test_a_process_is_known_by_fifteen_letters_or_by_its_program() -> None:
    long = process(5, "prometheus-blac", executable="/usr/bin/prometheus-blackbox-exporter")
    host = report(processes=(long,))
    for name in ("prometheus-blackbox-exporter", "prometheus-blac"):
        assert holder_in(host, target(process=name)).process == long


def placeholder(*clusters: Unit) -> Any:
    stands = unit("postgresql.service", type="oneshot", command=("/bin/true",))
    host = report(stands, *(replace(one, wanted_by=("postgresql.service",)) for one in clusters))
    return holder_in(host, target("postgres://127.0.0.1", unit="postgresql")).unit


def test_a_unit_that_stands_for_others() -> None:
    main, old = unit("postgresql@15-main.service"), unit("postgresql@13-old.service")
    assert placeholder(main).name == main.name
    assert placeholder(main, old) is None
    assert placeholder() is None


@pytest.mark.parametrize("cause", [Cause.UNRESOLVED, Cause.REFUSED])
def test_without_an_address_nobody_is_meant(cause: Cause) -> None:
    assert holder_of(target("redis://shop.example"), failed(cause), report()) is None

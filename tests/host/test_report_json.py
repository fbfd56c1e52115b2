import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.host.fake_reader import NOW, FakeClock, FakeReader, container, listening, process
from tests.host.sample import sample_text
from tests.host.test_systemd import from_bus
from trueup.host.engine_json import parse_container
from trueup.host.facts import Firewall, FirewallRule, Owner, Place
from trueup.host.reader import ThisMachine
from trueup.host.report import Counter, HostReport, Inner, Listener
from trueup.host.report_json import ITEMS_MAX, TEXT_CHARS_MAX, MalformedReport, from_json, to_json, to_plain
from trueup.host.survey import Survey
from trueup.host.traces import Change, ChangeKind, LogExcerpt, LogLine, MemoryKill
from trueup.host.unreadable import Reason, Unreadable


def full() -> HostReport:
    """A report with something of everything, from real answers where there are some."""
    web = parse_container(json.loads(sample_text("docker_inspect_web.json")), "docker")
    socket = listening(6379, "::", v6_only=False, cgroup_id=2**63, queue=3)
    return HostReport(
        host="db-1",
        taken_at=NOW,
        boot=FakeReader().boot(),
        addresses=FakeReader().own_addresses,
        listeners=(
            Listener(socket, "redis", Owner(812, (812, 813), by_init=True), "redis", NOW, queued_since=NOW),
        ),
        inner=(Inner("ab", (socket,)),),
        processes=(process(812), process(813, place=None, executable=None)),
        units=tuple(from_bus().values()),
        containers=(web, container("x")),
        counters=(Counter("web", "restarts", 5, 2, NOW),),
        memory_kills=(MemoryKill(1, "x", NOW),),
        changes=(Change(ChangeKind.PACKAGE, "redis", NOW, "upgrade"),),
        logs=(LogExcerpt("x", (LogLine(None, "ü\x00\u202e", 3, "stderr"),)),),
        firewall=Firewall(
            ("ip filter INPUT",),
            (FirewallRule("inet t in", "drop", None, ((1, 2), (5, 5)), more=True, packets=3),),
        ),
        unreadable=(Unreadable("systemd", "no", Reason.PERMISSION),),
    )


def test_everything_comes_back_as_it_was() -> None:
    assert from_json(to_json(full())) == full()


def test_a_report_of_this_machine_comes_back_as_it_was() -> None:
    report = asyncio.run(Survey(ThisMachine(), "here", FakeClock(datetime.now(UTC))).take())
    assert report.vitals is not None
    assert report.listeners or report.could_not_read("sock_diag") is None
    assert from_json(to_json(report)) == report


def changed(path: str, value: Any) -> str:
    """The full report with one value replaced: ``listeners.0.socket.port``."""
    plain: Any = to_plain(full())
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    place = plain
    for part in parents:
        place = place[part]
    place[last] = value
    return json.dumps(plain)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("host", 7),
        ("host", None),
        ("taken_at", "yesterday"),
        ("taken_at", "2026-11-21T10:00:00"),
        ("taken_at", 5),
        ("listeners", {}),
        ("listeners", "x"),
        ("listeners.0", []),
        ("listeners.0.socket.port", "80"),
        ("listeners.0.socket.port", True),
        ("listeners.0.socket.port", 1.5),
        ("listeners.0.socket.inode", 2**70),
        ("listeners.0.socket.transport", "sctp"),
        ("listeners.0.owner.pids", [1, "2"]),
        ("listeners.0.owner.by_init", "yes"),
        ("processes.0.state", "Q"),
        ("processes.0.place", 3),
        ("units.0.names", "a.service"),
        ("logs.0.lines.0.text", "x" * (TEXT_CHARS_MAX + 1)),
        ("schema", 2),
        ("schema", None),
        ("vitals", {"load_1m": 1}),
    ],
)
def test_a_wrong_value_is_refused_by_its_path(path: str, value: Any) -> None:
    with pytest.raises(MalformedReport) as caught:
        from_json(changed(path, value))
    parts = [f"[{part}]" if part.isdecimal() else f".{part}" for part in path.split(".")]
    assert caught.value.path.startswith("".join(parts).lstrip(".").replace(".2", ""))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"schema": 1}', "[" * 100_000, '{"schema": 1, "host": NaN}']
)
def test_what_is_no_report_at_all_is_refused(text: str) -> None:
    with pytest.raises(MalformedReport):
        from_json(text)


def test_too_many_items_are_refused() -> None:
    with pytest.raises(MalformedReport, match="more than"):
        from_json(changed("addresses", [None] * (ITEMS_MAX + 1)))


def test_no_number_that_is_none() -> None:
    for value in (float("nan"), float("inf")):
        vitals = {"load_1m": value}
        with pytest.raises(MalformedReport, match="load_1m"):
            from_json(changed("vitals", vitals))


def test_a_newer_agent_may_say_more_and_defaults_may_be_left_out() -> None:
    plain = to_plain(full())
    plain["weather"] = {"sunny": True}
    plain["listeners"][0]["mood"] = 3
    del plain["listeners"][0]["queued_since"]
    expected = replace(full(), listeners=(replace(full().listeners[0], queued_since=None),))
    assert from_json(json.dumps(plain)) == expected


def test_times_are_utc() -> None:
    assert from_json(changed("taken_at", "2026-11-21T11:00:00+01:00")).taken_at == NOW
    assert to_plain(full())["taken_at"] == "2026-11-21T10:00:00Z"


def test_a_place_is_there_or_not() -> None:
    assert from_json(changed("processes.0.place", None)).processes[0].place is None
    assert full().processes[0].place == Place("/system.slice/x")

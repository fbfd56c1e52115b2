import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.host.sample import sample_bytes, sample_text
from trueup.host.engine_json import parse_container, parse_event, parse_ids, parse_json, parse_log
from trueup.host.facts import Container, PortMapping, Transport
from trueup.host.unreadable import HostUnreadable, Reason


def inspected(name: str) -> Container:
    return parse_container(json.loads(sample_text(f"docker_inspect_{name}.json")), "docker")


def test_a_running_container_whose_health_check_fails() -> None:
    web = inspected("web")
    assert (web.name, web.state, web.exit_code, web.image) == ("web", "running", None, "bb")
    assert (web.health, web.health_output) == ("unhealthy", "probing")
    assert web.health_failures > 1
    assert web.pid is not None
    assert web.started_at == datetime(2026, 11, 21, 2, 54, 50, 365735, UTC)
    assert web.finished_at is None
    assert (web.compose_service, web.restart_policy) == ("shop-web", "unless-stopped")
    assert web.memory_bytes_max == 64 * 1024 * 1024


def test_ports_published_twice_and_only_exposed() -> None:
    assert set(inspected("web").ports) == {
        PortMapping("127.0.0.1", 8123, 80, Transport.TCP),
        PortMapping("0.0.0.0", 8443, 443, Transport.TCP),
        PortMapping("::", 8443, 443, Transport.TCP),
        PortMapping(None, None, 9000, Transport.TCP),
    }


def test_a_container_that_exited_still_tells_the_port_it_was_meant_to_have() -> None:
    published = inspected("published")
    assert (published.state, published.exit_code, published.pid) == ("exited", 4, None)
    assert published.ports == (PortMapping("127.0.0.1", 8201, 80, Transport.TCP),)


def test_states() -> None:
    loops, frozen, memory, never, nosuch = map(inspected, ("loops", "frozen", "memory", "never", "nosuch"))
    assert (loops.state, loops.exit_code, loops.restart_policy) == ("restarting", 7, "always")
    assert loops.restarts > 3
    assert (frozen.state, frozen.exit_code) == ("paused", None)
    assert (memory.out_of_memory, memory.exit_code) == (True, 137)
    assert (never.state, never.exit_code, never.started_at, never.health) == ("created", None, None, None)
    assert (nosuch.state, nosuch.exit_code) == ("created", None)
    assert "no such file or directory" in nosuch.error


@pytest.mark.parametrize("missing", ["State", "Id", "Name", "HostConfig", "Config"])
def test_an_inspection_without_its_parts_is_refused(missing: str) -> None:
    said = json.loads(sample_text("docker_inspect_web.json"))
    del said[missing]
    with pytest.raises(HostUnreadable) as caught:
        parse_container(said, "docker")
    assert caught.value.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    "change",
    [
        {"State": []},
        {
            "State": {
                "Status": "running",
                "Pid": 1,
                "StartedAt": "yesterday",
                "FinishedAt": "",
                "OOMKilled": False,
            }
        },
        {"NetworkSettings": {"Ports": {"http/tcp": [{"HostPort": "1"}]}}},
        {"NetworkSettings": {"Ports": {"80/tcp": [{"HostPort": "a"}]}}},
        {"NetworkSettings": {"Ports": ["80/tcp"]}},
    ],
)
def test_an_inspection_of_other_types_is_refused(change: dict[str, Any]) -> None:
    said = json.loads(sample_text("docker_inspect_web.json")) | change
    with pytest.raises(HostUnreadable):
        parse_container(said, "docker")


def test_lists() -> None:
    listed = json.loads(sample_text("docker_list.json"))
    assert inspected("web").id in parse_ids(listed)
    for wrong in (7, [1], [{"id": 1}], None):
        with pytest.raises(HostUnreadable):
            parse_ids(wrong)
    with pytest.raises(HostUnreadable):
        parse_json(b"<html>", "docker")


def test_events() -> None:
    events = [parse_event(line) for line in sample_bytes("docker_events.jsonl").splitlines()]
    assert all(event is not None for event in events)
    told = [(event.name, event.action, event.exit_code) for event in events if event is not None]
    assert ("memory", "oom", None) in told
    assert ("memory", "die", 137) in told
    assert ("loops", "die", 7) in told
    assert ("frozen", "pause", None) in told
    first = events[0]
    assert first is not None
    assert first.at == datetime.fromtimestamp(1795229720519436459 / 1e9, UTC)


def test_podman_says_the_same_in_its_own_words() -> None:
    web, done, memory = (
        parse_container(json.loads(sample_text(f"podman_inspect_{name}.json")), "podman")
        for name in ("web", "done", "memory")
    )
    assert (web.engine, web.state, web.health, web.exit_code) == ("podman", "running", "starting", None)
    assert (web.compose_service, web.memory_bytes_max) == ("shop-web", 64 * 1024 * 1024)
    assert (done.state, done.exit_code, done.pid) == ("exited", 3, None)
    assert (memory.state, memory.exit_code, memory.out_of_memory) == ("exited", 137, False)
    events = [parse_event(line) for line in sample_bytes("podman_events.jsonl").splitlines()]
    told = [(event.name, event.action, event.exit_code) for event in events if event is not None]
    assert ("done", "die", 3) in told
    assert ("frozen", "pause", None) in told
    assert ("web", "start", None) in told


def test_podmans_words_for_the_same() -> None:
    died = {
        "Type": "container",
        "Action": "died",
        "Actor": {"ID": "ab", "Attributes": {"name": "web", "containerExitCode": "1"}},
        "timeNano": 1,
    }
    event = parse_event(json.dumps(died).encode())
    assert event is not None
    assert (event.action, event.exit_code) == ("die", 1)
    assert parse_event(json.dumps(died | {"Type": "image"}).encode()) is None


@pytest.mark.parametrize("line", [b"{", b"[]", b"{}", b'{"Actor": {}, "Action": "die", "timeNano": 1}'])
def test_another_event_is_refused(line: bytes) -> None:
    with pytest.raises(HostUnreadable):
        parse_event(line)


def test_framed_and_plain_logs_in_the_order_of_time() -> None:
    framed = parse_log(sample_bytes("docker_logs_framed.bin"), tty=False)
    assert [(line.source, line.text) for line in framed] == [("stderr", "trouble"), ("stdout", "hello")]
    assert framed[0].at == datetime(2026, 11, 21, 2, 54, 50, 365956, UTC)
    plain = parse_log(sample_bytes("docker_logs_tty.bin"), tty=True)
    assert [(line.source, line.text) for line in plain] == [(None, "on a terminal")]


def test_a_cut_frame_is_left_out_and_a_line_without_time_is_kept() -> None:
    assert len(parse_log(sample_bytes("docker_logs_framed.bin")[:-1], tty=False)) == 1
    assert parse_log(b"no time here\n", tty=True)[0].text == "no time here"
    assert parse_log(b"", tty=False) == ()

"""A local firewall before a service that listens, asked from the same machine."""

from collections.abc import Iterator

import pytest

from tests.beds.firewall import Firewall, Refusal
from tests.beds.nspawn import Machine
from tests.host_ghosts.stage import Stage

FIREWALL = ("down", "host", "firewall")


@pytest.fixture(scope="module")
def walls(ghost_machine: Machine) -> Iterator[Firewall]:
    yield Firewall(ghost_machine.namespace)
    ghost_machine.namespace.run("nft", "flush", "ruleset")


@pytest.fixture
def redis(stage: Stage) -> Stage:
    stage.write("/etc/redis/redis.conf", "bind 0.0.0.0 ::\nprotected-mode no\nsupervised systemd\nsave ''\n")
    stage.start("redis-server")
    return stage


@pytest.mark.parametrize("refusal", ["reset", "port-unreachable", "admin-prohibited"])
def test_a_reject(redis: Stage, walls: Firewall, refusal: Refusal) -> None:
    with walls.reject(6379, refusal):
        seen = redis.check(f"redis://{redis.machine.namespace.ipv4}")
    assert seen.verdict == FIREWALL
    assert seen.outside[0] in ("refused", "unreachable")
    assert "redis-server (pid " in seen.summary
    assert seen.todo.startswith("nft list ruleset | grep -nE '6379")
    assert redis.check(f"redis://{redis.machine.namespace.ipv4}").state == "up"


@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]"])
def test_a_drop(redis: Stage, walls: Firewall, address: str) -> None:
    with walls.drop(6379):
        seen = redis.check(f"redis://{address}", timeout="1s")
    assert seen.verdict == FIREWALL
    assert seen.outside == ["no-answer"]


def test_a_connection_whose_data_is_dropped(redis: Stage, walls: Firewall) -> None:
    with walls.silence(6379):
        seen = redis.check("redis://127.0.0.1", timeout="3s")
    assert seen.verdict == FIREWALL
    assert seen.outside == ["silent"]
    assert "what is sent to it gets lost" in seen.summary


def test_a_rule_before_nobody_is_no_firewall(stage: Stage, walls: Firewall) -> None:
    with walls.drop(6379):
        seen = stage.check("redis://127.0.0.1", timeout="1s")
    assert seen.cause in ("not-running", "not-enabled")


def test_one_who_came_after_the_question_was_not_walled_off(stage: Stage) -> None:
    """Refused, and listening by the time the machine is asked: it has come up, no firewall stood there."""
    options = "Restart=always\nRestartSec=0.2\n[Unit]\nStartLimitIntervalSec=0\n"
    stage.service("blinks.service", "waits.py", "127.0.0.1", 5999, 128, 0.3, options=options)
    seen = [stage.check("tcp://127.0.0.1:5999") for _ in range(6)]
    assert "firewall" not in {one.cause for one in seen}

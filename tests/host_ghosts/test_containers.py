"""Containers of a real engine: their state, their memory, their health, and what listens inside."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.capabilities import require_capability
from tests.beds.deadline import wait_until
from tests.beds.dockerd import Container, Engine, dockerd
from tests.host_ghosts.stage import PYTHON, Seen, look_until_judged, seen_in

FOREVER = ("sleep", "1000000")
WEB = ("httpd", "-f", "-p", "80")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with dockerd() as running:
        yield running


@pytest.fixture(autouse=True)
def cleared(engine: Engine) -> Iterator[None]:
    yield
    engine.thaw()
    left = engine.docker("ps", "--all", "--quiet").split()
    if left:
        engine.docker("rm", "--force", "--volumes", *left)


def trueup(engine: Engine, *words: str) -> list[Seen]:
    """``check`` in the network of the engine, which it's told to ask."""
    return look_until_judged(
        lambda: seen_in(
            subprocess.run(
                [*engine.namespace.prefix, PYTHON, "-m", "trueup", "check", "--json", *words],
                env={"DOCKER_HOST": f"unix://{engine.socket_path}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        )
    )


def check(engine: Engine, address: str = "http://127.0.0.1:8080") -> Seen:
    return trueup(engine, "--timeout", "2s", address)[0]


def check_named(engine: Engine, folder: Path, container: str, address: str = "http://127.0.0.1:8080") -> Seen:
    """With the container named in a configuration."""
    path = folder / "trueup.yaml"
    keys = f"at: '{address}', container: {container}, timeout: 2s, expect: {{status: [404]}}"
    path.write_text(f"services:\n  web: {{{keys}}}\n")
    return trueup(engine, "-c", str(path))[0]


def web(engine: Engine, *command: str, **options: object) -> Container:
    return engine.start("web", *(command or WEB), ports={8080: 80}, **options)  # type: ignore[arg-type]


def wait_for_web(engine: Engine) -> None:
    """Busybox has no page, and says so."""
    wait_until(lambda: check(engine).cause == "wrong-answer", "there's a web server", timeout_s=20)


def test_a_container_that_ended(engine: Engine, tmp_path: Path) -> None:
    made = web(engine)
    wait_for_web(engine)
    made.stop()
    for seen in (check(engine), check_named(engine, tmp_path, "web")):
        assert seen.verdict == ("down", "host", "not-running")
        assert seen.outside == ["refused"]
        assert seen.summary.startswith("Container web has exited")
        assert seen.next[0] == "docker start web"


def test_a_container_that_failed(engine: Engine) -> None:
    made = web(engine, "sh", "-c", "echo no licence found; exit 7")
    made.wait_for(lambda state: state.status == "exited", "it has failed")
    seen = check(engine)
    assert seen.verdict == ("down", "host", "crashed")
    assert seen.facts["exit_status"] == 7
    assert "exit code 7; it said: no licence found" in seen.summary
    assert "docker logs --tail 30 web" in seen.next


def test_a_container_that_keeps_dying(engine: Engine) -> None:
    made = web(engine, "sh", "-c", "echo again; sleep 0.3; exit 7", restart="always")
    made.wait_for(lambda state: state.restarts >= 3, "it loops")
    seen = [check(engine) for _ in range(3)]
    assert {one.verdict for one in seen} == {("down", "host", "crash-loop")}
    assert "Container web keeps dying" in seen[0].summary


def test_a_container_killed_for_memory(engine: Engine) -> None:
    require_capability("memory_limits")
    made = web(engine, "tail", "-n", "1", "/dev/zero", memory="8m")
    made.wait_for(lambda state: state.oom_killed and state.status == "exited", "it is killed")
    seen = check(engine)
    assert seen.verdict == ("down", "host", "out-of-memory")
    assert "its limit is 8 MiB" in seen.summary


def test_a_container_that_is_paused(engine: Engine) -> None:
    made = web(engine)
    wait_for_web(engine)
    made.pause()
    seen = check(engine)
    assert seen.verdict == ("down", "host", "paused")
    assert seen.outside == ["silent"]
    assert seen.next == ["docker unpause web"]


def test_a_process_stopped_inside_its_container(engine: Engine) -> None:
    made = web(engine)
    wait_for_web(engine)
    engine.docker("kill", "--signal=STOP", "web")
    seen = check(engine)
    engine.docker("kill", "--signal=CONT", "web")
    assert seen.verdict == ("down", "host", "paused")
    assert seen.next == [f"kill -CONT {made.state().pid}"]


def test_nothing_listens_inside(engine: Engine) -> None:
    web(engine, *FOREVER)
    seen = check(engine)
    assert seen.verdict == ("down", "host", "not-listening")
    assert seen.outside == ["closes"]
    assert "nothing in it listens on port 80, to which port 8080 leads" in seen.summary


def test_it_listens_on_the_loopback_of_its_container(engine: Engine) -> None:
    web(engine, "httpd", "-f", "-p", "127.0.0.1:80")
    seen = check(engine)
    assert seen.verdict == ("down", "host", "wrong-address")
    assert seen.facts["listens_at"] == ["127.0.0.1"]
    assert "it must listen at 0.0.0.0 there" in seen.summary


def test_an_unhealthy_container_that_answers_is_degraded(engine: Engine, tmp_path: Path) -> None:
    made = web(engine, health="echo cupboard is bare; exit 1")
    made.wait_for(lambda state: state.health == "unhealthy", "it is unhealthy")
    wait_for_web(engine)
    seen = check_named(engine, tmp_path, "web")
    assert seen.verdict == ("degraded", "host", "unhealthy")
    assert seen.summary.endswith("times: cupboard is bare")
    assert "docker inspect" in seen.todo


def test_an_unhealthy_container_that_fails(engine: Engine) -> None:
    """It listens, and hangs up."""
    made = web(engine, "sh", "-c", "while true; do nc -l -p 80 -e true; done", health="exit 1")
    made.wait_for(lambda state: state.health == "unhealthy", "it is unhealthy")
    seen = check(engine)
    assert seen.verdict == ("down", "host", "unhealthy")
    assert seen.outside


def test_a_healthy_container_is_up(engine: Engine, tmp_path: Path) -> None:
    made = web(engine, health="true")
    made.wait_for(lambda state: state.health == "healthy", "it is healthy")
    wait_for_web(engine)
    assert check_named(engine, tmp_path, "web").state == "up"


def test_published_at_one_address_only(engine: Engine) -> None:
    engine.docker(
        "run", "--detach", "--name=web", "--publish=127.0.0.1:8080:80", "busybox-of-this-machine", *WEB
    )
    seen = check(engine, f"http://{engine.namespace.ipv4}:8080")
    assert seen.verdict == ("down", "host", "wrong-address")
    assert seen.summary.startswith("Container web listens at 127.0.0.1")


def test_a_container_that_isn_t_there(engine: Engine, tmp_path: Path) -> None:
    engine.start("other", *FOREVER)
    seen = check_named(engine, tmp_path, "web")
    assert seen.verdict == ("down", "host", "not-running")
    assert "There is no container web" in seen.summary


def test_a_frozen_engine_says_nothing_of_a_dead_container(engine: Engine) -> None:
    """Its proxy accepts for nobody. Without the engine's word, what is seen from outside stays."""
    made = web(engine)
    wait_for_web(engine)
    made.crash_unnoticed()
    seen = check(engine)
    assert seen.verdict == ("down", "service", "closes")
    engine.thaw()
    made.wait_for(lambda state: state.status == "exited", "it is found dead")
    seen = check(engine)
    assert seen.verdict == ("down", "host", "not-running")
    assert "ended by SIGKILL (exit code 137)" in seen.summary


def test_a_port_that_two_containers_would_publish_is_nobody_s(engine: Engine) -> None:
    for name in ("one", "two"):
        engine.start(name, *WEB, ports={8080: 80}).stop()
    assert check(engine).verdict == ("down", "port", "refused")


def test_an_engine_that_may_not_be_asked_is_no_evidence(engine: Engine) -> None:
    """As nobody: the container has ended, and the one who asks can't know."""
    web(engine).stop()
    done = subprocess.run(
        [
            *engine.namespace.prefix,
            *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
            *(PYTHON, "-m", "trueup", "check", "--json", "http://127.0.0.1:8080"),
        ],
        env={"DOCKER_HOST": f"unix://{engine.socket_path}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert seen_in(done)[0].verdict == ("down", "port", "refused")


# ---- discover, snapshot and verify ------------------------------------------------------------------------


def command(engine: Engine, *words: str) -> subprocess.CompletedProcess[str]:
    """Any command of ``trueup`` in the network of the engine."""
    return subprocess.run(
        [*engine.namespace.prefix, PYTHON, "-m", "trueup", *words],
        env={**os.environ, "DOCKER_HOST": f"unix://{engine.socket_path}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_published_port_is_found_by_its_container_s_name_and_the_engine_too(engine: Engine) -> None:
    web(engine)
    wait_for_web(engine)
    found = {one["name"]: one for one in json.loads(command(engine, "discover", "--json").stdout)["services"]}
    assert found["web"]["at"] == "http://127.0.0.1:8080"
    assert found["web"]["container"] == "web"
    assert found["web"]["expect"] == {"status": [404]}
    assert found["docker"]["at"] == f"docker://{engine.socket_path}"


def test_a_container_that_does_not_run_any_more_is_lost_with_its_port(engine: Engine, tmp_path: Path) -> None:
    made = web(engine)
    wait_for_web(engine)
    file = tmp_path / "before.json"
    assert command(engine, "snapshot", "-o", str(file)).returncode == 0
    made.stop()
    done = command(engine, "verify", "--against", str(file), "--json")
    (lost,) = json.loads(done.stdout)["lost"]
    assert done.returncode == 2
    assert lost["says"] == "the container web is exited and its restart policy is no"
    assert "tcp 0.0.0.0:8080" in lost["listeners"]

import contextlib
import http.client
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds import processes
from tests.beds.capabilities import cgroup_mounts, require_capability
from tests.beds.deadline import wait_until
from tests.beds.dockerd import Engine, dockerd
from tests.beds.namespaces import network

FOREVER = ("sleep", "1000000")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with dockerd() as running:
        yield running


def fetch(engine: Engine, port: int) -> int:
    """The status of an answer over a published port."""
    with engine.namespace.enter():
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        client.connect()
    try:
        client.request("GET", "/")
        return client.getresponse().status
    finally:
        client.close()


def wait_for_page(engine: Engine, port: int) -> None:
    """Busybox serves; until it listens inside, the proxy accepts and closes."""

    def served() -> bool:
        with contextlib.suppress(ConnectionError):
            return fetch(engine, port) == 404
        return False

    wait_until(served, f"port {port} serves")


def test_the_engine_answers_over_its_socket(engine: Engine) -> None:
    with socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(5)
        plain.connect(str(engine.socket_path))
        plain.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        assert plain.recv(100).startswith(b"HTTP/1.0 200 OK")


def test_a_container_serves_a_published_port_until_it_stops(engine: Engine) -> None:
    web = engine.start("web", "httpd", "-f", "-p", "80", ports={8080: 80})
    wait_for_page(engine, 8080)
    web.stop()
    assert web.state().status == "exited"
    with pytest.raises(ConnectionRefusedError):
        fetch(engine, 8080)


def test_a_health_check_fails_and_recovers(engine: Engine) -> None:
    moody = engine.start("moody", *FOREVER, health="echo checked; test -e /tmp/well")
    assert moody.state().health in {"starting", "unhealthy"}
    moody.wait_for(lambda state: state.health == "unhealthy", "it is unhealthy")
    assert moody.state().status == "running"
    moody.run("touch", "/tmp/well")
    moody.wait_for(lambda state: state.health == "healthy", "it is healthy")


def test_without_a_health_check_there_is_no_health(engine: Engine) -> None:
    assert engine.start("plain", *FOREVER).state().health is None


def test_the_kernel_kills_what_takes_too_much_memory(engine: Engine) -> None:
    require_capability("memory_limits")
    for name in ("greedy", "greedier", "greediest"):
        greedy = engine.start(name, "tail", "-n", "1", "/dev/zero", memory="8m")
        state = greedy.wait_for(lambda state: state.status == "exited", "it is killed")
        if state.oom_killed:  # an event tells the engine, too late where the end comes first
            break
    assert state.oom_killed
    assert state.exit_code == 137


def test_a_crash_loop_restarts_on_and_on(engine: Engine) -> None:
    loop = engine.start("loop", "sh", "-c", "echo once more; exit 7", restart="always")
    state = loop.wait_for(lambda state: state.restarts >= 3 and state.status == "restarting", "it loops")
    assert state.exit_code == 7
    assert loop.log()[:2] == ["once more", "once more"]
    loop.remove()


def test_a_crash_is_noticed_and_restarted_but_a_kill_is_not(engine: Engine) -> None:
    phoenix = engine.start("phoenix", *FOREVER, restart="always")
    first = phoenix.state().pid
    phoenix.crash()
    phoenix.wait_for(lambda state: state.status == "running" and state.pid != first, "it runs again")
    assert phoenix.state().restarts == 1
    phoenix.kill()
    assert phoenix.wait_for(lambda state: state.status == "exited", "it is killed").exit_code == 137


def test_a_paused_container_accepts_and_says_nothing(engine: Engine) -> None:
    mute = engine.start("mute", "httpd", "-f", "-p", "80", ports={8081: 80})
    wait_for_page(engine, 8081)
    mute.pause()
    assert mute.state().status == "paused"
    with pytest.raises(TimeoutError):
        fetch(engine, 8081)
    mute.unpause()
    assert fetch(engine, 8081) == 404


def test_the_proxy_accepts_where_nothing_listens_inside(engine: Engine) -> None:
    engine.start("empty", *FOREVER, ports={8082: 80})
    with pytest.raises(ConnectionResetError):
        fetch(engine, 8082)


def test_the_proxy_of_a_dead_container_stays_while_the_daemon_is_frozen(engine: Engine) -> None:
    ghost = engine.start("ghost", "httpd", "-f", "-p", "80", ports={8083: 80})
    wait_for_page(engine, 8083)
    pid = ghost.state().pid
    ghost.crash_unnoticed()
    try:
        body = processes.read(pid)
        wait_until(lambda: body is None or not body.alive, "the container is dead")
        with pytest.raises(ConnectionResetError):
            fetch(engine, 8083)
        with pytest.raises(subprocess.TimeoutExpired):
            engine.docker("ps", timeout_s=0.5)
    finally:
        engine.thaw()
    ghost.wait_for(lambda state: state.status == "exited", "it is found dead")
    with pytest.raises(ConnectionRefusedError):
        fetch(engine, 8083)


def test_the_wait_for_a_state_says_what_it_is_instead(engine: Engine) -> None:
    calm = engine.start("calm", "sh", "-c", "echo here; sleep 100000")
    with pytest.raises(AssertionError, match="calm: it is gone") as caught:
        calm.wait_for(lambda state: state.status == "gone", "it is gone", timeout_s=0.1)
    assert "status='running'" in caught.value.__notes__[0]


def test_it_stands_in_the_network_it_is_given_and_leaves_nothing() -> None:
    with network("client", "server") as (client, place):
        with dockerd(namespace=place) as engine:
            web = engine.start("web", "httpd", "-f", "-p", "80", ports={80: 80})
            wait_for_page(engine, 80)
            with client.enter():
                socket.create_connection((place.ipv4, 80), timeout=5).close()
            body = processes.read(web.state().pid)
        assert body is not None
        assert not body.alive
        assert not engine.folder.exists()
        assert not any((mount / engine.cgroup).exists() for mount in cgroup_mounts())


def test_it_ends_with_the_test_run_that_made_it() -> None:
    code = (
        "from tests.beds.dockerd import dockerd\n"
        "import sys\n"
        "with dockerd() as engine:\n"
        "    print(engine.start('left', 'sleep', '1000000').state().pid, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as runner:
        assert runner.stdout is not None
        body = processes.read(int(runner.stdout.readline()))
        assert body is not None
        runner.kill()
        wait_until(lambda: not body.alive, "the container is gone")
    with dockerd():
        folders = [Path("/run/netns"), Path(tempfile.gettempdir()), *cgroup_mounts()]
        assert not [path for folder in folders for path in folder.glob(f"trueup-{runner.pid}-*")]

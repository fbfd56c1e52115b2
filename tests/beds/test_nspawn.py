import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds import processes
from tests.beds.capabilities import cgroup_roots, require_capability
from tests.beds.deadline import wait_until
from tests.beds.firewall import Firewall
from tests.beds.namespaces import network
from tests.beds.nspawn import SHARE, Machine, machine

UNITS = {
    "fails.service": "[Service]\nExecStart=/bin/sh -c 'echo no configuration found; exit 3'\n",
    "loops.service": (
        "[Unit]\nStartLimitIntervalSec=60\nStartLimitBurst=4\n"
        "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=0.05\n"
    ),
    "hungry.service": (
        "[Service]\n"
        "ExecStart=/bin/sh -c 'until test -e /run/eat; do sleep 0.05; done; exec tail -n 1 /dev/zero'\n"
    ),
    "held.socket": "[Socket]\nListenStream=127.0.0.1:9999\n",
    "held.service": "[Service]\nExecStart=/bin/false\n",
    "sleeps.service": "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Machine]:
    with machine(units=UNITS) as booted:
        yield booted


def test_systemd_is_process_one_and_all_is_well(server: Machine) -> None:
    assert server.systemctl("is-system-running") == "running"
    assert server.run("cat", "/proc/1/comm").stdout == "systemd\n"
    assert int(server.run("sh", "-c", "ls -d /proc/[0-9]* | wc -l").stdout) < 30


def test_installed_servers_start_on_their_own_ports(server: Machine) -> None:
    server.systemctl("start", "redis-server", "nginx")
    with server.namespace.enter():
        with socket.create_connection(("127.0.0.1", 6379), timeout=5) as redis:
            redis.sendall(b"PING\r\n")
            assert redis.recv(100) == b"+PONG\r\n"
        with socket.create_connection(("127.0.0.1", 80), timeout=5) as nginx:
            nginx.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
            assert nginx.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    assert server.show("redis-server", "ActiveState", "ControlGroup") == {
        "ActiveState": "active",
        "ControlGroup": "/system.slice/redis-server.service",
    }
    assert any("Started redis-server.service" in line for line in server.journal("redis-server"))


def test_a_failing_unit_tells_its_status_and_last_words(server: Machine) -> None:
    server.systemctl("start", "fails")
    server.wait_for("fails", ActiveState="failed", Result="exit-code", ExecMainStatus="3")
    assert "no configuration found" in server.journal("fails.service")


def test_a_crash_loop_ends_in_failure(server: Machine) -> None:
    server.systemctl("start", "loops")
    server.wait_for("loops", ActiveState="failed", NRestarts="4")


def test_a_unit_that_takes_too_much_memory_is_killed(server: Machine) -> None:
    require_capability("memory_limits")
    server.systemctl("start", "hungry")
    server.limit_memory("hungry", 16 << 20)
    assert server.pids("hungry")
    server.run("touch", "/run/eat")
    server.wait_for("hungry", ActiveState="failed", ExecMainStatus="9")
    assert server.pids("hungry") == []


def test_a_socket_is_held_for_a_service_that_never_starts(server: Machine) -> None:
    server.systemctl("start", "held.socket")

    def refused() -> bool:
        """Or else accepted, then closed or reset."""
        with server.namespace.enter(), contextlib.suppress(ConnectionResetError):
            try:
                with socket.create_connection(("127.0.0.1", 9999), timeout=2) as held:
                    assert held.recv(10) == b""
            except ConnectionRefusedError:
                return True
        return False

    assert not refused()
    wait_until(refused, "systemd gives up")
    assert server.show("held.socket", "ActiveState", "Result") == {
        "ActiveState": "failed",
        "Result": "service-start-limit-hit",
    }


def test_what_is_not_enabled_is_lost_at_a_reboot_and_the_disk_is_kept(server: Machine) -> None:
    boot = server.run("cat", "/proc/sys/kernel/random/boot_id").stdout
    server.systemctl("enable", "sleeps")
    server.systemctl("start", "redis-server", "sleeps")
    server.write("/etc/kept", "kept\n")
    server.reboot()
    assert server.run("cat", "/proc/sys/kernel/random/boot_id").stdout != boot
    assert server.run("cat", "/etc/kept").stdout == "kept\n"
    assert server.show("redis-server", "ActiveState", "UnitFileState") == {
        "ActiveState": "inactive",
        "UnitFileState": "disabled",
    }
    assert server.show("sleeps", "ActiveState", "UnitFileState") == {
        "ActiveState": "active",
        "UnitFileState": "enabled",
    }


def test_it_can_be_off_and_changed_meanwhile(server: Machine) -> None:
    server.poweroff()
    server.add_units({"late.service": "[Service]\nExecStart=/bin/sleep infinity\n"})
    with pytest.raises(AssertionError, match="is off"):
        server.run("true")
    server.boot()
    server.systemctl("start", "late")


def test_units_and_files_arrive_while_it_runs(server: Machine) -> None:
    server.write("/opt/shop/run", "#!/bin/sh\necho open\nexec sleep infinity\n", mode=0o755)
    server.add_units({"shop.service": "[Service]\nExecStart=/opt/shop/run\n"})
    server.systemctl("start", "shop")
    wait_until(lambda: "open" in server.journal("shop"), "the shop is open")


def test_the_wait_for_a_unit_says_what_it_is_instead(server: Machine) -> None:
    with pytest.raises(AssertionError) as caught:
        server.wait_for("multi-user.target", timeout_s=0.2, ActiveState="failed")
    assert any("'ActiveState': 'active'" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("user", [None, "nobody"])
def test_the_project_runs_inside_for_root_and_others(server: Machine, user: str | None) -> None:
    code = "import os, trueup; print(os.getuid(), trueup.__file__)"
    uid, where = server.python("-c", code, user=user).stdout.split()
    assert uid == ("0" if user is None else "65534")
    assert Path(where).is_relative_to(Path(__file__).parents[2] / "src")
    assert server.trueup("--version", user=user).stdout.startswith("trueup")


def test_a_command_that_fails_shows_why(server: Machine) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        server.run("ls", "/nothing/here")
    assert "cannot access '/nothing/here'" in caught.value.__notes__[0]


def test_a_long_process_is_signalled_stopped_and_seen_inside(server: Machine) -> None:
    code = "import signal; signal.signal(15, lambda *_: exit(7)); print('up', flush=True); signal.pause()"
    process = server.popen(sys.executable, "-c", code, stdout=subprocess.PIPE)
    assert process.entry.stdout is not None
    assert process.entry.stdout.readline() == "up\n"
    assert process.pid != process.entry.pid
    inside = Path(f"/proc/{process.pid}/status").read_text().split("NSpid:")[1].split("\n")[0].split()[-1]
    assert "session-1.scope" in server.run("cat", f"/proc/{inside}/cgroup").stdout
    assert process.stop() == 7
    other = server.popen("sleep", "infinity")
    other.send(signal.SIGKILL)
    assert other.entry.wait(5) != 0


def test_a_command_that_takes_too_long_is_ended(server: Machine) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        server.run("sleep", "123456", timeout_s=0.3)
    assert "sleep 123456" not in server.run("ps", "ax").stdout


def test_a_folder_is_shared(server: Machine) -> None:
    (server.share / "asked").write_text("question")
    server.run("cp", str(SHARE / "asked"), str(SHARE / "answered"))
    assert (server.share / "answered").read_text() == "question"


def test_its_bus_answers_from_here(server: Machine) -> None:
    answer = subprocess.run(
        [
            *("busctl", "get-property", "org.freedesktop.systemd1", "/org/freedesktop/systemd1"),
            *("org.freedesktop.systemd1.Manager", "SystemState"),
        ],
        env=os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": server.bus_address},
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    assert re.fullmatch(r's "(running|degraded)"\n', answer.stdout)


def test_this_machine_is_never_written_to(server: Machine) -> None:
    server.write("/etc/trueup-was-here", "")
    server.run("touch", "/usr/trueup-was-here")
    for path in ("/etc/trueup-was-here", "/usr/trueup-was-here"):
        assert (server.root / path.lstrip("/")).exists()
        assert not Path(path).exists()
    project = Path(__file__).parents[2]
    assert server.run("touch", str(project / "trueup-was-here"), check=False).returncode != 0


def test_it_stands_in_the_network_it_is_given_and_leaves_nothing() -> None:
    with network("client", "server") as (client, place):
        with machine(namespace=place) as server:
            server.write("/etc/redis/redis.conf", "bind 0.0.0.0\nprotected-mode no\nsupervised systemd\n")
            server.systemctl("start", "redis-server")
            with client.enter(), socket.create_connection((place.ipv4, 6379), timeout=5) as redis:
                redis.sendall(b"PING\r\n")
                assert redis.recv(100) == b"+PONG\r\n"
            with Firewall(place).reject(6379), client.enter(), pytest.raises(ConnectionRefusedError):
                socket.create_connection((place.ipv4, 6379), timeout=5)
            left = server.popen("sleep", "infinity")
            leader = processes.read(server.leader_pid)
        assert left.entry.returncode is not None
        assert leader is not None
        assert not leader.alive
        assert not server.share.exists()
        assert not any(cgroup.exists() for cgroup in server.cgroups)


def test_it_ends_with_the_test_run_that_made_it() -> None:
    code = (
        "from tests.beds.nspawn import machine\n"
        "import sys\n"
        "with machine() as server:\n"
        "    print(server.leader_pid, flush=True)\n"
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
        leader = processes.read(int(runner.stdout.readline()))
        assert leader is not None
        runner.kill()
        wait_until(lambda: not leader.alive, "the machine is off")
    folders = [Path("/run/netns"), Path(tempfile.gettempdir()), *cgroup_roots().values()]
    assert all(any(folder.glob(f"trueup-{runner.pid}-*")) for folder in folders)
    with machine():
        assert not [path for folder in folders for path in folder.glob(f"trueup-{runner.pid}-*")]

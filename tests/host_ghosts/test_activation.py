"""Ports that systemd holds for a service that fails, sleeps, or is started for each connection."""

import pytest

from tests.beds.deadline import wait_until
from tests.host_ghosts.stage import PROGRAMS, PYTHON, Stage

ACTIVATION_FAILED = ("down", "host", "activation-failed")


def held(stage: Stage, service: str, options: str = "") -> None:
    stage.unit("held.service", f"[Service]\n{service}\n")
    stage.unit("held.socket", f"[Socket]\nListenStream=127.0.0.1:5999\n{options}\n")
    stage.start("held.socket")


@pytest.mark.parametrize("address", ["redis://127.0.0.1:5999", "http://127.0.0.1:5999"])
def test_the_service_fails_until_systemd_gives_up(stage: Stage, address: str) -> None:
    held(stage, "ExecStart=/bin/sh -c 'echo no licence; exit 3'")
    first = stage.check(address)
    stage.machine.wait_for("held.socket", ActiveState="failed")
    later = stage.check(address)
    assert first.cause in ("activation-failed", "closes")  # or it's met while systemd tries again
    assert later.verdict == ACTIVATION_FAILED
    assert later.outside == ["refused"]
    for seen in [one for one in (first, later) if one.layer == "host"]:
        assert "held.service" in seen.summary
        assert "exit status 3" in seen.summary
        assert "no licence" in seen.summary
        assert "journalctl -u held.service" in seen.todo
    assert "systemctl reset-failed held.service held.socket; systemctl start held.socket" in later.next


def test_a_socket_that_systemd_has_closed_tells_whose_port_it_was(stage: Stage) -> None:
    """To connect is all that tcp asks, so the first look is answered; it is what makes systemd give up."""
    held(stage, "ExecStart=/bin/false")
    assert stage.check("tcp://127.0.0.1:5999").state == "up"
    stage.machine.wait_for("held.socket", ActiveState="failed")
    assert stage.check("tcp://127.0.0.1:5999").verdict == ACTIVATION_FAILED


def test_the_service_runs_and_takes_no_connection(stage: Stage) -> None:
    held(stage, "ExecStart=/bin/sleep 1000")
    seen = stage.check("redis://127.0.0.1:5999", timeout="1s")
    assert seen.verdict == ACTIVATION_FAILED
    assert seen.outside == ["silent"]
    assert "held.service, which started" in seen.summary
    assert "has taken no connection" in seen.summary


def test_a_service_for_each_connection_fails(stage: Stage) -> None:
    stage.unit("each@.service", "[Service]\nExecStart=/bin/false\nStandardInput=socket\n")
    stage.unit("each.socket", "[Socket]\nListenStream=127.0.0.1:5999\nAccept=yes\n")
    stage.units.remove("each@.service")
    stage.start("each.socket")
    seen = stage.check("redis://127.0.0.1:5999")
    assert seen.verdict == ACTIVATION_FAILED
    assert "each@.service" in seen.summary
    assert "journalctl -u 'each@*' -n 30 --no-pager" in seen.next


def test_a_service_that_starts_on_demand_is_up(stage: Stage) -> None:
    code = (
        "import socket,sys; s=socket.socket(fileno=3)\n"
        "while True: c=s.accept()[0]; c.recv(99); c.sendall(b'+PONG\\\\r\\\\n'); c.close()"
    )
    stage.write("/usr/local/bin/pong", f"#!{PYTHON}\n" + code.replace("\\\\", "\\"))
    stage.machine.run("chmod", "+x", "/usr/local/bin/pong")
    held(stage, "ExecStart=/usr/local/bin/pong")
    assert stage.machine.show("held.service", "ActiveState")["ActiveState"] == "inactive"
    assert stage.check("tcp://127.0.0.1:5999").state == "up"
    assert stage.check("redis://127.0.0.1:5999").state == "up"


def test_nothing_is_said_while_the_service_starts(stage: Stage) -> None:
    held(stage, f"Type=notify\nExecStart={PYTHON} {PROGRAMS / 'waits.py'} 127.0.0.1 5998")
    seen = stage.check("redis://127.0.0.1:5999", timeout="1s")
    assert stage.machine.show("held.service", "ActiveState")["ActiveState"] == "activating"
    assert seen.verdict == ("down", "service", "silent")


def test_a_socket_that_was_stopped_is_not_running(stage: Stage) -> None:
    held(stage, "ExecStart=/bin/sleep 1000")
    stage.machine.systemctl("stop", "held.socket")
    wait_until(lambda: not stage.listens(5999), "the port is free")
    seen = stage.check_configured(shop="at: tcp://127.0.0.1:5999, unit: held.socket")["shop"]
    assert seen.verdict == ("down", "host", "not-running")
    assert "held.socket is not running" in seen.summary

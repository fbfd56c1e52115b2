"""Controls: what is well stays up and asks the machine nothing; what could be two is said of nobody."""

import re
import sys

import pytest

from tests.host_ghosts.stage import Stage

ALL_WELL = {
    "redis-server": "redis://127.0.0.1",
    "nginx": "http://127.0.0.1",
    "postgresql@15-main": "postgres://127.0.0.1",
    "mariadb": "mysql://127.0.0.1",
    "memcached": "memcached://127.0.0.1",
}


def test_all_is_well(stage: Stage) -> None:
    stage.start(*ALL_WELL)
    seen = stage.check_configured(
        **{f"s{number}": f"at: '{at}', unit: {unit}" for number, (unit, at) in enumerate(ALL_WELL.items())}
    )
    assert {one.state for one in seen.values()} == {"up"}
    assert not any(one.facts for one in seen.values())


def test_who_is_well_is_not_asked_by_the_machine(stage: Stage) -> None:
    """Nothing of the host layer is even loaded, so what is well is as quick as before."""
    stage.start("redis-server")
    stage.wait_for_port(6379)
    command = ("-X", "importtime", "-m", "trueup", "check", "--json", "redis://127.0.0.1")
    loaded = stage.machine.python(*command).stderr
    assert "trueup.app.one_look" in loaded
    assert "trueup.app.own_word" not in loaded
    assert set(re.findall(r"trueup\.host\.\w+", loaded)) == {"trueup.host.dialled"}


def test_the_machine_can_be_left_out(stage: Stage) -> None:
    done = stage.machine.trueup("check", "--json", "--no-host", "redis://127.0.0.1")
    assert '"refused"' in done.stdout
    assert '"host"' not in done.stdout


def test_two_web_servers_could_be_meant(stage: Stage) -> None:
    """Both are installed, neither has run since the boot: nobody knows which of them is missed."""
    stage.machine.reboot()
    assert stage.check("http://127.0.0.1").verdict == ("down", "port", "refused")


def test_the_one_in_use_is_meant(stage: Stage) -> None:
    """Of two that are installed, the one that has failed since the boot."""
    stage.write("/etc/nginx/conf.d/broken.conf", "no_such_directive on;\n")
    stage.fail("nginx")
    assert stage.check("http://127.0.0.1").cause == "crashed"
    stage.write("/etc/haproxy/haproxy.cfg", "no such section\n")
    stage.fail("haproxy")
    assert stage.check("http://127.0.0.1").verdict == ("down", "port", "refused")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:5999", "127.0.0.1:5999", "http://127.0.0.1:5999"])
def test_nobody_is_meant_by_a_port_alone(stage: Stage, address: str) -> None:
    assert stage.check(address).verdict == ("down", "port", "refused")


def test_another_machine_is_not_this_one(stage: Stage) -> None:
    """Redis is stopped here; that says nothing of one elsewhere."""
    stage.start("redis-server")
    stage.machine.systemctl("stop", "redis-server")
    assert stage.check("redis://10.87.0.99", timeout="1s").layer == "port"


def test_a_wrong_password_is_no_machine_s_fault(stage: Stage) -> None:
    stage.start("redis-server")
    seen = stage.check("redis://nobody:wrong@127.0.0.1")
    assert (seen.layer, seen.cause) == ("service", "login-refused")


def test_a_user_without_rights_gets_no_wrong_statement(stage: Stage) -> None:
    """Whose the port is isn't known to nobody, nor what state its process is in."""
    stage.start("redis-server")
    stage.pause(*stage.machine.pids("redis-server"))
    seen = stage.check("redis://127.0.0.1", user="nobody")
    stage.go_on()
    assert seen.cause in ("paused", "hung", "silent")


def test_a_page_of_an_error_is_the_service_s_own(stage: Stage) -> None:
    stage.write("/etc/nginx/conf.d/sorry.conf", "server { listen 5998; return 500; }\n")
    stage.start("nginx")
    assert stage.check("http://127.0.0.1:5998").verdict == ("down", "service", "error-answer")


def test_a_listener_that_closes_is_the_service_s_own(stage: Stage) -> None:
    code = "import socket\ns = socket.create_server(('127.0.0.1', 5999))\nwhile True: s.accept()[0].close()"
    stage.popen(sys.executable, "-c", code)
    stage.wait_for_port(5999)
    assert stage.check("redis://127.0.0.1:5999").verdict == ("down", "service", "closes")


def test_a_proxy_that_closes_speaks_for_its_backend(stage: Stage) -> None:
    door = "listen door\n mode tcp\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n"
    stage.write("/tmp/door.cfg", f"{door} bind 127.0.0.1:5999\n server only 127.0.0.1:5997\n")
    stage.popen("haproxy", "-db", "-f", "/tmp/door.cfg")
    stage.wait_for_port(5999)
    seen = stage.check("redis://127.0.0.1:5999", timeout="8s")
    assert seen.verdict == ("down", "service", "bad-upstream")
    assert "haproxy (pid " in seen.summary

"""The right one at another address or port, and another one at the right port."""

import sys

import pytest

from tests.beds.deadline import wait_until
from tests.host_ghosts.stage import PROGRAMS, PYTHON, Stage


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_bound_to_loopback_and_asked_at_another_own_address(stage: Stage, family: str) -> None:
    stage.start("redis-server")
    own = getattr(stage.machine.namespace, family)
    seen = stage.check(f"redis://[{own}]" if ":" in own else f"redis://{own}")
    assert seen.verdict == ("down", "host", "wrong-address")
    assert seen.outside == ["refused"]
    assert seen.facts["listens_at"] == ["127.0.0.1"]
    assert f"and {own} is asked" in seen.summary
    assert "Ask 127.0.0.1:6379" in seen.todo
    assert stage.check("redis://localhost").state == "up"


def test_bound_to_one_address_and_asked_at_loopback(stage: Stage) -> None:
    own = stage.machine.namespace.ipv4
    stage.service("shop.service", "shop.py", own, 5999)
    stage.wait_for_port(5999)
    assert stage.check(f"http://{own}:5999").state == "up"
    assert stage.check("http://127.0.0.1:5999").verdict == ("down", "host", "wrong-address")


def test_another_program_on_the_same_port_elsewhere_is_not_the_one(stage: Stage) -> None:
    """A web server at another address of port 6379 says nothing of redis, which is stopped."""
    own = stage.machine.namespace.ipv4
    stage.write("/etc/nginx/conf.d/odd.conf", f"server {{ listen {own}:6379; }}\n")
    stage.start("nginx")
    seen = stage.check("redis://127.0.0.1")
    assert seen.cause != "wrong-address"
    named = stage.check_configured(cache="at: redis://127.0.0.1, unit: redis-server")["cache"]
    assert named.cause in ("not-running", "not-enabled")


@pytest.mark.parametrize("now", ["server { listen 81; }", "# nothing at all"])
def test_nginx_reloaded_with_a_configuration_that_no_longer_listens(stage: Stage, now: str) -> None:
    site = "/etc/nginx/conf.d/shop.conf"
    stage.write("/etc/nginx/sites-enabled/default", "")
    stage.write(site, "server { listen 80; }\n")
    stage.start("nginx")
    assert stage.check("http://127.0.0.1").state == "up"
    stage.write(site, now + "\n")
    stage.machine.systemctl("reload", "nginx")
    wait_until(lambda: not stage.listens(80), "nginx has let go of port 80")
    seen = stage.check("http://127.0.0.1")
    assert seen.verdict == ("down", "host", "not-listening")
    assert "nginx.service is active, and nothing of it listens on port 80" in seen.summary
    assert f"{site} changed" in seen.summary
    assert seen.facts["listens_on"] == ([81] if "81" in now else [])
    assert "nginx -t" in seen.next


def test_a_running_unit_that_listens_nowhere(stage: Stage) -> None:
    stage.unit("idle.service", "[Service]\nExecStart=/bin/sleep 1000\n")
    stage.start("idle")
    seen = stage.check_configured(
        unit="at: tcp://127.0.0.1:5999, unit: idle", process="at: tcp://127.0.0.1:5999, process: sleep"
    )
    assert seen["unit"].verdict == seen["process"].verdict == ("down", "host", "not-listening")
    assert "idle.service is active" in seen["unit"].summary


def test_a_web_server_is_not_at_fault_for_a_port_of_any_program(stage: Stage) -> None:
    stage.start("nginx")
    assert stage.check("http://127.0.0.1:8080").verdict == ("down", "port", "refused")


def test_python_where_postgres_should_be(stage: Stage) -> None:
    stage.popen(sys.executable, "-m", "http.server", "5432", "--bind", "127.0.0.1")
    stage.wait_for_port(5432)
    seen = stage.check("postgres://127.0.0.1", timeout="4s")
    assert seen.verdict == ("down", "host", "wrong-owner")
    assert seen.outside == ["wrong-service"]
    assert "holds port 5432 and speaks http" in seen.summary
    assert seen.facts["process"].startswith("python")
    assert f"ps -fp {seen.facts['pid']}" in seen.todo


def test_redis_where_postgres_should_be(stage: Stage) -> None:
    stage.unit("stray.service", "[Service]\nExecStart=/usr/bin/redis-server --port 5432\n")
    stage.start("stray")
    stage.wait_for_port(5432)
    seen = stage.check("postgres://127.0.0.1", timeout="4s")
    assert seen.verdict == ("down", "host", "wrong-owner")
    assert seen.facts["unit"] == "stray.service"
    assert "systemctl stop stray.service" in seen.todo
    targets = {
        "unit": "at: postgres://127.0.0.1, unit: postgresql@15-main.service",
        "stands": "at: postgres://127.0.0.1, unit: postgresql",
        "process": "at: postgres://127.0.0.1, process: postgres",
    }
    named = stage.check_configured(**targets)
    assert {one.cause for one in named.values()} == {"wrong-owner"}
    assert "postgresql@15-main.service is inactive" in named["unit"].summary


def test_nginx_where_redis_should_be_goes_on_to_serve_others(stage: Stage) -> None:
    stage.write("/etc/nginx/conf.d/odd.conf", "server { listen 6379; }\n")
    stage.start("nginx")
    seen = stage.check("redis://127.0.0.1")
    assert seen.verdict == ("down", "host", "wrong-owner")
    assert "take port 6379 out of its configuration (it serves port 80 too)" in seen.todo


def test_another_process_than_the_configured_unit_holds_the_port(stage: Stage) -> None:
    stage.popen(PYTHON, str(PROGRAMS / "waits.py"), "127.0.0.1", "6379")
    stage.wait_for_port(6379)
    seen = stage.check_configured(cache="at: redis://127.0.0.1, unit: redis-server")["cache"]
    assert seen.verdict == ("down", "host", "wrong-owner")
    assert "systemctl start redis-server.service" in seen.todo


def test_the_right_program_with_the_wrong_protocol_is_its_own(stage: Stage) -> None:
    stage.write("/etc/nginx/conf.d/plain.conf", "server { listen 443; }\n")
    stage.start("nginx")
    assert stage.check("https://127.0.0.1").verdict == ("down", "service", "wrong-service")

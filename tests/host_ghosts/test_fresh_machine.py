"""A machine as it comes, without a line of configuration: what trueup finds there, and how soon."""

import json
import time
from subprocess import PIPE
from typing import Any, Final

from tests.beds.deadline import wait_until
from tests.beds.nspawn import Machine
from tests.host_ghosts.stage import PYTHON, Stage

SERVICES: Final = {
    "sshd": ("ssh://127.0.0.1:22", "ssh.service"),
    "postfix": ("smtp://127.0.0.1:25", "postfix@-.service"),
    "nginx": ("http://127.0.0.1:80", "nginx.service"),
    "postgresql": ("postgres://127.0.0.1:5432", "postgresql@15-main.service"),
    "redis": ("redis://127.0.0.1:6379", "redis-server.service"),
}
SITE: Final = """
server { listen 80; server_name shop.example; location / { proxy_pass http://127.0.0.1:8000; } }
"""


def test_five_services_are_right_within_a_minute_and_nothing_was_configured(stage: Stage) -> None:
    stage.start("redis-server", "nginx", "ssh", "postfix", "postgresql")
    stage.machine.wait_for("postgresql@15-main", ActiveState="active")
    began_s = time.monotonic()
    words = ("-m", "trueup", "run", "--data", "/tmp/trueup-data")
    stage.processes.append(stage.machine.popen(PYTHON, *words, stderr=PIPE))
    said = stage.processes[-1].entry.stderr
    assert said is not None
    assert said.readline().endswith("to keep it: trueup discover -o trueup.yaml\n")
    wait_until(lambda: states(stage.machine) == dict.fromkeys(SERVICES, "up"), "all five are up", 60)
    assert time.monotonic() - began_s < 60
    assert {one["name"]: one["at"] for one in targets(stage.machine)} == {
        name: at for name, (at, _) in SERVICES.items()
    }


def targets(machine: Machine) -> list[dict[str, Any]]:
    asked = machine.run("curl", "-s", "http://127.0.0.1:8642/api/v1/targets", check=False)
    found: list[dict[str, Any]] = json.loads(asked.stdout)["targets"] if asked.stdout.startswith("{") else []
    return found


def states(machine: Machine) -> dict[str, str]:
    return {one["name"]: one["state"] for one in targets(machine)}


def test_what_is_written_down_has_units_sites_databases_and_needs(stage: Stage) -> None:
    """The same machine with a shop on it: nginx in front of an application that keeps a connection to its
    database.
    """
    stage.write("/etc/nginx/conf.d/shop.conf", SITE)
    stage.service("shop-api.service", "keeps_a_connection.py", 8000, 6379)
    stage.start("redis-server", "nginx", "postgresql")
    stage.machine.wait_for("postgresql@15-main", ActiveState="active")
    stage.machine.run("su", "postgres", "-c", "createdb shop", check=False)
    client = "psql -h /var/run/postgresql shop -c 'select pg_sleep(600)'"
    stage.popen("su", "postgres", "-c", client)
    stage.wait_for_port(8000)
    wait_until(lambda: "shop-db" in discovered(stage), "the client has connected")
    found = discovered(stage)
    assert found["shop-db"]["at"] == "postgres://127.0.0.1:5432/shop"
    assert found["shop-db"]["unit"] == "postgresql@15-main.service"
    assert found["redis"]["internal"] is True
    assert found["shop-api"]["needs"] == ["redis"]
    assert found["shop.example"]["needs"] == ["nginx", "shop-api"]
    assert found["shop.example"]["send"] == {"headers": {"Host": "shop.example"}}


def discovered(stage: Stage) -> dict[str, dict[str, Any]]:
    done = stage.machine.trueup("discover", "--json")
    assert done.returncode == 0, done.stderr
    return {one["name"]: one for one in json.loads(done.stdout)["services"]}

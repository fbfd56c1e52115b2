"""Twenty real servers and more on ports that say nothing: each is told by what it answers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.certificates import Authority
from tests.beds.server import Server
from tests.cli.trueup import trueup
from tests.discovery.farm import Farm, farm
from trueup.config import load
from trueup.domain.address import Address


@pytest.fixture(scope="module")
def servers(
    authority: Authority,
    postgres_server: Server,
    mariadb_server: Server,
    rabbitmq_server: Server,
    mongod_server: Server,
) -> Iterator[Farm]:
    with farm(authority, postgres_server, mariadb_server, rabbitmq_server, mongod_server) as made:
        yield made


def written(path: Path) -> dict[int | None, Address]:
    return {check.address.port: check.address for (check,) in load(path, {}).checks.values()}


def test_a_sweep_of_a_host_identifies_them_all(servers: Farm, tmp_path: Path) -> None:
    ports = ",".join(map(str, servers.ports.values()))
    done = trueup("discover", "127.0.0.1", "--ports", f"{ports},1-50", "-o", str(tmp_path / "found.yaml"))
    assert done.returncode == 0, done.stderr
    found = written(tmp_path / "found.yaml")
    told = {name: found[port].scheme for name, port in servers.ports.items()}
    assert told == dict(servers.schemes)
    assert len(told) >= 20


def test_so_does_a_look_at_this_machine_from_the_inside(servers: Farm, tmp_path: Path) -> None:
    ports = ",".join(map(str, servers.ports.values()))
    done = trueup("discover", "--ports", ports, "-o", str(tmp_path / "found.yaml"))
    assert done.returncode == 0, done.stderr
    found = written(tmp_path / "found.yaml")
    assert {name: found[port].scheme for name, port in servers.ports.items()} == dict(servers.schemes)
    looked = trueup("check", "-c", str(tmp_path / "found.yaml"), "--json", timeout_s=100)
    down = [one for one in json.loads(looked.stdout)["targets"] if one["state"] == "down"]
    assert not down  # what was written down fits what is there

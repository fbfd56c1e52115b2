"""Both back ends: each test of the contract runs on each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.postgres import postgres, sql
from tests.beds.server import Server
from trueup.domain.address import parse_address
from trueup.domain.monitor_settings import Store
from trueup.store.opening import Stores, open_stores


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    with postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty one."""
    if request.param == "sqlite":
        yield Store()
        return
    server: Server = request.getfixturevalue("postgres_server")
    yield Store(parse_address(f"postgres://postgres@{server.address}:{server.port}/postgres", ("postgres",)))
    sql(server, "drop schema if exists trueup cascade")


@pytest.fixture
def stores(store: Store, tmp_path: Path) -> Iterator[Stores]:
    opened = open_stores(tmp_path / "data", store)
    yield opened
    opened.close()

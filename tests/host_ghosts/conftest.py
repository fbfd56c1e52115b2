"""One machine for all ghosts: it takes a second to boot, and some memory."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.beds.nspawn import Machine, machine
from tests.host_ghosts.stage import Stage

_REDIS: Final = "bind 127.0.0.1\nsupervised systemd\ndaemonize no\nsave ''\ndir /var/lib/redis\n"


@pytest.fixture(scope="session")
def ghost_machine() -> Iterator[Machine]:
    with machine() as booted:
        conf = booted.root / "etc/redis/redis.conf"
        conf.write_text(_REDIS)  # readable by redis as before
        yield booted


@pytest.fixture
def stage(ghost_machine: Machine) -> Iterator[Stage]:
    made = Stage(ghost_machine)
    try:
        yield made
    finally:
        made.clear()

"""A machine of its own with units of every kind, for all who ask its systemd."""

from collections.abc import Iterator

import pytest

from tests.beds.nspawn import Machine, machine
from tests.host.kinds_of_unit import UNITS


@pytest.fixture(scope="module")
def server() -> Iterator[Machine]:
    with machine(units=UNITS) as booted:
        for unit in ("fails", "missing", "folderless", "segv", "loops", "picky"):
            booted.systemctl("start", unit, check=False)
        booted.systemctl("start", "redis-server", "held.socket", "steady")
        booted.systemctl("start", "--no-block", "slow")
        booted.systemctl("enable", "--quiet", "steady", "web.socket")
        booted.systemctl("mask", "--quiet", "memcached")
        booted.wait_for("loops.service", ActiveState="failed")
        booted.wait_for("slow.service", ActiveState="activating")
        yield booted

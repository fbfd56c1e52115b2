"""memcached."""

import contextlib
import signal
from collections.abc import Iterator

from tests.beds import wire
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, serving


@contextlib.contextmanager
def memcached(*options: str, address: str = LOOPBACK, port: int = 0) -> Iterator[Server]:
    """Options of its command line: `memcached("-c", "32", "-t", "1", "-o", "no_maxconns_fast")`.

    Its limit of connections is its limit of files too: below 16 it can't start.
    """
    program = require("memcached")

    def configure(server: Server) -> list[str]:
        return [program, "-l", server.address, "-p", str(server.port), "-U", "0", "-m", "8", *options]

    with serving(
        "memcached",
        configure,
        _answers,
        address=address,
        port=port,
        account="memcache",
        stop_signal=signal.SIGKILL,
    ) as server:
        yield server


def _answers(server: Server) -> bool:
    return wire.say(server, b"version", b"quit").startswith(b"VERSION")

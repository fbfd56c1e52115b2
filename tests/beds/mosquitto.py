"""Mosquitto, an MQTT broker."""

import contextlib
from collections.abc import Iterator, Sequence

from tests.beds import wire
from tests.beds.certificates import Credentials
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, serving

CONNECT = bytes.fromhex("100c 0004 4d515454 04 02 003c 0000")
"""MQTT 3.1.1, section 3.1: a clean session without a name."""
DISCONNECT = bytes.fromhex("e000")


@contextlib.contextmanager
def mosquitto(
    lines: Sequence[str] = ("allow_anonymous true",),
    *,
    address: str = LOOPBACK,
    port: int = 0,
    tls: Credentials | None = None,
) -> Iterator[Server]:
    """`lines` of its configuration, in place of letting everybody in."""
    program = require("mosquitto")

    def configure(server: Server) -> list[str]:
        chosen = [f"listener {server.port} {server.address}", "persistence false", "log_dest stderr", *lines]
        if tls is not None:
            own = tls.copied_to(server)
            chosen += [f"certfile {own.certificate}", f"keyfile {own.key}"]
        return [program, "-c", str(server.write("mosquitto.conf", chosen))]

    def answers(server: Server) -> bool:
        """A refusal is an answer too."""
        with wire.connection(server, wire.unverified() if tls else None) as stream:
            stream.sendall(CONNECT)
            reply = stream.recv(4)
            with contextlib.suppress(OSError):  # refused, it has closed already
                stream.sendall(DISCONNECT)
                wire.read_all(stream)
            return reply[:2] == b"\x20\x02"

    scheme = "mqtts" if tls else "mqtt"
    with serving(
        "mosquitto", configure, answers, scheme=scheme, address=address, port=port, account="mosquitto"
    ) as server:
        yield server

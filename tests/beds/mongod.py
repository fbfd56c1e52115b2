"""MongoDB: the real program, where `tools/fetch-mongod` could get it."""

import contextlib
import signal
import struct
from collections.abc import Iterator
from pathlib import Path

from tests.beds import wire
from tests.beds.certificates import Credentials
from tests.beds.requirements import MONGOD_FOLDER, require
from tests.beds.server import LOOPBACK, Server, serving


@contextlib.contextmanager
def mongod(
    *options: str,
    address: str = LOOPBACK,
    port: int = 0,
    tls: Credentials | None = None,
    clients_of: Path | None = None,
) -> Iterator[Server]:
    """Options of its command line: `mongod("--replSet", "rs0")`. Takes 300 MB of disk while it runs.

    `clients_of` is the authority of its clients' certificates, where they have any.
    """
    program = require("mongod")

    def configure(server: Server) -> list[str]:
        server.environment = {"LD_LIBRARY_PATH": str(MONGOD_FOLDER)}
        data = server.make_folder("data")
        where = ["--dbpath", str(data), "--bind_ip", server.address, "--port", str(server.port)]
        if ":" in server.address:
            where.append("--ipv6")
        if tls is not None:
            where += ["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(tls.both)]
            where += [
                "--tlsCAFile",
                str(clients_of or tls.certificate),
                "--tlsAllowConnectionsWithoutCertificates",
            ]
        return [program, *where, "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25", *options]

    def answers(server: Server) -> bool:
        with wire.connection(server, wire.unverified() if tls else None) as stream:
            stream.sendall(HELLO)
            return b"isWritablePrimary" in stream.recv(4096)

    with serving(
        "mongod", configure, answers, scheme="mongodb", address=address, port=port, stop_signal=signal.SIGKILL
    ) as server:
        yield server


def _op_msg(document: bytes) -> bytes:
    """MongoDB wire protocol, OP_MSG: no flags, one section of kind 0 that is the document."""
    body = struct.pack("<IB", 0, 0) + document
    return struct.pack("<iiii", 16 + len(body), 1, 0, 2013) + body


def _bson(elements: bytes) -> bytes:
    return struct.pack("<i", len(elements) + 5) + elements + b"\0"


HELLO = _op_msg(_bson(b"\x10hello\0\x01\0\0\0" + b"\x02$db\0\x06\0\0\0admin\0"))

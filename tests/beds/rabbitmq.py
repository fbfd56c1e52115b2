"""RabbitMQ. The slowest to start: share one where you can (the fixture `rabbitmq_server`)."""

import contextlib
import signal
import socket
from collections.abc import Iterator, Sequence

from tests.beds import wire
from tests.beds.certificates import Credentials
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, free_port, serving

PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
"""AMQP 0-9-1, section 4.2.2."""


@contextlib.contextmanager
def rabbitmq(
    lines: Sequence[str] = (),
    *,
    management: bool = False,
    address: str = LOOPBACK,
    port: int = 0,
    tls: Credentials | None = None,
) -> Iterator[Server]:
    """`lines` of rabbitmq.conf. `server.ports["management"]` is there if wanted. guest logs in as guest."""
    program = require("rabbitmq-server")

    def configure(server: Server) -> list[str]:
        if tls is None:
            chosen = [f"listeners.tcp.1 = {server.address}:{server.port}"]
        else:
            own = tls.copied_to(server)
            chosen = [
                "listeners.tcp = none",
                f"listeners.ssl.1 = {server.address}:{server.port}",
                f"ssl_options.certfile = {own.certificate}",
                f"ssl_options.keyfile = {own.key}",
                f"ssl_options.cacertfile = {own.certificate}",
            ]
        if management:
            server.ports["management"] = free_port(server.address)
            chosen += [
                f"management.tcp.ip = {server.address}",
                f"management.tcp.port = {server.ports['management']}",
            ]
        config = server.write("rabbitmq.conf", [*chosen, *lines])
        enabled = server.write("enabled_plugins", "[rabbitmq_management]." if management else "[].")
        server.environment = {
            "RABBITMQ_NODENAME": "bed@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(server.make_folder("mnesia")),
            "RABBITMQ_LOG_BASE": str(server.make_folder("logs")),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_CONF_ENV_FILE": str(server.folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(enabled),
            "ERL_EPMD_PORT": str(epmd.port),
            "ERL_EPMD_ADDRESS": epmd.address,
        }
        return [program]

    def answers(server: Server) -> bool:
        for other in server.ports.values():
            socket.create_connection((server.address, other), timeout=5).close()
        with wire.connection(server, wire.unverified() if tls else None) as stream:
            stream.sendall(PROTOCOL_HEADER)
            return stream.recv(7)[:1] == b"\x01"

    # Left to itself, RabbitMQ starts an epmd that outlives it.
    with (
        _epmd() as epmd,
        serving(
            "rabbitmq",
            configure,
            answers,
            scheme="amqps" if tls else "amqp",
            address=address,
            port=port,
            account="rabbitmq",
            stop_signal=signal.SIGKILL,  # its data are thrown away
            timeout_s=60,
        ) as server,
    ):
        yield server


def ctl(server: Server, *command: str) -> str:
    """`ctl(server, "set_vm_memory_high_watermark", "0")`: rabbitmqctl's output, after about a second."""
    return server.run(require("rabbitmqctl"), "-n", "bed@localhost", "--quiet", *command)


def _epmd() -> contextlib.AbstractContextManager[Server]:
    """Erlang's port mapper, which every node asks for."""
    program = require("epmd")

    def configure(server: Server) -> list[str]:
        return [program, "-address", server.address, "-port", str(server.port)]

    def answers(server: Server) -> bool:
        with wire.connection(server):
            return True

    return serving("epmd", configure, answers, account="rabbitmq")

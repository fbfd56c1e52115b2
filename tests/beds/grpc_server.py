"""A real gRPC server (grpcio) with a health service, whose messages are written by hand."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import grpc  # type: ignore[import-untyped]  # it ships no types

from tests.beds.certificates import Credentials
from tests.beds.server import LOOPBACK

Health = Callable[[bytes, Any], bytes]
"""A HealthCheckRequest and the call's context to a HealthCheckResponse, both as protobuf has them."""

UNKNOWN, SERVING, NOT_SERVING = b"", b"\x08\x01", b"\x08\x02"


@contextlib.contextmanager
def grpc_server(
    health: Health | bytes | None = SERVING,
    *,
    tls: Credentials | None = None,
    place: str = f"{LOOPBACK}:0",
) -> Iterator[int]:
    """Its port. `health` is the answer, or finds it; None: there is none. `place` is as grpc has it."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    if health is not None:
        answer = health if callable(health) else lambda *_: health
        handler = grpc.unary_unary_rpc_method_handler(answer)
        service = grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": handler})
        server.add_generic_rpc_handlers((service,))
    if tls is None:
        port = server.add_insecure_port(place)
    else:
        pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
        port = server.add_secure_port(place, grpc.ssl_server_credentials([pair]))
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait(5)

"""The gRPC probe with a real server, and what isn't one (ghost 26)."""

import time
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]  # it ships no types
import pytest

from tests.beds.certificates import Authority
from tests.beds.grpc_server import NOT_SERVING, SERVING, UNKNOWN, grpc_server
from tests.beds.nginx import nginx
from tests.beds.server import free_port
from tests.probes.performing import answer, perform
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer
from trueup.domain.target import Login, TlsSettings
from trueup.probes.grpc import PROBE


def test_serving() -> None:
    with grpc_server() as port:
        seen = answer(f"grpc://127.0.0.1:{port}")
        assert (seen.cause, seen.facts["health"]) == (None, "SERVING")


@pytest.mark.parametrize("said", [NOT_SERVING, UNKNOWN])
def test_not_serving(said: bytes) -> None:
    with grpc_server(said) as port:
        seen = answer(f"grpc://127.0.0.1:{port}")
        assert (seen.layer, seen.cause) == (Layer.SERVICE, Cause.ERROR_ANSWER)


def test_no_health_service_is_no_failure() -> None:
    with grpc_server(None) as port:
        seen = answer(f"grpc://127.0.0.1:{port}")
        assert (seen.cause, seen.facts["grpc_status"]) == (None, 12)
        assert answer(f"grpc://127.0.0.1:{port}/shop.Cart").cause is Cause.WRONG_ANSWER


def abort(code: grpc.StatusCode) -> Any:
    def health(_request: bytes, context: Any) -> bytes:
        context.abort(code, "because")
        raise AssertionError

    return health


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (grpc.StatusCode.UNAVAILABLE, Cause.BAD_UPSTREAM),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, Cause.OVERLOADED),
        (grpc.StatusCode.INTERNAL, Cause.ERROR_ANSWER),
        (grpc.StatusCode.UNAUTHENTICATED, None),
    ],
)
def test_statuses(code: grpc.StatusCode, cause: Cause | None) -> None:
    with grpc_server(abort(code)) as port:
        seen = answer(f"grpc://127.0.0.1:{port}")
        assert (seen.cause, seen.facts["grpc_status"]) == (cause, code.value[0])
        assert "because" in seen.detail


def test_a_service_by_its_name() -> None:
    def health(request: bytes, context: Any) -> bytes:
        if request == b"\x0a\x09shop.Cart":
            return SERVING
        context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        raise AssertionError

    with grpc_server(health) as port:
        assert answer(f"grpc://127.0.0.1:{port}/shop.Cart").cause is None
        assert answer(f"grpc://127.0.0.1:{port}/shop.Basket").cause is Cause.WRONG_ANSWER


def test_a_login() -> None:
    def health(_request: bytes, context: Any) -> bytes:
        if ("authorization", "Bearer sesame") in [tuple(pair) for pair in context.invocation_metadata()]:
            return SERVING
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")
        raise AssertionError

    with grpc_server(health) as port:
        at = f"grpc://127.0.0.1:{port}"
        assert answer(at).facts["login"] == "demanded"
        assert answer(at + "/shop.Cart").cause is Cause.LOGIN_REFUSED
        assert answer(at, login=Login(Secret("sesame"))).cause is None
        assert answer(at, login=Login(Secret("wrong"))).cause is Cause.LOGIN_REFUSED


def test_tls(authority: Authority) -> None:
    with grpc_server(tls=authority.valid()) as port:
        seen = perform(f"grpcs://localhost:{port}", tls=TlsSettings(ca=str(authority.file)))
        assert seen.answer is not None
        assert seen.answer.cause is None
        assert (seen.tls_verified, seen.tls["alpn"]) == (True, "h2")
    with grpc_server(tls=authority.expired()) as port:
        expired = perform(f"grpcs://localhost:{port}", tls=TlsSettings(ca=str(authority.file)))
        assert expired.fault is not None
        assert expired.fault.cause is Cause.TLS_EXPIRED


def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "grpc.sock"
    with grpc_server(place=f"unix:{path}"):
        assert answer(f"grpc+unix://{str(path).replace('/', '%2F')}").cause is None


def test_a_server_that_never_answers() -> None:
    def health(_request: bytes, _context: Any) -> bytes:
        time.sleep(0.5)
        return SERVING

    with grpc_server(health) as port:
        seen = perform(f"grpc://127.0.0.1:{port}", timeout_s=0.2)
        assert seen.fault is not None
        assert (seen.fault.layer, seen.fault.cause) == (Layer.SERVICE, Cause.SILENT)


def test_plain_http_is_another_service() -> None:
    with nginx("return 200 page;") as server:
        assert answer(f"grpc://127.0.0.1:{server.port}").cause is Cause.WRONG_SERVICE


def test_http2_that_is_no_grpc() -> None:
    port = free_port()
    with nginx(f"listen 127.0.0.1:{port} http2; location / {{ return 404; }}"):
        seen = answer(f"grpc://127.0.0.1:{port}")
        assert (seen.cause, seen.facts["seen"]) == (Cause.WRONG_SERVICE, "HTTP/2 404, text/html")
    with nginx(f"listen 127.0.0.1:{port} http2; location / {{ proxy_pass http://127.0.0.1:{free_port()}; }}"):
        assert answer(f"grpc://127.0.0.1:{port}").cause is Cause.BAD_UPSTREAM


def test_it_gives_itself_away_to_a_plain_request() -> None:
    with grpc_server() as port:
        heard = perform(f"http://127.0.0.1:{port}").heard()
    assert PROBE.recognise(heard)

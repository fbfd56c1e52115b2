"""The WebSocket probe with a real server, alone and behind a real nginx (ghost 26)."""

import http
import time

import pytest
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection

from tests.beds.certificates import Authority
from tests.beds.fake_http import fake_http
from tests.beds.nginx import nginx
from tests.beds.server import free_port
from tests.beds.websocket_server import websocket_server
from tests.probes.performing import answer, perform
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer
from trueup.domain.target import Login, TlsSettings
from trueup.probes.ws import Expect, Saying

PASSED_ON = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
)
"""What nginx needs to be told to let an upgrade through."""


def test_a_healthy_server() -> None:
    with websocket_server() as port:
        seen = perform(f"ws://127.0.0.1:{port}/chat")
        assert seen.answer is not None
        assert seen.answer.cause is None
        assert "websockets" in seen.answer.facts["server"]


def test_an_echo() -> None:
    with websocket_server() as port:
        at = f"ws://127.0.0.1:{port}"
        seen = perform(at, send=Saying(text="are you there" * 1000), expect=Expect("you there"))
        assert seen.answer is not None
        assert (seen.answer.layer, seen.answer.cause) == (Layer.FUNCTION, None)
        missed = answer(at, send=Saying(text="hello"), expect=Expect("goodbye"), timeout_s=0.3)
        assert (missed.layer, missed.cause) == (Layer.FUNCTION, Cause.WRONG_ANSWER)
        assert "the last is 'hello'" in missed.detail


@pytest.mark.parametrize("lines", ["", "proxy_http_version 1.1;"])
def test_a_proxy_that_strips_the_upgrade(lines: str) -> None:
    with (
        websocket_server() as port,
        nginx(f"location / {{ proxy_pass http://127.0.0.1:{port}; {lines} }}") as server,
    ):
        seen = answer(f"ws://127.0.0.1:{server.port}")
        assert seen.cause is Cause.WRONG_ANSWER
        assert "a proxy in between" in seen.detail


def test_a_proxy_that_lets_it_through(authority: Authority) -> None:
    with (
        websocket_server() as port,
        nginx(
            f"location / {{ proxy_pass http://127.0.0.1:{port}; {PASSED_ON} }}", tls=authority.valid()
        ) as server,
    ):
        assert answer(f"wss://127.0.0.1:{server.port}", tls=TlsSettings(ca=str(authority.file))).cause is None
        plain = answer(f"ws://127.0.0.1:{server.port}")
        assert (plain.cause, plain.facts["found"]) == (Cause.WRONG_SERVICE, "wss")


def test_a_dead_backend_and_a_page() -> None:
    with nginx(f"location / {{ proxy_pass http://127.0.0.1:{free_port()}; {PASSED_ON} }}") as server:
        assert answer(f"ws://127.0.0.1:{server.port}").cause is Cause.BAD_UPSTREAM
    with nginx("return 200 'a page';") as server:
        assert answer(f"ws://127.0.0.1:{server.port}").cause is Cause.WRONG_ANSWER


@pytest.mark.parametrize(
    ("code", "cause"),
    [(1001, Cause.STARTING_UP), (1011, Cause.ERROR_ANSWER), (1013, Cause.OVERLOADED)],
)
def test_a_server_that_closes(code: int, cause: Cause) -> None:
    def close(connection: ServerConnection) -> None:
        connection.close(code, "for a reason")

    with websocket_server(close) as port:
        # It may answer our ping before its handler runs; an exchange makes it sure to be seen.
        seen = answer(f"ws://127.0.0.1:{port}", expect=Expect("anything"))
        assert (seen.cause, seen.facts["code"]) == (cause, code)
        assert "for a reason" in seen.detail


def test_a_busy_server_still_answers() -> None:
    def chatter(connection: ServerConnection) -> None:
        for _ in range(50):
            connection.send("tick")
        time.sleep(0.2)

    with websocket_server(chatter) as port:
        assert answer(f"ws://127.0.0.1:{port}").cause is None


def test_a_login() -> None:
    def admit(connection: ServerConnection, request: Request) -> Response | None:
        if request.headers.get("Authorization") == "Basic cHJvYmU6c2VzYW1l":
            return None
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, "who are you?\n")

    with websocket_server(screen=admit) as port:
        at = f"ws://127.0.0.1:{port}"
        assert answer(at).facts["login"] == "demanded"
        assert answer(at, expect=Expect("x")).cause is Cause.LOGIN_REFUSED
        assert answer(at, login=Login(Secret("sesame"), "probe")).cause is None
        assert answer(at, login=Login(Secret("wrong"), "probe")).cause is Cause.LOGIN_REFUSED


def test_a_dead_application_behind_an_upgrade() -> None:
    """The handshake is the proxy's or the framework's; what doesn't come back is the ping."""

    def upgrade(request: bytes) -> bytes:
        import base64
        import hashlib
        import re

        key = re.search(rb"Sec-WebSocket-Key: (\S+)", request)
        assert key
        proof = base64.b64encode(hashlib.sha1(key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        return (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + proof + b"\r\n\r\n"
        )

    with fake_http(upgrade, hold=True) as fake:
        seen = answer(f"ws://127.0.0.1:{fake.port}", timeout_s=0.3)
        assert (seen.layer, seen.cause) == (Layer.SERVICE, Cause.SILENT)
    with fake_http(upgrade) as fake:
        gone = perform(f"ws://127.0.0.1:{fake.port}")
        assert gone.fault is not None
        assert gone.fault.cause is Cause.CLOSES

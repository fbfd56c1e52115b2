"""Who may stay when one more comes than there's room for."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from trueup.app.lobby import VISITORS_LEAST, lobby, visitors_max

ASKED = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Desk:
    """Answers once it ``may_answer``."""

    port: int
    may_answer: threading.Event = field(default_factory=threading.Event)
    is_asked: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        self.is_asked.set()
        await asyncio.to_thread(self.may_answer.wait)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def visit(self, stack: ExitStack) -> socket.socket:
        return stack.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=20))


@contextmanager
def served(most: int) -> Iterator[Desk]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        desk = Desk(listening.getsockname()[1])
        server = uvicorn.Server(uvicorn.Config(desk, http=lobby(most), log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield desk
        finally:
            desk.may_answer.set()
            server.should_exit = True
            thread.join()


def _is_turned_away(visitor: socket.socket) -> bool:
    try:
        return visitor.recv(1) == b""
    except ConnectionError:
        return True


def test_who_has_been_idle_for_longest_goes() -> None:
    with served(2) as desk, ExitStack() as stack:
        desk.may_answer.set()
        first, *others = [desk.visit(stack) for _ in range(3)]
        assert _is_turned_away(first)
        for one in others:
            one.sendall(ASKED)
            assert b" 204 " in one.recv(4096)


def test_who_asked_lately_stays_however_early_it_came() -> None:
    with served(2) as desk, ExitStack() as stack:
        desk.may_answer.set()
        first, second = desk.visit(stack), desk.visit(stack)
        for _ in range(2):
            for one in (second, first):
                one.sendall(ASKED)
                assert b" 204 " in one.recv(4096)
        desk.visit(stack)
        assert _is_turned_away(second)
        first.sendall(ASKED)
        assert b" 204 " in first.recv(4096)


def test_who_waits_for_an_answer_stays_and_the_next_is_turned_away() -> None:
    with served(1) as desk, ExitStack() as stack:
        first = desk.visit(stack)
        first.sendall(ASKED)
        assert desk.is_asked.wait(20)
        assert _is_turned_away(desk.visit(stack))
        desk.may_answer.set()
        assert b" 204 " in first.recv(4096)


def test_there_is_always_some_room() -> None:
    assert visitors_max() >= VISITORS_LEAST

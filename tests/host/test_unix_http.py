import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.host.as_user import as_nobody
from trueup.host.unix_http import following, get, parse_head
from trueup.host.unreadable import HostUnreadable, Reason


@contextlib.asynccontextmanager
async def fake_engine(path: Path, *answer: bytes, hold: bool = False) -> AsyncIterator[list[bytes]]:
    """Reads one request, writes the parts, and closes; ``hold``: keeps the connection open instead."""
    requests = []
    release = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        with contextlib.suppress(ConnectionError):
            for part in answer:
                writer.write(part)
                await writer.drain()
            if hold:
                await release.wait()
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield requests
    finally:
        release.set()
        server.close()


def asked(
    path: Path, *answer: bytes, hold: bool = False, size_bytes_max: int = 1000, keep_cut: bool = False
) -> bytes:
    async def ask() -> bytes:
        async with fake_engine(path, *answer, hold=hold):
            found = await get(
                str(path), "/x", timeout_s=0.3, size_bytes_max=size_bytes_max, keep_cut=keep_cut
            )
            return found.body

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
    ],
)
def test_bodies_of_every_form(tmp_path: Path, answer: bytes) -> None:
    assert asked(tmp_path / "s", answer) == b"hello"
    assert asked(tmp_path / "t", *(bytes([byte]) for byte in answer)) == b"hello"


def test_the_request_is_a_get_and_nothing_else(tmp_path: Path) -> None:
    async def ask() -> bytes:
        async with fake_engine(
            tmp_path / "s", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
        ) as requests:
            await get(str(tmp_path / "s"), "/version")
            return requests[0]

    assert asyncio.run(ask()) == b"GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-x\r\n\r\n", Reason.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", Reason.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Reason.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 40000, Reason.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"a" * 2000, Reason.MALFORMED),
        (b"", Reason.MALFORMED),
    ],
)
def test_broken_cut_and_endless_answers_raise(tmp_path: Path, answer: bytes, reason: Reason) -> None:
    with pytest.raises(HostUnreadable) as caught:
        asked(tmp_path / "s", answer)
    assert caught.value.reason is reason


def test_too_long_is_cut_where_that_was_asked(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 2000
    assert asked(tmp_path / "s", answer, size_bytes_max=7, keep_cut=True) == b"a" * 7


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n\r\nhalf"])
def test_a_silent_engine_ends_at_the_deadline(tmp_path: Path, answer: bytes) -> None:
    with pytest.raises(HostUnreadable) as caught:
        asked(tmp_path / "s", answer, hold=True)
    assert caught.value.reason is Reason.TIMEOUT


def test_no_socket_and_a_socket_left_behind_are_absent(tmp_path: Path) -> None:
    async def left() -> None:
        async with fake_engine(tmp_path / "s"):
            pass
        await get(str(tmp_path / "s"), "/")

    for question in (get(str(tmp_path / "none"), "/"), left()):
        with pytest.raises(HostUnreadable) as caught:
            asyncio.run(question)
        assert caught.value.reason is Reason.ABSENT


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_a_forbidden_socket_is_named_so(tmp_path: Path) -> None:
    path = Path("/tmp") / f"trueup-{os.getpid()}.sock"

    async def forbidden() -> Reason:
        async with fake_engine(path):
            path.chmod(0o600)

            def question() -> Reason:
                try:
                    asyncio.new_event_loop().run_until_complete(get(str(path), "/"))
                except HostUnreadable as error:
                    return error.reason
                raise AssertionError

            return await asyncio.to_thread(as_nobody, question)

    try:
        assert asyncio.run(forbidden()) is Reason.PERMISSION
    finally:
        path.unlink(missing_ok=True)


def test_lines_come_one_by_one_whatever_the_chunks(tmp_path: Path) -> None:
    async def ask() -> list[bytes]:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        async with (
            fake_engine(
                tmp_path / "s", head, b"3\r\n{a}\r\n", b"6\r\n\n{b}\n{\r\n", b"3\r\nc}\n\r\n", b"0\r\n\r\n"
            ),
            following(str(tmp_path / "s"), "/events") as lines,
        ):
            return [line async for line in lines]

    assert asyncio.run(ask()) == [b"{a}", b"{b}", b"{c}"]


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300],
)
def test_a_stream_that_is_refused_or_has_no_lines(tmp_path: Path, answer: bytes) -> None:
    async def ask() -> None:
        async with (
            fake_engine(tmp_path / "s", answer),
            following(str(tmp_path / "s"), "/events", line_bytes_max=100) as lines,
        ):
            async for _ in lines:
                pass

    with pytest.raises(HostUnreadable):
        asyncio.run(ask())


def test_heads() -> None:
    head = parse_head(b"HTTP/1.1 200 OK\r\nServer: Docker/20.10\r\nX-a:b\r\n\r\n")
    assert head.status == 200
    assert head.headers == {"server": "Docker/20.10", "x-a": "b"}

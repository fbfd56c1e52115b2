"""Names to addresses: off the loop, once, and remembered for a while."""

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest

from trueup.engine import resolve
from trueup.engine.resolve import Found, Place, Resolver, look_up, numeric_place

HERE = Place(socket.AF_INET, ("127.0.0.1", 80), "127.0.0.1")


async def ask(resolver: Resolver, host: str, port: int = 80) -> Found:
    future: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
    found = resolver.addresses_of(host, port, future.set_result)
    return found if found is not None else await asyncio.wait_for(future, 5)


def test_numeric_addresses_are_answered_at_once() -> None:
    async def look() -> None:
        resolver = Resolver(asyncio.get_running_loop())
        for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
            for _ in range(2):  # the second from memory
                found = resolver.addresses_of(host, 80, _never)
                assert isinstance(found, tuple)
                assert (found[0].family, found[0].text) == (family, host)
        resolver.close()

    asyncio.run(look())


def _never(found: Found) -> None:
    raise AssertionError(found)


@pytest.mark.parametrize("host", ["", "localhost", "127.1", "1.2.3.4.5", "fe80::1%eth0", "a\0b"])
def test_what_is_no_number_is_a_name(host: str) -> None:
    assert numeric_place(host, 80) is None


def test_a_numeric_place_is_written_shortly() -> None:
    place = numeric_place("0:0:0:0:0:0:0:1", 443)
    assert place == Place(socket.AF_INET6, ("::1", 443, 0, 0), "::1")


def test_a_real_name() -> None:
    found = look_up("localhost", 80)
    assert isinstance(found, tuple)
    assert {place.text for place in found} <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize("host", ["no.such.name.invalid", "x" * 64 + ".example", "a\0b", "a..b", "\udcff"])
def test_a_name_without_an_address_is_an_error_as_a_value(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if host.endswith(".invalid"):  # nobody out there is asked by a test
        monkeypatch.setattr(socket, "getaddrinfo", _raise(socket.gaierror(socket.EAI_NONAME, "unknown")))
        assert isinstance(look_up(host, 80), OSError)
    else:
        assert isinstance(look_up(host, 80), ValueError), "nobody needs to be asked"


def _raise(error: Exception) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


def test_nothing_but_foreign_families_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(socket.AF_UNIX, 1, 0, "", "/x")])
    found = look_up("odd", 80)
    assert isinstance(found, socket.gaierror)
    assert found.errno == socket.EAI_NODATA


def test_the_same_name_is_asked_once_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    go_on = threading.Event()

    def slowly(host: str, port: int) -> Found:
        asked.append(threading.current_thread().name)
        go_on.wait(5)
        return (HERE,)

    monkeypatch.setattr(resolve, "look_up", slowly)

    async def look() -> None:
        resolver = Resolver(asyncio.get_running_loop())
        both = [asyncio.ensure_future(ask(resolver, "db.internal")) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in both), "the loop goes on meanwhile"
        go_on.set()
        assert await asyncio.gather(*both) == [(HERE,), (HERE,)]
        assert resolver.addresses_of("db.internal", 80, _never) == (HERE,)
        resolver.close()

    asyncio.run(look())
    assert len(asked) == 1
    assert asked[0].startswith("resolve")


@pytest.mark.parametrize(
    ("found", "kept"),
    [((HERE,), "KEPT_S"), (socket.gaierror(socket.EAI_AGAIN, "x"), "FAILURE_KEPT_S")],
)
def test_an_answer_is_kept_for_a_while(found: Found, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def count(host: str, port: int) -> Found:
        asked.append(host)
        return found

    monkeypatch.setattr(resolve, "look_up", count)
    monkeypatch.setattr(resolve, kept, 0.05)

    async def look() -> None:
        resolver = Resolver(asyncio.get_running_loop())
        assert await ask(resolver, "db.internal") is found
        assert await ask(resolver, "db.internal") is found
        assert len(asked) == 1
        await asyncio.sleep(0.1)
        assert await ask(resolver, "db.internal") is found
        assert len(asked) == 2
        resolver.close()

    asyncio.run(look())


def test_a_retry_asks_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def count(host: str, port: int) -> Found:
        asked.append(host)
        return (HERE,)

    monkeypatch.setattr(resolve, "look_up", count)

    async def look() -> None:
        resolver = Resolver(asyncio.get_running_loop())
        await ask(resolver, "db.internal")
        resolver.forget("db.internal")
        await ask(resolver, "db.internal")
        resolver.close()

    asyncio.run(look())
    assert len(asked) == 2


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "ENTRIES_MAX", 10)
    monkeypatch.setattr(resolve, "look_up", lambda *_: (HERE,))

    async def look() -> None:
        resolver = Resolver(asyncio.get_running_loop())
        for number in range(50):
            await ask(resolver, f"127.0.0.{number}")
            await ask(resolver, f"name-{number}")
        assert len(resolver._numeric) <= 10
        assert len(resolver._kept) <= 10
        resolver.close()

    asyncio.run(look())


def test_closing_while_a_look_up_hangs_leaves_nothing_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def slowly(host: str, port: int) -> Found:
        go_on.wait(5)
        return (HERE,)

    monkeypatch.setattr(resolve, "look_up", slowly)

    async def look() -> None:
        resolver = Resolver(asyncio.get_running_loop())
        assert resolver.addresses_of("hangs", 80, _never) is None
        resolver.close()

    asyncio.run(look())
    go_on.set()  # it answers when the loop is gone

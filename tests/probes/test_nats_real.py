"""The NATS probe with a real nats-server, whole and broken."""

import asyncio
import socket
from dataclasses import replace

from tests.beds.certificates import Authority
from tests.beds.deadline import wait_until
from tests.beds.delay import far_away
from tests.beds.namespaces import network
from tests.beds.nats import nats
from tests.beds.requirements import require
from tests.playbook import address
from tests.probes.performing import answer, perform
from trueup.app.clock import SystemClock
from trueup.checks.check import check_address
from trueup.checks.look import look
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.engine.engine import Engine

LOGIN = Login(Secret("sesame"), "monitor")


def test_a_healthy_server() -> None:
    with nats() as server:
        seen = answer(server.url)
        assert (seen.outcome, seen.cause) == (Outcome.PASS, None)
        assert seen.facts["version"].split(".")[0].isdigit()
        there_and_back = perform(server.url, roundtrip=True)
        assert there_and_back.answer is not None
        assert (there_and_back.answer.layer, there_and_back.answer.cause) == (Layer.FUNCTION, None)
        assert [mark.cause for mark, _ in there_and_back.marks] == [None]
        assert "ERR" not in server.log()


def test_no_room_for_one_more_client() -> None:
    """INFO comes all the same, and says nothing of it (ghost 25)."""
    with nats("max_connections: 1") as server:
        with socket.create_connection((server.address, server.port)) as first:
            first.recv(4096)
            first.sendall(b"CONNECT {}\r\nPING\r\n")
            first.recv(4096)
            seen = answer(server.url)
            assert (seen.outcome, seen.cause) == (Outcome.FAIL, Cause.OVERLOADED)
        wait_until(lambda: answer(server.url).cause is None, "NATS has seen the first one leave")


def test_no_room_and_a_login_demanded() -> None:
    with (
        nats('max_connections: 1\nauthorization { user: "monitor", password: "sesame" }') as server,
        socket.create_connection((server.address, server.port)) as first,
    ):
        first.sendall(b'CONNECT {"user":"monitor","pass":"sesame"}\r\nPING\r\n')
        said = b""
        while b"PONG" not in said:  # INFO comes before a client counts
            said += first.recv(4096)
        assert answer(server.url).cause is Cause.OVERLOADED
        assert answer(server.url, login=LOGIN).cause is Cause.OVERLOADED


def test_a_login_demanded() -> None:
    with nats('authorization { user: "monitor", password: "sesame" }') as server:
        seen = answer(server.url)
        assert (seen.cause, seen.facts["login"]) == (None, "demanded")
        assert "authentication error" not in server.log()
        assert answer(server.url, roundtrip=True).cause is Cause.LOGIN_REFUSED
        assert answer(server.url, login=Login(Secret("wrong"), "monitor")).cause is Cause.LOGIN_REFUSED
        assert answer(server.url, login=LOGIN, roundtrip=True).cause is None


def test_a_token() -> None:
    with nats('authorization { token: "sesame" }') as server:
        assert answer(server.url, login=Login(Secret("sesame"))).cause is None
        assert answer(server.url, login=Login(Secret("wrong"))).cause is Cause.LOGIN_REFUSED


def test_a_user_who_may_not_use_our_subject() -> None:
    user = '{ user: "monitor", password: "sesame", permissions: { publish: "a", subscribe: "b" } }'
    with nats(f"authorization {{ users: [{user}] }}") as server:
        seen = answer(server.url, login=LOGIN, roundtrip=True)
        assert (seen.layer, seen.cause) == (Layer.FUNCTION, Cause.LOGIN_REFUSED)


def test_a_message_that_is_lost() -> None:
    with nats('mappings = { "trueup.probe.*": "elsewhere.$1" }') as server:
        seen = answer(server.url, roundtrip=True, timeout_s=0.5)
        assert (seen.layer, seen.cause) == (Layer.FUNCTION, Cause.WRONG_ANSWER)
        assert answer(server.url).cause is None, "invisible until one waits for it"


def test_behind_a_long_line() -> None:
    """800 ms there and back (ghost 27): up, and slow where that's too slow."""
    with network("monitor", "server") as (monitor, server):
        server.popen(require("nats-server"), "-a", server.ipv4, "-p", "4222")
        url = f"nats://{server.ipv4}:4222"
        with monitor.enter():
            wait_until(lambda: perform(url).answer, "it answers")
        with far_away(server, 0.4), monitor.enter():
            transcript = perform(url)
            slow = {seen.layer: seen.cause for seen in look_at(url, slow_s=0.1)}
            patient = {seen.layer: seen.cause for seen in look_at(url, slow_s=4.0)}
    assert transcript.answer is not None
    assert transcript.answer.cause is None
    assert transcript.connect_ms is not None
    assert transcript.connect_ms >= 800
    assert transcript.exchange_ms >= 1600, "connecting, and PING"
    assert slow == {Layer.PORT: Cause.SLOW, Layer.SERVICE: Cause.SLOW}
    assert patient == {Layer.PORT: None, Layer.SERVICE: None}


def look_at(url: str, slow_s: float) -> tuple[Observation, ...]:
    check = check_address(address(url))

    async def once() -> tuple[Observation, ...]:
        async with Engine() as engine:
            target = replace(check.target, slow_s=slow_s)
            return (await look(engine, replace(check, target=target), SystemClock())).observations

    return asyncio.run(once())


def test_tls_demanded(authority: Authority) -> None:
    with nats(tls=authority.valid()) as server:
        passing = perform(server.url)
        assert passing.answer is not None
        assert passing.answer.cause is None
        assert passing.tls["tls_version"] == "TLSv1.3"
        assert answer(server.url, tls=TlsSettings(ca=str(authority.file))).cause is None
        untrusted = perform(server.url, tls=TlsSettings())
        assert untrusted.fault is not None
        assert untrusted.fault.cause is Cause.TLS_UNTRUSTED

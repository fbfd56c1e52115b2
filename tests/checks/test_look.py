"""One look at real servers and real strangers: the observations, and the questions after a failure."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.beds.certificates import Authority
from tests.beds.haproxy import haproxy
from tests.beds.mongod import mongod
from tests.beds.namespaces import network
from tests.beds.nginx import nginx
from tests.beds.redis import redis
from tests.beds.sshd import sshd
from tests.checks.strangers import hangs_up, listens, says, stranger
from trueup.app.clock import SystemClock
from trueup.checks.bare import look_at_bare
from trueup.checks.check import Check, check_address
from trueup.checks.look import Look, look
from trueup.diagnosis.words import next_steps, sentence
from trueup.domain.address import parse_address
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import TlsSettings
from trueup.engine.engine import Engine
from trueup.engine.resolve import Found, numeric_place
from trueup.probes.registry import SCHEMES


def check(text: str, timeout_s: float = 2.0) -> Check:
    return check_address(parse_address(text, SCHEMES), timeout_s)


def look_at(one: Check) -> Look:
    async def perform() -> Look:
        async with Engine() as engine:
            return await look(engine, one, SystemClock())

    return asyncio.run(perform())


def last(seen: Look) -> Observation:
    return seen.observations[-1]


def test_a_healthy_server_passes_layer_by_layer() -> None:
    with redis() as server:
        seen = look_at(check(server.url))
    assert [(one.layer, one.outcome) for one in seen.observations] == [
        (Layer.PORT, Outcome.PASS),
        (Layer.SERVICE, Outcome.PASS),
    ]
    port, service = seen.observations
    assert port.latency_ms is not None
    assert service.latency_ms is not None
    assert port.latency_ms <= service.latency_ms


def test_slow_is_held_against_the_exchange_connecting_included() -> None:
    with redis() as server:
        one = check(server.url)
        hasty = replace(one, target=replace(one.target, slow_s=1e-6))
        patient = replace(one, target=replace(one.target, slow_s=60.0))
        assert {seen.cause for seen in look_at(hasty).observations} == {Cause.SLOW}
        assert {seen.outcome for seen in look_at(hasty).observations} == {Outcome.SLOW}
        assert {seen.outcome for seen in look_at(patient).observations} == {Outcome.PASS}


def test_nobody_home() -> None:
    with stranger(None) as port:
        pass
    seen = last(look_at(check(f"redis://127.0.0.1:{port}")))
    assert (seen.layer, seen.outcome, seen.cause) == (Layer.PORT, Outcome.FAIL, Cause.REFUSED)


@pytest.mark.parametrize("scheme", ["postgres", "redis", "https", "ssh", "amqp"])
def test_the_kernel_accepts_for_a_program_that_does_not(scheme: str) -> None:
    with stranger(None) as port:
        seen = last(look_at(check(f"{scheme}://127.0.0.1:{port}", 3.0)))
    assert (seen.layer, seen.cause) == (Layer.SERVICE, Cause.SILENT)


def test_silence_says_whether_the_network_or_the_program_is_silent() -> None:
    with stranger(listens) as port:
        seen = last(look_at(check(f"redis://127.0.0.1:{port}", 1.0)))
    assert seen.cause is Cause.SILENT
    assert (seen.facts["unacked_bytes"], seen.facts["retransmits"]) == (0, 0)


@pytest.mark.parametrize("scheme", ["postgres", "redis", "ssh", "https"])
def test_hanging_up_without_a_word(scheme: str) -> None:
    with stranger(hangs_up) as port:
        seen = last(look_at(check(f"{scheme}://127.0.0.1:{port}")))
    assert (seen.layer, seen.cause) == (Layer.SERVICE, Cause.CLOSES)


# -- who is it then? ---------------------------------------------------------------------------------


def wrong(one: Check) -> tuple[Cause | None, object, object]:
    seen = last(look_at(one))
    return seen.cause, seen.facts.get("expected"), seen.facts.get("found")


@pytest.mark.parametrize("expected", ["postgres", "http", "mysql", "smtp", "mongodb", "amqp", "rediss"])
def test_redis_where_another_is_expected(expected: str) -> None:
    with redis() as server:
        assert wrong(check(f"{expected}://127.0.0.1:{server.port}")) == (
            Cause.WRONG_SERVICE,
            expected,
            "redis",
        )


@pytest.mark.parametrize("expected", ["postgres", "redis", "mysql", "ssh", "https", "memcached", "ldap"])
def test_a_web_server_where_another_is_expected(expected: str) -> None:
    with nginx() as server:
        assert wrong(check(f"{expected}://127.0.0.1:{server.port}")) == (
            Cause.WRONG_SERVICE,
            expected,
            "http",
        )


@pytest.mark.parametrize("expected", ["mysql", "redis", "postgres", "https", "http"])
def test_sshd_where_another_is_expected(expected: str) -> None:
    with sshd() as server:
        assert wrong(check(f"{expected}://127.0.0.1:{server.port}")) == (Cause.WRONG_SERVICE, expected, "ssh")


def test_https_where_http_is_expected(tmp_path: Path) -> None:
    with nginx(tls=Authority(tmp_path).valid("127.0.0.1")) as server:
        assert wrong(check(f"http://127.0.0.1:{server.port}")) == (Cause.WRONG_SERVICE, "http", "https")


def test_http_on_a_unix_socket_where_https_is_expected(tmp_path: Path) -> None:
    socket_path = tmp_path / "app.sock"
    with nginx(http=f"server {{ listen unix:{socket_path}; location / {{ return 200; }} }}"):
        at = str(socket_path).replace("/", "%2F")
        assert wrong(check(f"https+unix://{at}")) == (Cause.WRONG_SERVICE, "https", "http")


def test_nobody_known_keeps_the_seen_words() -> None:
    with stranger(says(b"hello, I am new here\n")) as port:
        seen = last(look_at(check(f"redis://127.0.0.1:{port}")))
    assert (seen.cause, seen.facts.get("found")) == (Cause.WRONG_SERVICE, None)
    assert "hello, I am new here" in seen.detail


def test_a_proxy_without_its_backend() -> None:
    with stranger(None) as dead:
        pass
    with haproxy(f"127.0.0.1:{dead}", mode="tcp") as server:
        seen = last(look_at(check(f"postgres://127.0.0.1:{server.port}", 6.0)))
    assert seen.cause in (Cause.CLOSES, Cause.BAD_UPSTREAM)


# -- certificates ------------------------------------------------------------------------------------

CERTIFICATES = {
    "expired": Cause.TLS_EXPIRED,
    "not_yet_valid": Cause.TLS_NOT_YET_VALID,
    "wrong_name": Cause.TLS_NAME_MISMATCH,
    "self_signed": Cause.TLS_UNTRUSTED,
    "missing_intermediate": Cause.TLS_UNTRUSTED,
}


@pytest.mark.parametrize("kind", sorted(CERTIFICATES))
def test_a_certificate_that_is_not_accepted_is_described(kind: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with nginx(tls=getattr(authority, kind)()) as server:
        one = check(f"https://127.0.0.1:{server.port}")
        seen = last(look_at(replace(one, tls=TlsSettings(ca=str(authority.file)))))
    assert (seen.layer, seen.outcome, seen.cause) == (Layer.TLS, Outcome.FAIL, CERTIFICATES[kind])
    assert {"subject", "issuer", "expires_at", "names"} <= seen.facts.keys()


def test_an_issuer_that_has_ended_is_not_the_certificate_s_own_end(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with nginx(tls=authority.expired_intermediate()) as server:
        one = check(f"https://127.0.0.1:{server.port}")
        seen = last(look_at(replace(one, tls=TlsSettings(ca=str(authority.file)))))
    assert seen.cause is Cause.TLS_EXPIRED
    until = seen.facts["expires_at"]
    assert seen.detail == f"the certificate of an issuer has expired; its own is valid until {until}"
    said = f"The certificate of 127.0.0.1:{server.port} isn't accepted: {seen.detail}"
    assert sentence(one.target, seen) == said
    assert next_steps(one.target, seen)[0].startswith("Serve a chain that is valid")


def test_a_certificate_that_ends_soon_is_degraded_and_the_service_is_looked_at(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with nginx(tls=authority.expiring()) as server:
        one = check(f"https://127.0.0.1:{server.port}")
        seen = look_at(replace(one, tls=TlsSettings(ca=str(authority.file)))).observations
    assert [(one.layer, one.outcome, one.cause) for one in seen] == [
        (Layer.PORT, Outcome.PASS, None),
        (Layer.TLS, Outcome.SLOW, Cause.TLS_EXPIRING),
        (Layer.SERVICE, Outcome.PASS, None),
    ]


def test_a_valid_certificate_passes(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with nginx(tls=authority.valid("127.0.0.1")) as server:
        one = check(f"https://127.0.0.1:{server.port}")
        seen = look_at(replace(one, tls=TlsSettings(ca=str(authority.file)))).observations
    assert {one.outcome for one in seen} == {Outcome.PASS}
    assert "expires_at" in seen[1].facts


def test_an_unverified_one_says_so(tmp_path: Path) -> None:
    with nginx(tls=Authority(tmp_path).self_signed()) as server:
        one = check(f"https://127.0.0.1:{server.port}")
        seen = look_at(replace(one, tls=TlsSettings(verify=False))).observations
    assert seen[1].outcome is Outcome.PASS
    assert seen[1].facts["verified"] is False


# -- a bare address ----------------------------------------------------------------------------------


def test_a_bare_address_is_looked_at_as_whatever_answers() -> None:
    with redis() as server:
        seen = look_at(check(f"127.0.0.1:{server.port}"))
    assert last(seen).facts["speaks"] == "redis"
    assert last(seen).outcome is Outcome.PASS
    with nginx() as web:
        assert last(look_at(check(f"127.0.0.1:{web.port}"))).facts["speaks"] == "http"


def test_a_bare_address_that_nobody_identifies_is_up_and_says_so() -> None:
    with stranger(listens) as port:
        seen = last(look_at(check(f"127.0.0.1:{port}", 1.0)))
    assert (seen.layer, seen.outcome) == (Layer.PORT, Outcome.PASS)
    assert seen.facts["unidentified"] is True


@pytest.mark.parametrize("host", ["192.0.2.1", "[2001:db8::1]"])
@pytest.mark.parametrize("scheme", ["", "redis://", "tcp://"])
def test_without_a_way_out_nobody_is_blamed(scheme: str, host: str) -> None:
    with network("alone") as (place,), place.enter():
        seen = last(look_at(check(f"{scheme}{host}:6379")))
    assert (seen.outcome, seen.cause) == (Outcome.UNKNOWN, Cause.MONITOR_OFFLINE)


def test_who_speaks_inside_of_tls_is_told(tmp_path: Path) -> None:
    with redis(tls=Authority(tmp_path).valid("127.0.0.1")) as server:
        bare = asyncio.run(identified(check(f"127.0.0.1:{server.port}")))
    assert bare is not None
    assert bare.address.scheme == "rediss"


def test_one_that_tells_its_name_in_plain_words_and_talks_in_tls_only_is_not_down(tmp_path: Path) -> None:
    with mongod(tls=Authority(tmp_path).valid("127.0.0.1")) as server:
        seen = last(look_at(check(f"127.0.0.1:{server.port}")))
    assert seen.facts["speaks"] == "tls"
    assert seen.cause is not Cause.CLOSES


def test_finding_out_who_answers_takes_its_time_from_the_look() -> None:
    with stranger(says(b"SSH-2.0-stalls\r\n")) as port:
        bare = asyncio.run(identified(check(f"127.0.0.1:{port}", 0.5)))
        seen = last(look_at(check(f"127.0.0.1:{port}", 0.5)))
    assert bare is not None
    assert bare.timeout_s < 0.5
    assert (seen.cause, seen.facts["speaks"]) == (Cause.SILENT, "ssh")


async def identified(one: Check) -> Check | None:
    async with Engine() as engine:
        return (await look_at_bare(engine, one)).check


# -- names with several addresses --------------------------------------------------------------------


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names and their addresses, in the order in which they're tried."""
    known: dict[str, list[str]] = {}

    def look_up(host: str, port: int) -> Found:
        places = [numeric_place(text, port) for text in known[host]]
        return tuple(place for place in places if place is not None)

    monkeypatch.setattr("trueup.engine.resolve.look_up", look_up)
    return known


@pytest.mark.parametrize("form", ["redis://{}:{}", "{}:{}"])
def test_half_up_is_neither_up_nor_down(form: str, names: dict[str, list[str]]) -> None:
    with redis(address="127.0.0.2") as server:
        names["half.test"] = ["127.0.0.1", "127.0.0.2"]
        seen = look_at(check(form.format("half.test", server.port)))
    assert [(one.layer, one.outcome) for one in seen.observations] == [
        (Layer.PORT, Outcome.SLOW),
        (Layer.PORT, Outcome.PASS),
        (Layer.SERVICE, Outcome.PASS),
    ]
    assert seen.observations[0].facts["other_addresses"] == {"127.0.0.2": "pass"}


@pytest.mark.parametrize("form", ["redis://{}:{}", "{}:{}"])
def test_a_silent_address_leaves_time_for_the_others(form: str, names: dict[str, list[str]]) -> None:
    with redis(address="127.0.0.2") as server, full_queue(server.port):
        names["half.test"] = [FULL, "127.0.0.2"]
        seen = look_at(check(form.format("half.test", server.port)))
    assert (seen.observations[0].cause, seen.observations[0].outcome) == (Cause.NO_ANSWER, Outcome.SLOW)
    assert (last(seen).layer, last(seen).outcome) == (Layer.SERVICE, Outcome.PASS)


@pytest.mark.parametrize("form", ["redis://{}:{}", "{}:{}"])
def test_a_service_on_one_loopback_address_is_up(form: str, names: dict[str, list[str]]) -> None:
    with redis() as server:
        names["localhost"] = ["::1", "127.0.0.1"]
        seen = look_at(check(form.format("localhost", server.port)))
    assert {one.outcome for one in seen.observations} == {Outcome.PASS}
    assert last(seen).layer is Layer.SERVICE


def test_down_at_all_its_addresses(names: dict[str, list[str]]) -> None:
    with stranger(None) as port:
        pass
    names["dead.test"] = ["127.0.0.1", "127.0.0.2"]
    seen = last(look_at(check(f"redis://dead.test:{port}")))
    assert (seen.outcome, seen.cause) == (Outcome.FAIL, Cause.REFUSED)
    assert "at all its addresses: 127.0.0.1, 127.0.0.2" in seen.detail


FULL = "127.0.0.77"
"""Where nobody else listens: the port is free there, whoever has it at 127.0.0.1."""


@contextlib.contextmanager
def full_queue(port: int) -> Iterator[None]:
    """``port`` of the address ``FULL`` with no place left in its accept queue: the kernel drops who comes."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((FULL, port))
        listener.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex((FULL, port))
        yield

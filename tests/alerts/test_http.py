"""One request to a receiver, and every way in which it can go wrong."""

import asyncio
import errno
import logging
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.alerts.receiver import (
    How,
    Receiver,
    answers,
    babbles,
    closes,
    drips,
    floods,
    hangs,
    receiver,
    resets,
)
from tests.beds.certificates import Authority
from tests.beds.server import LOOPBACK, free_port
from trueup.alerts import http as module
from trueup.alerts.http import REPLY_BYTES_MAX, Http, NoReply, Reply, again_after_s, outcome_of
from trueup.alerts.sender import Outcome, Taken
from trueup.domain.target import TlsSettings

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


async def outcome_at(url: str, tls: TlsSettings | None = None, headers: Mapping[str, str] = {}) -> Outcome:
    http = Http(tls)
    try:
        return outcome_of(await http.post(url, b"{}", headers), NOW)
    except NoReply as failure:
        return failure.outcome
    finally:
        await http.close()


def outcome(*how: How) -> Outcome:
    async def ask() -> Outcome:
        async with receiver(*how) as one:
            return await outcome_at(one.url)

    return asyncio.run(ask())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEADLINE_S", 0.4)
    monkeypatch.setattr(module, "BODY_S", 0.2)


@pytest.mark.parametrize(
    ("status", "taken", "said"),
    [
        (200, Taken.SENT, "200 OK"),
        (202, Taken.SENT, "202 Accepted"),
        (204, Taken.SENT, "204 No Content"),
        (
            302,
            Taken.LATER,
            "302 Found; redirects aren't followed, write where it leads to",
        ),
        (400, Taken.REFUSED, '400 Bad Request: {"why": "\\u2026"}'),
        (401, Taken.LATER, '401 Unauthorized: {"why": "\\u2026"}'),
        (403, Taken.LATER, '403 Forbidden: {"why": "\\u2026"}'),
        (404, Taken.LATER, '404 Not Found: {"why": "\\u2026"}'),
        (408, Taken.LATER, '408 Request Timeout: {"why": "\\u2026"}'),
        (413, Taken.REFUSED, '413 Request Entity Too Large: {"why": "\\u2026"}'),
        (429, Taken.LATER, '429 Too Many Requests: {"why": "\\u2026"}'),
        (500, Taken.LATER, '500 Internal Server Error: {"why": "\\u2026"}'),
        (503, Taken.LATER, '503 Service Unavailable: {"why": "\\u2026"}'),
        (599, Taken.LATER, '599: {"why": "\\u2026"}'),
    ],
)
def test_a_status_says_whether_it_was_taken(status: int, taken: Taken, said: str) -> None:
    why = b"" if status in (204, 302) else {"why": "…"}
    assert outcome(answers(status, why)) == Outcome(taken, said)


@pytest.mark.parametrize(
    ("written", "after_s"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Tue, 24 Nov 2026 10:02:00 GMT", 120.0),
        ("Tue, 24 Nov 2026 09:00:00 GMT", 0.0),
        ("Tue, 24 Nov 2026 10:02:00 -0000", 120.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("1" * 400, 111111111.0),
    ],
)
def test_how_long_it_asks_for_patience(written: str, after_s: float | None) -> None:
    assert again_after_s({"retry-after": written}, NOW) == after_s
    assert outcome_of(Reply(503, headers={"retry-after": written}), NOW).again_after_s == after_s


def test_what_hangs_is_given_up_after_the_deadline_and_may_have_arrived(impatient: None) -> None:
    assert outcome(hangs) == Outcome(Taken.LATER, "no answer within 0.4 s", is_uncertain=True)


@pytest.mark.parametrize("begin", [b"HTTP/1.1 200 OK\r\nX-A: ", b""])
def test_a_head_that_drips_doesnt_outlast_the_deadline(begin: bytes, impatient: None) -> None:
    assert outcome(drips(begin)).taken is Taken.LATER


@pytest.mark.parametrize(("status", "taken"), [(200, Taken.SENT), (500, Taken.LATER)])
def test_a_status_stands_whatever_becomes_of_its_body(status: int, taken: Taken, impatient: None) -> None:
    begin = f"HTTP/1.1 {status} Word\r\nContent-Length: 100000\r\n\r\n".encode()
    assert outcome(drips(begin)).taken is taken


def test_little_is_read_of_a_body_without_an_end() -> None:
    async def ask() -> Reply:
        async with receiver(floods) as one:
            http = Http()
            reply = await http.post(one.url, b"{}", {})
            await http.close()
            return reply

    reply = asyncio.run(ask())
    assert (len(reply.body), reply.is_whole) == (REPLY_BYTES_MAX, False)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (resets, "no answer: Connection reset by peer"),
        (closes, "no answer: the connection was closed"),
        (babbles, "no answer: the connection was closed"),
    ],
)
def test_who_hears_it_and_goes_may_have_taken_it(how: How, said: str) -> None:
    found = outcome(how)
    assert (found.taken, found.is_uncertain) == (Taken.LATER, True)
    assert found.said.startswith("no answer: ")
    if how is resets:
        assert found.said == said


def test_nobody_there_is_certain() -> None:
    found = asyncio.run(outcome_at(f"http://{LOOPBACK}:{free_port()}"))
    assert found == Outcome(Taken.LATER, "no connection: Connection refused")
    found = asyncio.run(outcome_at("http://nowhere.invalid/"))
    assert found.said.startswith("no connection: ")
    assert not found.is_uncertain


@pytest.mark.parametrize("url", ["http://", "http://[::1", "http://a b/", "http://host:99999/", "hook"])
def test_a_url_that_is_none_is_said_without_it(url: str) -> None:
    found = asyncio.run(outcome_at(url))
    assert found.taken in (Taken.REFUSED, Taken.LATER)
    assert url not in found.said or url == "http://"


def test_a_header_that_would_be_two_is_refused() -> None:
    found = asyncio.run(outcome_at(f"http://{LOOPBACK}:{free_port()}", headers={"X-A": "b\r\nX-C: s3cret"}))
    assert "s3cret" not in found.said
    assert found.taken in (Taken.REFUSED, Taken.LATER)


def server_context(authority: Authority) -> ssl.SSLContext:
    own = authority.valid()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    return context


def outcome_with_tls(authority: Authority, tls: TlsSettings | None) -> Outcome:
    async def ask() -> Outcome:
        async with receiver(answers(200), tls=server_context(authority)) as one:
            return await outcome_at(one.url, tls)

    return asyncio.run(ask())


def test_a_certificate_is_judged_as_the_channel_says(authority: Authority, tmp_path: Path) -> None:
    assert outcome_with_tls(authority, TlsSettings(ca=str(authority.file))).taken is Taken.SENT
    assert outcome_with_tls(authority, TlsSettings(verify=False)).taken is Taken.SENT
    found = outcome_with_tls(authority, None)
    assert found.taken is Taken.LATER
    assert found.said.startswith("no connection: its certificate isn't accepted: ")
    named = TlsSettings(ca=str(authority.file), server_name="other.example")
    assert "isn't accepted" in outcome_with_tls(authority, named).said
    gone = outcome_with_tls(authority, TlsSettings(ca=str(tmp_path / "gone.pem")))
    assert gone.said.startswith("its TLS settings can't be used: No such file or directory")


def test_a_replaced_authority_is_trusted_from_then_on(authority: Authority, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(Authority(tmp_path).file.read_bytes())

    async def ask() -> list[Taken]:
        http = Http(TlsSettings(ca=str(ca)))
        taken = []
        async with receiver(answers(200), tls=server_context(authority)) as one:
            for _ in range(2):
                try:
                    taken.append(outcome_of(await http.post(one.url, b"{}", {}), NOW).taken)
                except NoReply as failure:
                    taken.append(failure.outcome.taken)
                ca.write_bytes(authority.file.read_bytes())
        await http.close()
        return taken

    assert asyncio.run(ask()) == [Taken.LATER, Taken.SENT]


def test_want_of_files_is_nobody_elses_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def poor(*_: object) -> ssl.SSLContext:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(module, "context_for", poor)
    found = asyncio.run(outcome_at("https://127.0.0.1:1/"))
    assert (found.taken, found.said) == (
        Taken.LATER,
        "trueup wants for what it sends with: Too many open files",
    )


def test_what_isnt_tls_is_said() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()
        await writer.wait_closed()

    async def ask() -> Outcome:
        server = await asyncio.start_server(greet, LOOPBACK, 0)
        async with server:
            return await outcome_at(f"https://{LOOPBACK}:{server.sockets[0].getsockname()[1]}")

    assert asyncio.run(ask()).said.startswith("no connection: TLS failed")


def test_this_machine_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://{LOOPBACK}:{free_port()}")
    assert outcome(answers(200)).taken is Taken.SENT


def test_a_proxy_of_the_environment_is_used_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> Receiver:
        async with receiver(answers(200)) as proxy:
            monkeypatch.setenv("http_proxy", proxy.url)
            assert (await outcome_at("http://hooks.invalid/trueup")).taken is Taken.SENT
            return proxy

    (request,) = asyncio.run(ask()).requests
    assert request.line == "POST http://hooks.invalid/trueup HTTP/1.1"


def test_nothing_logs_the_url(caplog: pytest.LogCaptureFixture) -> None:
    async def ask() -> None:
        async with receiver(answers(200)) as one:
            await outcome_at(f"{one.url}/t0ken")

    with caplog.at_level(logging.INFO):
        asyncio.run(ask())
    assert "t0ken" not in caplog.text


def test_requests_at_the_same_time_share_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    make = Http._make

    def counted(http: Http) -> object:
        made.append(http)
        return make(http)

    monkeypatch.setattr(Http, "_make", counted)

    async def ask() -> None:
        async with receiver(answers(200)) as one:
            http = Http()
            await asyncio.gather(*(http.post(one.url, b"{}", {}) for _ in range(4)))
            await http.close()

    asyncio.run(ask())
    assert len(made) == 1


def test_a_header_may_have_any_letter() -> None:
    async def ask() -> tuple[Outcome, str]:
        async with receiver(answers(200)) as one:
            taken = await outcome_at(one.url, headers={"X-Team": "Störung"})
            return taken, one.requests[0].headers["x-team"]

    taken, told = asyncio.run(ask())
    assert taken.taken is Taken.SENT
    assert told == "Störung"

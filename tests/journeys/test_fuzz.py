"""What steps say to a peer, whatever it answers: no exception but a break, and no secret to a stranger."""

from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.playbook import Played, address, play
from tests.probes.test_fuzz import EXAMPLES, FRAGMENTS, peers
from trueup.app.clock import SystemClock
from trueup.conversation import Answer, Break, Conversation, Step
from trueup.domain.journey import HttpRequest
from trueup.domain.secret import Secret
from trueup.domain.target import Login
from trueup.engine.engine import Engine
from trueup.journeys.http import Errand, _request
from trueup.journeys.sql import Overheard
from trueup.journeys.walk import Walk
from trueup.probes import imap, imap_letter, pop3, pop3_letter, smtp
from trueup.probes.http import Options
from trueup.probes.http_peer import Peer, origin_of
from trueup.probes.letter import Letter
from trueup.probes.registry import probe_for

CANARY = "c4nary-word"
NOW = datetime(2026, 11, 30, tzinfo=UTC)
LETTER = Letter(b"me@example.org", b"you@example.org", "w0rd", NOW)
LOGIN = Login(Secret(CANARY), "probe")
HTTP = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b; Domain=.; Path\r\n\r\nok",
    b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\nSet-Cookie: a=\xff\r\n\r\n",
    b"HTTP/1.1 308 Away\r\nLocation: https://other.example:0/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 307 Away\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 401 No\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
]


def http() -> Conversation:
    action = HttpRequest("POST", address("http://shop.example/login"), json={"password": CANARY})
    walk = Walk(cast("Engine", None), SystemClock())
    options = Options(action.url)
    return Errand(walk, action, options, _request(walk, action), Peer(origin_of(action.url))).conversation()


def sent() -> Conversation:
    return smtp.conversation(smtp.Options(address("smtp://mail.example"), LOGIN), LETTER)


def found_by_imap() -> Conversation:
    def inside() -> Generator[Step, bytes, Answer]:
        return imap_letter.find(LETTER, 'IN"BOX', NOW)

    return imap.conversation(imap.Options(address("imap://mail.example"), LOGIN), inside)


def found_by_pop3() -> Conversation:
    def inside() -> Generator[Step, bytes, Answer]:
        return pop3_letter.find(LETTER)

    return pop3.conversation(pop3.Options(address("pop3://mail.example"), LOGIN), inside)


def overheard(scheme: str) -> Conversation:
    probe = probe_for(scheme)
    options = probe.options(address(f"{scheme}://db.example"), login=LOGIN, query="select 7")
    return Overheard(probe, options).probe.conversation(options)


TALKS: dict[str, tuple[str, Callable[[], Conversation]]] = {
    "http": ("http", http),
    "smtp": ("smtp", sent),
    "imap": ("imap", found_by_imap),
    "pop3": ("pop3", found_by_pop3),
    "postgres": ("postgres", lambda: overheard("postgres")),
    "mysql": ("mysql", lambda: overheard("mysql")),
}


def said_to(name: str) -> st.SearchStrategy[list[bytes | Break]]:
    scheme, _ = TALKS[name]
    if scheme != "http":
        return peers(scheme)
    pieces = st.one_of(
        st.sampled_from(HTTP), st.sampled_from(HTTP), st.sampled_from(FRAGMENTS), st.binary(max_size=40)
    )
    made: st.SearchStrategy[Any] = st.lists(pieces, max_size=9)
    return st.one_of(peers(scheme), made)


@pytest.mark.parametrize("name", TALKS)
def test_anything_may_be_said(name: str) -> None:
    _, talk = TALKS[name]

    @settings(max_examples=EXAMPLES, derandomize=EXAMPLES <= 1000, database=None, deadline=None)
    @given(said_to(name))
    def story(says: list[bytes | Break]) -> None:
        played = play(talk(), says)
        assert played.answer is not None or played.broke is not None

    story()


@pytest.mark.parametrize("said", [b"SSH-2.0-x\r\n", b"220 mail\r\n", b"\0" * 20, b""])
def test_no_secret_for_a_stranger(said: bytes) -> None:
    played: Played = play(http(), [said, said])
    assert CANARY.encode() not in played.sent


def test_no_secret_for_another_host() -> None:
    away = b"HTTP/1.1 307 Away\r\nLocation: http://other.example/\r\nContent-Length: 0\r\n\r\n"
    met = b"HTTP/1.1 204 No Content\r\n\r\n"
    played = play(http(), [met, away, HTTP[0], HTTP[0]])
    assert played.sent.count(CANARY.encode()) == 1
    assert all(dial.host != "other.example" for dial in played.dials)

"""nginx's status page against a script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.playbook import Played, address, play
from tests.probes.hostile import noise
from trueup.conversation import Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.target import Login
from trueup.probes.nginx import PLACES, PROBE, Options, conversation

PAGE = (
    b"Active connections: 291 \nserver accepts handled requests\n 16630948 16630946 31070465 \n"
    b"Reading: 6 Writing: 179 Waiting: 106 \n"
)


def says(status: int, body: bytes = b"", server: bytes = b"nginx/1.22.1") -> bytes:
    return b"HTTP/1.1 %d Word\r\nServer: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        status,
        server,
        len(body),
        body,
    )


def look(
    *script: bytes | Break, at: str = "nginx://a", login: Login | None = None, chunk: int | None = None
) -> Played:
    return play(conversation(Options(address(at), login)), [*script, Closed()], chunk=chunk)


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_the_counters(chunk: int | None) -> None:
    seen = look(says(200, PAGE), chunk=chunk).settled
    assert seen.cause is None
    assert seen.facts == {
        "active": 291,
        "requests": 31070465,
        "reading": 6,
        "writing": 179,
        "waiting": 106,
        "dropped": 2,
        "server": "nginx/1.22.1",
    }


def test_tengine_has_one_more_column() -> None:
    page = PAGE.replace(b"requests", b"requests request_time").replace(b"31070465", b"31070465 17")
    assert look(says(200, page, b"Tengine")).settled.facts["requests"] == 31070465


def test_the_usual_places_are_tried() -> None:
    played = look(says(404), says(404), says(200, PAGE))
    assert played.settled.cause is None
    assert [played.sent.count(f"GET {place} ".encode()) for place in PLACES] == [1, 1, 1]


def test_a_given_place_is_the_only_one() -> None:
    played = look(says(404), at="nginx://a/status?x")
    assert played.settled.cause is Cause.WRONG_ANSWER
    assert played.sent.startswith(b"GET /status?x ")


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (200, Cause.WRONG_ANSWER),
        (301, Cause.WRONG_ANSWER),
        (401, None),
        (403, Cause.BLOCKED),
        (404, Cause.WRONG_ANSWER),
        (429, Cause.OVERLOADED),
        (500, Cause.ERROR_ANSWER),
        (502, Cause.BAD_UPSTREAM),
        (503, Cause.BAD_UPSTREAM),
    ],
)
def test_every_status(status: int, cause: Cause | None) -> None:
    assert look(says(status, b"x"), at="nginx://a/status").settled.cause is cause


def test_a_login_is_sent_to_nginx_only() -> None:
    login = Login(Secret("canary"), "u")
    assert look(says(401), says(200, PAGE), login=login).settled.cause is None
    assert look(says(401), says(401), login=login).settled.cause is Cause.LOGIN_REFUSED
    assert look(says(401, b"", b"Apache"), says(200, PAGE), login=login).said_secretly == b""
    assert look(b"SSH-2.0-x\r\n", login=login).said_secretly == b""


@pytest.mark.parametrize("said", [says(200, b"x", b"Apache"), says(404, b"", b"Jetty"), b"220 ftp\r\n"])
def test_strangers(said: bytes) -> None:
    seen = look(said, at="nginx://a/x").settled
    assert (seen.cause, seen.facts["expected"]) == (Cause.WRONG_SERVICE, "nginx")


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything(noise: bytes) -> None:
    for said in (noise, says(200, noise), says(200, PAGE[:60] + noise)):
        played = look(said)
        assert played.answer is not None or isinstance(played.broke, Closed)


@given(noise([says(401), says(200, PAGE)]))
def test_any_bytes_make_an_answer_or_a_break(script: list[bytes | Break]) -> None:
    played = look(*script, login=Login(Secret("canary"), "u"))
    assert played.answer is not None or isinstance(played.broke, Closed | Quiet | None)


def test_recognise() -> None:
    assert PROBE.recognise(says(200, PAGE))
    assert not PROBE.recognise(says(200, b"Welcome to nginx!"))
    assert not PROBE.recognise(PAGE)

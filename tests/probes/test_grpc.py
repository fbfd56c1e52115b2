"""The gRPC probe against a script: a row of its tables each."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.playbook import Played, address, play
from tests.probes.hostile import noise
from tests.probes.test_http2 import HELLO, OVER, headers
from trueup.conversation import Answer, Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login
from trueup.probes.grpc import HEALTH, PROBE, STATUSES, Options, conversation, serving_status
from trueup.probes.http2 import DATA, ERRORS, GOAWAY, RST_STREAM, frame

AT, CART = address("grpc://a"), address("grpc://a/shop.Cart")
LOGIN = Login(Secret("canary"))
GRPC = (("content-type", "application/grpc+proto"), (":status", "200"))


def health(serving: int, stream: int = 1) -> bytes:
    message = bytes([8, serving]) if serving else b""
    data = b"\0" + len(message).to_bytes(4, "big") + message
    end = headers(("grpc-status", "0"), stream=stream, flags=OVER)
    return headers(*GRPC, stream=stream) + frame(DATA, 0, stream, data) + end


def refuses(status: str, message: str = "because", stream: int = 1) -> bytes:
    return headers(*GRPC, ("grpc-status", status), ("grpc-message", message), stream=stream, flags=OVER)


def http(status: str, kind: str = "text/html") -> bytes:
    return headers((":status", status), ("content-type", kind), flags=OVER)


def look(*script: bytes | Break, at: Any = AT, chunk: int | None = None, **configured: Any) -> Played:
    return play(conversation(Options(at, **configured)), [*script, Closed()], chunk=chunk)


def answer(*script: bytes | Break, **configured: Any) -> Answer:
    return look(*script, **configured).settled


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_serving(chunk: int | None) -> None:
    played = look(HELLO + health(1), chunk=chunk)
    assert played.settled == Answer(Outcome.PASS, None, "SERVING", {"health": "SERVING"}, Layer.SERVICE)
    assert b"/grpc.health.v1.Health/Check" in played.sent
    assert b"a:50051" in played.sent
    assert frame(DATA, 1, 1, b"\0" * 5) in played.sent


@pytest.mark.parametrize("serving", sorted(HEALTH))
def test_every_health_has_its_cause(serving: int) -> None:
    seen = answer(HELLO, health(serving), at=CART)
    assert seen.cause is HEALTH[serving][0]
    assert seen.detail == f"shop.Cart is {HEALTH[serving][1]}"


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_every_status_has_its_cause(status: int) -> None:
    seen = answer(HELLO, refuses(str(status)))
    cause, meaning = STATUSES[status]
    assert (seen.cause, seen.facts["grpc_status"]) == (cause, status)
    assert f"{meaning} (because)" in seen.detail
    assert seen.facts.get("login") == ("demanded" if status in (7, 16) else None)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ("12", Cause.WRONG_ANSWER),
        ("7", Cause.LOGIN_REFUSED),
        ("16", Cause.LOGIN_REFUSED),
        ("5", Cause.WRONG_ANSWER),
    ],
)
def test_a_named_service_must_be_known(status: str, cause: Cause) -> None:
    assert answer(HELLO, refuses(status), at=CART).cause is cause


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (refuses("11"), Cause.ERROR_ANSWER),
        (refuses("99"), Cause.ERROR_ANSWER),
        (refuses("what"), Cause.ERROR_ANSWER),
        (headers(*GRPC, flags=OVER), Cause.ERROR_ANSWER),
        (health(9), Cause.ERROR_ANSWER),
        (http("502"), Cause.BAD_UPSTREAM),
        (http("503"), Cause.BAD_UPSTREAM),
        (http("504"), Cause.BAD_UPSTREAM),
        (http("429"), Cause.OVERLOADED),
        (http("401"), None),
        (http("403"), None),
        (http("404"), Cause.WRONG_SERVICE),
        (http("200"), Cause.WRONG_SERVICE),
        (headers(("x", "y"), flags=OVER), Cause.WRONG_SERVICE),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Cause.WRONG_SERVICE),
    ],
)
def test_other_answers(said: bytes, cause: Cause | None) -> None:
    assert answer(said if said[:1] == b"H" else HELLO + said).cause is cause


def goaway(code: int, last: int = 0, debug: bytes = b"") -> bytes:
    return frame(GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big") + debug)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (frame(RST_STREAM, 0, 1, b"\0\0\0\x07"), Cause.OVERLOADED),
        (frame(RST_STREAM, 0, 1, b"\0\0\0\x02"), Cause.ERROR_ANSWER),
        (frame(RST_STREAM, 0, 1, b"\0\0\0\xff"), Cause.ERROR_ANSWER),
        (goaway(0), Cause.STARTING_UP),
        (goaway(11, 1, b"too_many_pings"), Cause.OVERLOADED),
        (goaway(1, 1), Cause.ERROR_ANSWER),
        (goaway(0, 0x7FFFFFFF) + health(1), None),
        (health(1) + frame(RST_STREAM, 0, 1, b"\0\0\0\0"), None),
    ],
)
def test_it_gives_up(said: bytes, cause: Cause | None) -> None:
    assert answer(HELLO, said).cause is cause


def test_every_error_has_its_name() -> None:
    for code, name in enumerate(ERRORS):
        assert answer(HELLO, frame(RST_STREAM, 0, 1, code.to_bytes(4, "big"))).facts["code"] == name
    assert ERRORS[0xD] == "HTTP_1_1_REQUIRED"


def test_short_words_of_another_kind() -> None:
    assert answer(b"HTTP/1.0 ").cause is Cause.WRONG_SERVICE
    assert isinstance(look(b"").broke, Closed)


def test_the_login_is_sent_after_grpc_has_answered() -> None:
    for other in (b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 401 Unauthorized\r\n\r\n", HELLO + http("401")):
        played = look(other, login=LOGIN)
        assert b"canary" not in played.sent
    for first in (health(1), refuses("16")):
        played = look(HELLO, first, health(1, stream=3), login=LOGIN)
        assert played.settled.cause is None
        assert played.sent.count(b"Bearer canary") == played.said_secretly.count(b"Bearer canary") == 1
    refused = look(HELLO, refuses("16"), refuses("16", stream=3), login=LOGIN)
    assert refused.settled.cause is Cause.LOGIN_REFUSED
    user = look(HELLO, health(1), health(1, stream=3), login=Login(Secret("open sesame"), "Aladdin"))
    assert b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" in user.said_secretly


@pytest.mark.parametrize(
    ("data", "serving"),
    [
        (b"\0\0\0\0\0", 0),
        (b"\0\0\0\0\x02\x08\x01", 1),
        (b"\0\0\0\0\x04\x08\x02\x10\x01", 2),
        (b"", None),
        (b"\0\0\0\0\x02\x08", None),
        (b"\x01\0\0\0\x02\x08\x01", None),
        (b"\0\0\0\0\x01\x08", None),
        (b"\0\0\0\0\x03\x08\x80\x01", None),
        (b"\0\0\0\0\x03\x0a\x01x", None),
    ],
)
def test_health_messages(data: bytes, serving: int | None) -> None:
    assert serving_status(data) == serving


def test_long_names_of_services() -> None:
    played = look(HELLO, health(1), at=address("grpc://a/" + "x" * 200))
    assert b"\0\0\0\0\xcb\x0a\xc8\x01" + b"x" * 200 in played.sent


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything(noise: bytes) -> None:
    framed = headers(*GRPC) + frame(DATA, 0, 1, noise) + headers(("grpc-status", "0"), flags=OVER)
    for said in (noise, HELLO + noise, HELLO + framed):
        played = look(said)
        assert played.answer is not None or isinstance(played.broke, Closed)


@given(noise([HELLO, health(1), health(1, stream=3)]))
def test_any_bytes_make_an_answer_or_a_break(script: list[bytes | Break]) -> None:
    played = look(*script, login=LOGIN)
    assert played.answer is not None or isinstance(played.broke, Closed | Quiet | None)


def test_recognise() -> None:
    assert PROBE.recognise(HELLO)
    assert not PROBE.recognise(b"HTTP/1.1 200 OK\r\n")
    assert not PROBE.recognise(b"\0\0\x05\x04\0\0\0\0\0")
    assert not PROBE.recognise(b"")

"""The WebSocket probe against a script: a row of its tables each."""

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.beds.fake_http import says
from tests.playbook import NONCE, Played, address, play
from tests.probes.hostile import noise
from trueup.conversation import Answer, Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer
from trueup.domain.target import Login
from trueup.probes.ws import CLOSE_CODES, NO_UPGRADE, PROBE, Expect, Options, Saying, conversation

AT = address("ws://a/chat")
LOGIN = Login(Secret("canary"), "probe")
KEY = base64.b64encode(NONCE[:16])
PROOF = base64.b64encode(hashlib.sha1(KEY + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: " + PROOF + b"\r\n\r\n"
)
PONG = b"\x8a\x08" + NONCE[:8]


def text(words: bytes, first: int = 0x81) -> bytes:
    return bytes([first, len(words)]) + words


def close(code: int, reason: bytes = b"") -> bytes:
    return text(code.to_bytes(2, "big") + reason, 0x88)


def look(*script: bytes | Break, chunk: int | None = None, **configured: Any) -> Played:
    return play(conversation(Options(**{"address": AT, **configured})), script, chunk=chunk)


def answer(*script: bytes | Break, **configured: Any) -> Answer:
    return look(*script, **configured).settled


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_an_upgrade_and_a_ping(chunk: int | None) -> None:
    played = look(SWITCH + text(b"welcome"), PONG, chunk=chunk)
    assert played.settled.cause is None
    assert b"Sec-WebSocket-Key: " + KEY + b"\r\n" in played.sent
    assert b"Connection: Upgrade\r\n" in played.sent
    assert played.sent.endswith(bytes([0x88, 0x82]) + NONCE[:4] + bytes([3 ^ NONCE[0], 0xE8 ^ NONCE[1]]))


def test_the_rfcs_own_example_of_a_proof() -> None:
    key = b"dGhlIHNhbXBsZSBub25jZQ=="
    proof = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    assert proof == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize("status", sorted(NO_UPGRADE))
def test_every_way_not_to_upgrade(status: int) -> None:
    seen = answer(says(status, b"x"))
    assert (seen.cause, seen.facts["status"]) == (Cause.WRONG_ANSWER, status)
    assert NO_UPGRADE[status] in seen.detail


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (says(302, b"", "Location: /login"), Cause.WRONG_ANSWER),
        (says(204, b""), Cause.WRONG_ANSWER),
        (says(401, b""), None),
        (says(403, b""), None),
        (says(429, b""), Cause.OVERLOADED),
        (says(500, b""), Cause.ERROR_ANSWER),
        (says(502, b""), Cause.BAD_UPSTREAM),
        (says(400, b"The plain HTTP request was sent to HTTPS port"), Cause.WRONG_SERVICE),
        (SWITCH.replace(PROOF, b"x" * 28), Cause.WRONG_ANSWER),
        (SWITCH.replace(b"WebSocket\r", b"h2c\r"), Cause.WRONG_ANSWER),
        (b"SSH-2.0-x\r\n", Cause.WRONG_SERVICE),
        (SWITCH + b"HTTP/1.1 200 OK\r\n", Cause.ERROR_ANSWER),
        (SWITCH + text(b"tick") * 1000, Cause.ERROR_ANSWER),
    ],
)
def test_other_answers(said: bytes, cause: Cause | None) -> None:
    assert answer(said).cause is cause


@pytest.mark.parametrize("code", sorted(CLOSE_CODES))
def test_every_close_code_has_its_cause(code: int) -> None:
    seen = answer(SWITCH, close(code, b"because"))
    assert (seen.cause, seen.facts["code"]) == (CLOSE_CODES[code][0], code)
    assert seen.detail == f"{CLOSE_CODES[code][1]} ({code}: because)"


def test_other_closes() -> None:
    assert answer(SWITCH, close(4000)).cause is Cause.ERROR_ANSWER
    assert answer(SWITCH, b"\x88\x00").cause is Cause.CLOSES


def test_no_pong() -> None:
    assert answer(SWITCH, Quiet(final=True)).cause is Cause.SILENT
    assert isinstance(look(SWITCH, Closed()).broke, Closed)
    wrong = b"\x8a\x01x"
    assert answer(SWITCH, wrong, Quiet(final=True)).cause is Cause.SILENT


def test_its_pings_are_answered() -> None:
    played = look(SWITCH, b"\x89\x02hi", PONG)
    assert played.settled.cause is None
    assert bytes([0x8A, 0x82]) + NONCE[:4] + bytes([ord("h") ^ NONCE[0], ord("i") ^ NONCE[1]]) in played.sent


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        ([text(b"hello you")], None),
        ([text(b"hel", 0x01), PONG, text(b"lo", 0x80)], None),
        ([text(b"nothing"), Quiet(final=True)], Cause.WRONG_ANSWER),
        ([text(b"hel"), text(b"lo"), Quiet(final=True)], Cause.WRONG_ANSWER),
        ([Quiet(final=True)], Cause.WRONG_ANSWER),
        ([close(1011)], Cause.ERROR_ANSWER),
    ],
)
def test_an_exchange_is_of_the_function_layer(script: list[bytes | Break], cause: Cause | None) -> None:
    played = look(SWITCH, PONG, *script, send=Saying(text="hi"), expect=Expect("hello"))
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, cause)
    assert played.marks[0].layer is Layer.SERVICE


def test_secrets_go_to_a_speaker_of_http_only() -> None:
    for configured in ({"login": LOGIN}, {"send": Saying(headers={"Cookie": "canary"})}):
        stranger = look(b"-ERR what\r\n", **configured)
        assert stranger.settled.cause is Cause.WRONG_SERVICE
        assert b"canary" not in stranger.sent
        assert b"Authorization" not in stranger.sent
        known = look(says(426, b""), SWITCH, PONG, **configured)
        assert known.settled.cause is None
        assert known.said_secretly.startswith(b"GET /chat")
        assert b"canary" in known.said_secretly or b"Authorization: Basic" in known.said_secretly
        assert answer(says(426, b""), says(401, b""), **configured).cause is Cause.LOGIN_REFUSED
    assert answer(says(401, b""), expect=Expect("x")).cause is Cause.LOGIN_REFUSED


def test_a_header_that_can_not_be_sent() -> None:
    with pytest.raises(ValueError, match="HTTP forbids"):
        Saying(headers={"X": "a\r\nb"})


def test_wss() -> None:
    dial = PROBE.dial(address("wss://a/x"), None)
    assert (dial.port, dial.tls is not None, dial.alpn) == (443, True, ("http/1.1",))
    assert b"Host: a\r\n" in look(SWITCH, PONG, address=address("wss://a/x")).sent


@given(st.binary(max_size=100))
def test_no_bytes_raise_anything(noise: bytes) -> None:
    for script in ([noise], [SWITCH + noise], [SWITCH, PONG, noise]):
        played = look(*script, Closed(), expect=Expect("x"))
        assert played.answer is not None or isinstance(played.broke, Closed)


@given(noise([says(426, b""), SWITCH, PONG, text(b"hello")]))
def test_any_bytes_make_an_answer_or_a_break(script: list[bytes | Break]) -> None:
    played = look(*script, login=LOGIN, expect=Expect("hello"))
    assert played.answer is not None or isinstance(played.broke, Closed | Quiet | None)


def test_recognise() -> None:
    assert PROBE.recognise(says(426, b"", "Upgrade: websocket"))
    assert PROBE.recognise(says(426, b"Upgrade Required"))
    assert PROBE.recognise(SWITCH)
    assert PROBE.recognise(says(505, b"Failed to open a WebSocket connection"))
    assert not PROBE.recognise(says(426, b"", "Upgrade: h2c"))
    assert not PROBE.recognise(says(200, b"", "Upgrade: websocket"))

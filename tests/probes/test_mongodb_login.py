"""Each way to log in to MongoDB, against a script in which scramp plays the server."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import scramp  # type: ignore[import-untyped]  # it ships no types

from tests.playbook import NONCE, address, play
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Outcome
from trueup.domain.target import Login
from trueup.probes.mongodb import Options, conversation
from trueup.probes.mongodb_login import SHA1, SHA256
from trueup.probes.mongowire import command, parse

from .test_mongodb import ALONE, PONG, error

HELLO = command(1, ALONE) + PONG
WORD = base64.b64encode(NONCE[:18]).decode()
OPTIONS = Options(address("mongodb://127.0.0.1/shop"), login=Login(Secret("pencil"), "user"))


def offers(*mechanisms: str) -> bytes:
    told = {str(number): name for number, name in enumerate(mechanisms)}
    said = command(4, {"ok": 1, "saslSupportedMechs": told})
    return said.replace(b"\x03saslSupportedMechs", b"\x04saslSupportedMechs")


def words(mechanism: str, password: str) -> tuple[bytes, bytes]:
    """What a server says that knows this password: its challenge, and its own proof."""
    if mechanism == SHA1:
        password = hashlib.md5(f"user:mongo:{password}".encode()).hexdigest()
    known = scramp.ScramMechanism(mechanism).make_auth_info(password, 15_000, b"s" * 16)
    server = scramp.ScramMechanism(mechanism).make_server(lambda _user: known, s_nonce="theirs")
    client = scramp.ScramClient([mechanism], "user", password, c_nonce=WORD)
    server.set_client_first(client.get_client_first())
    client.set_server_first(challenge := server.get_server_first())
    server.set_client_final(client.get_client_final())
    return challenge.encode(), server.get_server_final().encode()


def says(mechanism: str, *, password: str = "pencil", done: bool = True) -> Sequence[bytes]:
    challenge, proof = words(mechanism, password)
    return [
        HELLO,
        offers(mechanism),
        command(5, {"ok": 1, "conversationId": 1, "done": False, "payload": challenge}),
        command(6, {"ok": 1, "conversationId": 1, "done": done, "payload": proof}),
    ]


@pytest.mark.parametrize("mechanism", [SHA256, SHA1])
@pytest.mark.parametrize("done", [True, False])
def test_a_user_is_let_in(mechanism: str, done: bool) -> None:
    last = command(7, {"ok": 1, "conversationId": 1, "done": True, "payload": b""})
    played = play(conversation(OPTIONS), [*says(mechanism, done=done), last])
    assert played.settled.outcome is Outcome.PASS
    assert b"pencil" not in played.sent
    asked = list(_commands(played.sent))
    assert [next(iter(one)) for one in asked[3:5]] == ["saslStart", "saslContinue"]
    assert asked[3]["$db"] == "shop"
    assert asked[2]["saslSupportedMechs"] == "shop.user"


def _commands(sent: bytes) -> Iterator[dict[str, Any]]:
    yield from parse(sent)


def test_a_server_with_another_password_is_not_trusted() -> None:
    settled = play(conversation(OPTIONS), says(SHA256, password="other")).settled
    assert settled.cause is Cause.LOGIN_REFUSED


def test_a_refusal_at_each_step() -> None:
    whole = says(SHA256)
    for kept in (2, 3):
        settled = play(conversation(OPTIONS), [*whole[:kept], error(18)]).settled
        assert (settled.cause, settled.facts["code"]) == (Cause.LOGIN_REFUSED, 18)


def test_another_mechanism_is_named() -> None:
    settled = play(conversation(OPTIONS), [HELLO, offers("MONGODB-X509")]).settled
    assert settled.outcome is Outcome.UNKNOWN
    assert "MONGODB-X509" in settled.detail


def test_a_password_alone_is_not_enough() -> None:
    nobody = Options(address("mongodb://127.0.0.1"), login=Login(Secret("pencil")))
    assert play(conversation(nobody), [HELLO]).settled.cause is Cause.LOGIN_REFUSED


@pytest.mark.parametrize(
    "reply",
    [
        {"ok": 1},
        {"ok": 1, "conversationId": "x", "payload": b"x"},
        {"ok": 1, "conversationId": 1, "payload": "x"},
        {"ok": 1, "conversationId": 1, "payload": b"nonsense"},
    ],
)
def test_what_is_no_challenge_is_garbled(reply: dict[str, Any]) -> None:
    settled = play(conversation(OPTIONS), [HELLO, offers(SHA256), command(5, reply)]).settled
    assert settled.cause is Cause.WRONG_SERVICE


def test_too_much_work_is_our_own_limit() -> None:
    hard = command(
        5,
        {"ok": 1, "conversationId": 1, "payload": f"r={WORD}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=9999999".encode()},
    )
    settled = play(conversation(OPTIONS), [HELLO, offers(SHA256), hard]).settled
    assert (settled.outcome, settled.cause) == (Outcome.UNKNOWN, None)

"""Tokens by client credentials, against a script."""

from collections.abc import Generator
from typing import Any

import pytest

from tests.beds.fake_http import says
from tests.playbook import Played, address, play
from trueup.conversation import Answer, Step, ready
from trueup.domain.causes import Cause
from trueup.domain.http_settings import OAuth2
from trueup.domain.secret import Secret
from trueup.domain.target import TlsSettings
from trueup.probes.http_token import fetch_token

OAUTH2 = OAuth2(address("https://id.example/token"), "trueup probe", Secret("can:ary"), "read write")
TOKEN = says(200, {"access_token": "t0ken", "token_type": "bearer", "expires_in": 60})


def fetch(*script: bytes, oauth2: OAuth2 = OAUTH2) -> Played:
    def talk() -> Generator[Step, bytes, Answer]:
        token = yield from fetch_token(oauth2, TlsSettings(ca="ca"), None)
        return token if isinstance(token, Answer) else ready("", token=token.reveal())

    return play(talk(), script)


def test_a_token() -> None:
    played = fetch(says(405, b""), TOKEN)
    assert played.settled.facts["token"] == "t0ken"
    (dial,) = played.dials
    assert (dial.host, dial.port, dial.tls) == ("id.example", 443, TlsSettings(ca="ca"))
    assert played.sent.startswith(b"OPTIONS /token HTTP/1.1\r\n")
    assert played.said_secretly.endswith(b"\r\n\r\ngrant_type=client_credentials&scope=read+write")
    # RFC 6749, 2.3.1: base64 of trueup+probe:can%3Aary
    assert b"Authorization: Basic dHJ1ZXVwK3Byb2JlOmNhbiUzQWFyeQ==\r\n" in played.said_secretly


def test_no_scope() -> None:
    played = fetch(says(200, b""), TOKEN, oauth2=OAuth2(OAUTH2.token_url, "a", Secret("b")))
    assert played.said_secretly.endswith(b"\r\n\r\ngrant_type=client_credentials")


@pytest.mark.parametrize(
    ("status", "document", "cause", "words"),
    [
        (
            401,
            {"error": "invalid_client"},
            Cause.LOGIN_REFUSED,
            "from id.example: HTTP 401 Word, invalid_client",
        ),
        (400, {"error": "invalid_scope"}, Cause.LOGIN_REFUSED, "invalid_scope"),
        (403, b"<html>", Cause.LOGIN_REFUSED, "HTTP 403"),
        (200, {"token": "x"}, Cause.LOGIN_REFUSED, "without an access_token"),
        (200, {"access_token": 7}, Cause.LOGIN_REFUSED, "without an access_token"),
        (200, {"access_token": "a\r\nX: y"}, Cause.LOGIN_REFUSED, "without an access_token"),
        (200, [1], Cause.LOGIN_REFUSED, "without an access_token"),
        (502, b"", Cause.BAD_UPSTREAM, "no token from id.example: HTTP 502"),
        (500, b"", Cause.ERROR_ANSWER, "HTTP 500"),
    ],
)
def test_no_token(status: int, document: Any, cause: Cause, words: str) -> None:
    seen = fetch(says(200, b""), says(status, document)).settled
    assert seen.cause is cause
    assert words in seen.detail
    assert "ary" not in seen.detail


def test_the_secret_is_sent_to_a_speaker_of_http_only() -> None:
    played = fetch(b"SSH-2.0-x\r\n")
    assert played.answer is None
    assert b"Authorization" not in played.sent

"""APIs over HTTP, as several probes ask them."""

from collections.abc import Generator
from typing import Any

import pytest

from tests.playbook import address, play
from trueup.conversation import Answer, Step, ready
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.target import Login, TlsSettings
from trueup.probes.http_api import Api, api_at, document_of, message_of, number_in, object_in, text_in
from trueup.probes.http_message import Response
from trueup.probes.http_peer import Origin, Peer

API = Api("solr", Peer(Origin("http", "a", 8983)), None)


def response(status: int, body: bytes = b"", *heads: bytes) -> Response:
    answer = Response()
    lines = [b"HTTP/1.1 %d Word" % status, *heads, b"Content-Length: %d" % len(body)]
    assert answer.complete(bytearray(b"\r\n".join(lines) + b"\r\n\r\n" + body), ended=False)
    return answer


def test_the_login_is_sent_when_asked_for() -> None:
    def talk() -> Generator[Step, bytes, Answer]:
        api = yield from api_at(
            "solr", address("http://a/"), 8983, Login(Secret("canary"), "u"), TlsSettings(verify=False)
        )
        yield from api.ask("/1")
        yield from api.ask("/2", method="POST", document={"a": 1}, with_login=True)
        return ready("", scheme=api.peer.origin.scheme, port=api.peer.origin.port)

    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    played = play(talk(), [ok, ok])
    assert played.settled.facts == {"scheme": "https", "port": 8983}
    assert [step.settings for step in played.tls] == [TlsSettings(verify=False)]
    assert b"GET /1" in played.sent
    assert b"GET /1" not in played.said_secretly
    assert b"POST /2" in played.said_secretly
    assert played.said_secretly.endswith(b'{"a": 1}')


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (502, b"", Cause.BAD_UPSTREAM),
        (503, b"", Cause.BAD_UPSTREAM),
        (504, b"", Cause.BAD_UPSTREAM),
        (400, b"Client sent an HTTP request to an HTTPS server.\n", Cause.WRONG_SERVICE),
        (200, b"", None),
        (500, b"", None),
        (401, b"", None),
    ],
)
def test_what_a_gateway_says(status: int, body: bytes, cause: Cause | None) -> None:
    answer = API.judge_gateway(response(status, body))
    assert (answer.cause if answer else None) is cause


def test_a_broken_response_is_no_answer() -> None:
    broken = response(200)
    broken.break_off(Cause.ERROR_ANSWER, "ends")
    answer = API.judge_gateway(broken)
    assert answer is not None
    assert answer.cause is Cause.ERROR_ANSWER


def test_a_stranger_and_a_refusal() -> None:
    seen = API.stranger(response(200, b"<html>", b"Server: nginx"))
    assert (seen.cause, seen.facts["expected"]) == (Cause.WRONG_SERVICE, "solr")
    assert seen.facts["seen"] == "HTTP 200 Word, nginx: <html>"
    refused = API.refused(response(401, b'{"error": "no"}'))
    assert (refused.cause, refused.detail) == (
        Cause.LOGIN_REFUSED,
        "HTTP 401 Word: the login isn't accepted: no",
    )
    assert "may not" in API.refused(response(403)).detail


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": {"reason": "es"}, "message": "x"}', "es"),
        (b'{"error": {"msg": "solr"}}', "solr"),
        (b'{"error": "not_authorised", "reason": "rabbit"}', "rabbit"),
        (b'{"message": "docker"}', "docker"),
        (b'{"error": "just this"}', "just this"),
        (b'{"error": {"reason": 7}}', ""),
        (b"[1]", ""),
        (b"no json", ""),
        (b"\xff", ""),
        (b"[" * 99_999, ""),
    ],
)
def test_messages(body: bytes, message: str) -> None:
    assert message_of(response(500, body)) == message


def test_documents_and_their_values() -> None:
    assert document_of(response(200, b'{"a": 1}')) == {"a": 1}
    assert document_of(response(200, b"{}", b"Content-Encoding: br")) is None
    document: dict[str, Any] = {"n": 3, "yes": True, "s": "a\nb", "o": {"x": 1}}
    assert [number_in(document, name) for name in ("n", "yes", "s", "no")] == [3, None, None, None]
    assert [text_in(document, name) for name in ("s", "n")] == ["a\\nb", None]
    assert [object_in(document, name) for name in ("o", "n")] == [{"x": 1}, {}]

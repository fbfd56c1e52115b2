"""How MongoDB lets a user in: SCRAM-SHA-256, SCRAM-SHA-1 with a digest for a password, or a certificate.

https://github.com/mongodb/specifications/blob/master/source/auth/auth.md
"""

import hashlib
from collections.abc import Generator, Mapping
from typing import Any, Final

from trueup.conversation import Answer, Ask, Garbled, Nonce, Step, fails
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Outcome
from trueup.probes.credentials import not_spoken
from trueup.probes.mongowire import command, parse, replies
from trueup.probes.scram import NONCE_BYTES, ForgedError, Scram, ScramError

SHA256: Final = "SCRAM-SHA-256"
SHA1: Final = "SCRAM-SHA-1"
X509: Final = "MONGODB-X509"
OUTSIDE: Final = "$external"
"""The database of users whom somebody else vouches for."""

_Reply = Mapping[str, Any]


def log_in(user: str, password: Secret, database: str) -> Generator[Step, bytes, Answer | _Reply]:
    """The server's last reply, an error or not; or an answer where there is no going on.

    Raises:
        Garbled: a message that can't be.
    """
    if not user:
        return fails(Cause.LOGIN_REFUSED, "MongoDB knows no password without a user: add login: {user: …}")
    offered = yield from _mechanisms(user, database)
    mechanism = SHA256 if SHA256 in offered or not offered else SHA1
    if offered and mechanism not in offered:
        ways = ", ".join(offered)[:100]
        return not_spoken(ways, "give the monitor a user of its own with SCRAM-SHA-256")
    word = password if mechanism == SHA256 else _digest(user, password)
    try:
        return (
            yield from _exchange(
                Scram(mechanism, user, word, (yield Nonce(NONCE_BYTES))), mechanism, database
            )
        )
    except ScramError as error:
        return Answer(Outcome.UNKNOWN, None, str(error))
    except ForgedError:
        words = "it lets us in without showing that it knows the password: is another server in its place?"
        return fails(Cause.LOGIN_REFUSED, words)


def log_in_by_certificate() -> Generator[Step, bytes, _Reply]:
    """The reply to the certificate that the handshake has shown: whose it is, the server reads in it."""
    asked = {"authenticate": 1, "mechanism": X509}
    return parse((yield Ask(command(5, asked, OUTSIDE), replies(1))))[0]


def _mechanisms(user: str, database: str) -> Generator[Step, bytes, list[str]]:
    """How this user can log in; empty where the server doesn't tell."""
    asked = {"hello": 1, "saslSupportedMechs": f"{database}.{user}"}
    reply = parse((yield Ask(command(4, asked), replies(1))))[0]
    told = reply.get("saslSupportedMechs")
    return [word for word in told if isinstance(word, str)] if isinstance(told, list) else []


def _digest(user: str, password: Secret) -> Secret:
    """What stands for the password in SCRAM-SHA-1, kept from MongoDB's first ways to log in."""
    words = f"{user}:mongo:{password.reveal()}".encode()
    return Secret(hashlib.md5(words, usedforsecurity=False).hexdigest())


def _exchange(scram: Scram, mechanism: str, database: str) -> Generator[Step, bytes, _Reply]:
    begin = {
        "saslStart": 1,
        "mechanism": mechanism,
        "payload": scram.first(),
        "options": {"skipEmptyExchange": True},
    }
    reply = yield from _say(5, begin, database)
    if not reply.get("ok"):
        return reply
    number = reply.get("conversationId")
    if not isinstance(number, int) or abs(number) > 0x7FFFFFFF:
        raise Garbled(repr(reply).encode())
    proof = scram.final(_payload(reply))
    reply = yield from _say(6, {"saslContinue": 1, "conversationId": number, "payload": proof}, database)
    if not reply.get("ok"):
        return reply
    scram.verify(_payload(reply))
    if not reply.get("done"):  # before 4.4 the last word is ours, and empty
        reply = yield from _say(7, {"saslContinue": 1, "conversationId": number, "payload": b""}, database)
    return reply


def _say(number: int, document: _Reply, database: str) -> Generator[Step, bytes, _Reply]:
    return parse((yield Ask(command(number, document, database), replies(1), secret=True)))[0]


def _payload(reply: _Reply) -> bytes:
    payload = reply.get("payload")
    if not isinstance(payload, bytes):
        raise Garbled(repr(reply).encode())
    return payload

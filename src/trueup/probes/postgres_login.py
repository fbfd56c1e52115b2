"""How PostgreSQL lets a client in: cleartext, MD5 or SCRAM-SHA-256.

https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
"""

import hashlib
from collections.abc import Generator
from typing import Final

from trueup.conversation import Answer, Ask, Garbled, Nonce, Quiet, Receive, Step, fails
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.secret import Secret
from trueup.domain.states import Outcome
from trueup.probes.credentials import not_spoken
from trueup.probes.pgwire import Message, Through, authentication, error_in, message, parse
from trueup.probes.scram import NONCE_BYTES, ForgedError, Scram, ScramError

OK: Final = 0
CLEARTEXT: Final = 3
MD5: Final = 5
SASL: Final = 10
SASL_CONTINUE: Final = 11
SASL_FINAL: Final = 12
MECHANISM: Final = "SCRAM-SHA-256"
OTHERS: Final = {2: "Kerberos", 6: "SCM credentials", 7: "GSSAPI", 9: "SSPI"}
"""Demands that no password answers."""

_Said = Generator[Step, bytes, list[Message] | Answer]


def log_in(kind: int, data: bytes, user: str, password: Secret) -> _Said:
    """Answer the server's demand. The messages of the new session, an error's where it has one, or an
    answer where there is no going on.

    Raises:
        Garbled: a message that can't be.
    """
    if kind == CLEARTEXT:
        return parse((yield Ask(_password(password.reveal().encode()), _session(), secret=True)))
    if kind == MD5:
        digest = md5_response(user, password, data[:4])
        return parse((yield Ask(_password(digest), _session(), secret=True)))
    if kind == SASL and MECHANISM.encode() in data.split(b"\0"):
        return (yield from _scram(user, password))
    asked = OTHERS.get(kind) or (f"SASL {_names(data)}" if kind == SASL else f"login kind {kind}")
    remedy = "give the monitor a user of its own, with a line for scram-sha-256 in pg_hba.conf"
    return not_spoken(asked, remedy, login=asked)


def receive_session() -> _Said:
    """The messages of a session that was granted without a demand."""
    try:
        return parse((yield Receive(_session())))
    except Quiet:  # PgBouncer lets clients in first and asks its server then (client.c, finish_client_login)
        return fails(
            Cause.SILENT,
            "it lets us in and begins no session: it hangs, or is a pooler whose server doesn't answer",
        )


def md5_response(user: str, password: Secret, salt: bytes) -> bytes:
    """``md5`` and the digest of the digest of password and user with the salt."""
    inner = hashlib.md5((password.reveal() + user).encode(), usedforsecurity=False).hexdigest()
    return b"md5" + hashlib.md5(inner.encode() + salt, usedforsecurity=False).hexdigest().encode()


def _session() -> Through:
    """As far as the session is ready, or the error that came instead."""
    return Through(b"ZE")


def _password(word: bytes) -> bytes:
    return message(b"p", word + b"\0")


def _names(data: bytes) -> str:
    return printable(b", ".join(name for name in data.split(b"\0") if name), 60)


def _scram(user: str, password: Secret) -> _Said:
    try:
        scram = Scram(MECHANISM, user, password, (yield Nonce(NONCE_BYTES)))
        first = scram.first()
        begin = MECHANISM.encode() + b"\0" + len(first).to_bytes(4, "big") + first
        said = parse((yield Ask(message(b"p", begin), Through(b"RE"), secret=True)))
        if error_in(said):
            return said
        proof = scram.final(_sasl(said, SASL_CONTINUE))
        said = parse((yield Ask(message(b"p", proof), _session(), secret=True)))
        if not error_in(said):
            scram.verify(_sasl(said, SASL_FINAL))
    except ScramError as error:
        return Answer(Outcome.UNKNOWN, None, str(error))
    except ForgedError:
        return fails(
            Cause.LOGIN_REFUSED,
            "it lets us in without showing that it knows the password: is another server in its place?",
        )
    return said


def _sasl(messages: list[Message], wanted: int) -> bytes:
    for one in messages:
        if one.kind == b"R":
            kind, data = authentication(one.body)
            if kind == wanted:
                return data
    raise Garbled(b"".join(one.kind + one.body for one in messages))

"""How MySQL and MariaDB let a client in: mysql_native_password, caching_sha2_password, MariaDB's ed25519 with
its extra, cleartext in TLS.

A handshake that isn't finished counts against this machine's address, and after max_connect_errors of
them the server refuses it (1129). So every demand is answered, were it with nothing, and the refusal read.
https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html
"""

import hashlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

from trueup.conversation import Answer, Ask, Garbled, Receive, Step
from trueup.domain.printable import printable
from trueup.domain.secret import Secret
from trueup.probes import mysql_ed25519
from trueup.probes.credentials import not_spoken
from trueup.probes.mysqlwire import (
    EOF,
    ERR,
    MORE_DATA,
    OK,
    PACKET,
    Greeting,
    ServerError,
    packet,
    parse_error,
    payload_of,
)
from trueup.probes.mysqlwire import login as login_payload

NATIVE: Final = "mysql_native_password"
SHA2: Final = "caching_sha2_password"
CLEAR: Final = "mysql_clear_password"
ED25519: Final = mysql_ed25519.PLUGIN
REMEDIES: Final = {
    CLEAR: "configure tls, or give the monitor a user of its own with another plugin",
    ED25519: f"it takes an extra: {mysql_ed25519.INSTALL}",
}
REMEDY: Final = "give the monitor a user of its own with caching_sha2_password or mysql_native_password"
SHA2_KNOWN: Final = b"\x03"
SHA2_WANTS_PASSWORD: Final = b"\x04"
SHA2_PUBLIC_KEY: Final = b"\x02"
ROUNDS_MAX: Final = 8
"""Messages of one login: three are usual, five the most that any plugin known here needs."""

Entered = Generator[Step, bytes, Answer | ServerError | None]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks to be let in, to which database; without a password where none is configured."""

    user: str
    password: Secret | None = None
    database: str = ""


def log_in(greeting: Greeting, who: Credentials, *, number: int, tls: bool) -> Entered:
    """Ask to be let in. None when we are; the server's error, or an answer where a limit is our own.

    ``number`` is that of the first packet to send.

    Raises:
        Garbled: a message that can't be.
    """
    plugin = greeting.plugin if greeting.plugin in (NATIVE, SHA2) else NATIVE
    nonce, limit = greeting.nonce, None
    word = scramble(plugin, who.password, nonce)
    data = login_payload(who.user, word, plugin, who.database, tls=tls)
    said = yield Ask(packet(number, data), PACKET, secret=who.password is not None)
    for _ in range(ROUNDS_MAX):
        number, payload = payload_of(said)
        if payload[0] == OK:
            return None
        if payload[0] == ERR:
            return limit or parse_error(payload)
        if payload[0] == EOF:
            name, _, nonce = payload[1:].partition(b"\0")
            plugin = printable(name, 80)
            word, limit = _answer(plugin, who.password, nonce, tls=tls)
            nonce = nonce.rstrip(b"\0")
            said = yield Ask(packet(number + 1, word), PACKET, secret=bool(word))
        elif payload[0] == MORE_DATA and plugin == SHA2 and payload[1:] == SHA2_KNOWN:
            said = yield Receive(PACKET)
        elif payload[0] == MORE_DATA and plugin == SHA2 and payload[1:] == SHA2_WANTS_PASSWORD:
            said = yield from _whole_password(who.password, nonce, number + 1, tls=tls)
        else:
            break
    raise Garbled(said)


def _answer(plugin: str, password: Secret | None, nonce: bytes, *, tls: bool) -> tuple[bytes, Answer | None]:
    """What to say to a demand for ``plugin``, and what it means if that's refused."""
    if password is None or plugin in (NATIVE, SHA2):
        return scramble(plugin, password, nonce.rstrip(b"\0")), None
    word = password.reveal().encode()
    if plugin == CLEAR and tls:
        return word + b"\0", None
    if plugin == ED25519 and mysql_ed25519.is_installed():
        return mysql_ed25519.sign(word, nonce[: mysql_ed25519.NONCE_BYTES]), None
    ways = plugin + (" without TLS" if plugin == CLEAR else "")
    return b"", not_spoken(ways, REMEDIES.get(plugin, REMEDY))


def scramble(plugin: str, password: Secret | None, nonce: bytes) -> bytes:
    """The proof of the password that goes with ``nonce``; empty where there is no password."""
    if password is None or not password:
        return b""
    word = password.reveal().encode()
    if plugin == SHA2:
        once = hashlib.sha256(word).digest()
        return _xor(once, hashlib.sha256(hashlib.sha256(once).digest() + nonce).digest())
    once = hashlib.sha1(word, usedforsecurity=False).digest()
    twice = hashlib.sha1(once, usedforsecurity=False).digest()
    return _xor(once, hashlib.sha1(nonce + twice, usedforsecurity=False).digest())


def _whole_password(
    password: Secret | None, nonce: bytes, number: int, *, tls: bool
) -> Generator[Step, bytes, bytes]:
    """The server hasn't this user in its cache: it wants the password itself, in TLS or under its RSA key."""
    word = (password.reveal().encode() if password else b"") + b"\0"
    if tls:
        return (yield Ask(packet(number, word), PACKET, secret=True))
    said = yield Ask(packet(number, SHA2_PUBLIC_KEY), PACKET)
    number, payload = payload_of(said)
    if payload[0] != MORE_DATA:
        return said
    return (yield Ask(packet(number + 1, _encrypt(payload[1:], word, nonce)), PACKET, secret=True))


def _encrypt(pem: bytes, word: bytes, nonce: bytes) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if not nonce:
        raise Garbled(pem)
    hidden = _xor(word, nonce * (len(word) // len(nonce) + 1))
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - the protocol's own
    try:
        key = load_pem_public_key(pem)
        if isinstance(key, rsa.RSAPublicKey):
            return key.encrypt(hidden, oaep)
    except (ValueError, UnsupportedAlgorithm):
        pass
    raise Garbled(pem)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=False))

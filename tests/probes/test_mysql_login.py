"""Each way to log in to MySQL and MariaDB, against a script."""

from hashlib import sha1, sha256

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.playbook import address, play
from trueup.conversation import Closed
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Outcome
from trueup.domain.target import Login
from trueup.probes.mysql import Options, conversation
from trueup.probes.mysql_ed25519 import sign
from trueup.probes.mysql_login import CLEAR, ED25519, NATIVE, SHA2, scramble
from trueup.probes.mysqlwire import packet

from .test_mysql import HEALTHY, WITH_TLS, error
from .test_mysqlwire import MARIADB

OPTIONS = Options(address("mysql://127.0.0.1"), login=Login(Secret("canary"), "monitor"))
NONCE = bytes(range(1, 21))
INSIDE = HEALTHY[2:]
OK = packet(8, bytes(7))
KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def switch(plugin: str) -> bytes:
    return packet(2, b"\xfe" + plugin.encode() + b"\0" + NONCE + b"\0")


def test_scrambles_as_the_servers_check_them() -> None:
    # A server keeps the digest of the digest, and takes the scramble apart with it.
    kept = sha1(sha1(b"canary").digest()).digest()
    told = xored(scramble(NATIVE, Secret("canary"), NONCE), sha1(NONCE + kept).digest())
    assert sha1(told).digest() == kept
    kept = sha256(sha256(b"canary").digest()).digest()
    told = xored(scramble(SHA2, Secret("canary"), NONCE), sha256(kept + NONCE).digest())
    assert sha256(told).digest() == kept
    assert scramble(NATIVE, None, NONCE) == scramble(SHA2, Secret(""), NONCE) == b""


def xored(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=False))


@pytest.mark.parametrize("plugin", [NATIVE, SHA2])
@pytest.mark.parametrize("chunk", [None, 1])
def test_another_plugin_is_switched_to(plugin: str, chunk: int | None) -> None:
    played = play(conversation(OPTIONS), [MARIADB, switch(plugin), OK, *INSIDE], chunk=chunk)
    assert played.settled.outcome is Outcome.PASS
    assert scramble(plugin, Secret("canary"), NONCE) in played.said_secretly


def test_sha2_of_a_user_who_is_in_the_cache() -> None:
    fast = packet(4, b"\1\3")
    played = play(conversation(OPTIONS), [MARIADB, switch(SHA2), fast, OK, *INSIDE])
    assert played.settled.outcome is Outcome.PASS
    assert b"canary" not in played.sent


def test_sha2_in_tls_gives_the_password_itself() -> None:
    full = packet(4, b"\1\4")
    played = play(conversation(OPTIONS), [WITH_TLS, switch(SHA2), full, OK, *INSIDE])
    assert played.settled.outcome is Outcome.PASS
    assert b"canary\0" in played.said_secretly


def test_sha2_without_tls_encrypts_the_password() -> None:
    played = play(
        conversation(OPTIONS),
        [MARIADB, switch(SHA2), packet(4, b"\1\4"), packet(6, b"\1" + PEM), OK, *INSIDE],
    )
    assert played.settled.outcome is Outcome.PASS
    assert b"canary" not in played.sent
    sealed = played.said_secretly[-256:]
    hidden = KEY.decrypt(sealed, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))
    assert xored(hidden, NONCE) == b"canary\0"


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    ],
)
def test_a_key_that_is_none_gets_no_password(pem: bytes) -> None:
    played = play(conversation(OPTIONS), [MARIADB, switch(SHA2), packet(4, b"\1\4"), packet(6, b"\1" + pem)])
    assert played.settled.cause is Cause.WRONG_SERVICE
    assert b"canary" not in played.sent


def test_cleartext_only_in_tls() -> None:
    told = play(conversation(OPTIONS), [WITH_TLS, switch(CLEAR), OK, *INSIDE])
    assert told.settled.outcome is Outcome.PASS
    assert b"canary\0" in told.said_secretly
    kept = play(conversation(OPTIONS), [MARIADB, switch(CLEAR), error(1045), Closed()])
    assert b"canary" not in kept.sent
    assert (kept.settled.outcome, kept.settled.cause) == (Outcome.UNKNOWN, None)


def test_a_plugin_that_we_do_not_speak_says_nothing_of_the_server() -> None:
    played = play(conversation(OPTIONS), [MARIADB, switch("auth_gssapi_client"), error(1045), Closed()])
    assert (played.settled.outcome, played.settled.cause) == (Outcome.UNKNOWN, None)
    assert "auth_gssapi_client, by which trueup can't log in; give the monitor" in played.settled.detail
    assert played.sent.endswith(packet(3, b"")), "answered all the same: a handshake broken off is counted"


def test_ed25519_signs_the_whole_nonce() -> None:
    nonce = bytes(range(31, -1, -1))  # ends in a zero, which ends no word here
    demand = packet(2, b"\xfe" + ED25519.encode() + b"\0" + nonce)
    played = play(conversation(OPTIONS), [MARIADB, demand, OK, *INSIDE])
    assert played.settled.outcome is Outcome.PASS
    assert sign(b"canary", nonce) in played.said_secretly


def test_ed25519_without_the_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trueup.probes.mysql_ed25519.find_spec", lambda _: None)
    played = play(conversation(OPTIONS), [MARIADB, switch(ED25519), error(1045), Closed()])
    assert played.settled.outcome is Outcome.UNKNOWN
    assert "pip install 'trueup[mariadb]'" in played.settled.detail


def test_nobody_answers_any_plugin_with_nothing() -> None:
    bare = Options(address("mysql://127.0.0.1"))
    played = play(conversation(bare), [MARIADB, switch("client_ed25519"), error(1045), Closed()])
    assert (played.settled.outcome, played.settled.facts["login"]) == (Outcome.PASS, "demanded")


@pytest.mark.parametrize("said", [packet(2, b"\1\3"), packet(2, b"\1\x09"), packet(2, b"\x77")])
def test_what_nobody_says_here_is_garbled(said: bytes) -> None:
    assert play(conversation(OPTIONS), [MARIADB, said]).settled.cause is Cause.WRONG_SERVICE


def test_a_login_without_end_has_one() -> None:
    assert play(conversation(OPTIONS), [MARIADB, *[switch(NATIVE)] * 50]).settled.cause is Cause.WRONG_SERVICE

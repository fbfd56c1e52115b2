"""The SSH probe against a script: a row of its tables each, and its states."""

from typing import Any

import pytest
from hypothesis import given

from tests.playbook import Played, address, play
from tests.probes.hostile import noise
from trueup.conversation import Break, Closed, Quiet
from trueup.domain.address import AddressError
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Outcome
from trueup.domain.target import Login
from trueup.probes.ssh import (
    DISCONNECTS,
    IDENTIFICATION,
    LINES_BEFORE_MAX,
    PACKET_BYTES_MAX,
    PROBE,
    REFUSALS,
    Options,
    conversation,
)

BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"


def packet(message: bytes) -> bytes:
    padding = 4 + -(9 + len(message)) % 8
    return (1 + len(message) + padding).to_bytes(4) + bytes([padding]) + message + bytes(padding)


KEXINIT = packet(b"\x14" + bytes(16) + b"\0\0\0\4none" * 10)


def disconnect(reason: int) -> bytes:
    return packet(b"\1" + reason.to_bytes(4) + b"\0\0\0\4why?\0\0\0\0")


def ask(*says: bytes | Break, at: str = "ssh://127.0.0.1", login: Login | None = None) -> Played:
    return play(conversation(Options(address(at), login)), says)


@pytest.mark.parametrize("scheme", ["ssh", "sftp"])
@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_server_begins_a_key_exchange(scheme: str, chunk: int | None) -> None:
    at = address(f"{scheme}://127.0.0.1")
    played = play(conversation(Options(at)), [BANNER + KEXINIT], chunk=chunk)
    assert played.settled.outcome is Outcome.PASS
    assert played.settled.facts == {"software": "OpenSSH_9.2p1", "login": "demanded"}
    goodbye = played.sent.removeprefix(IDENTIFICATION)
    assert (len(goodbye) % 8, int.from_bytes(goodbye[:4]) + 4, goodbye[5]) == (0, len(goodbye), 1)
    assert goodbye[4] >= 4, "RFC 4253, 6: at least four bytes of padding"


@pytest.mark.parametrize("chunk", [None, 1])
def test_lines_before_the_banner(chunk: int | None) -> None:
    says = [b"Authorised use only.\r\n\r\nSo you know.\r\n", BANNER, KEXINIT]
    played = play(conversation(Options(address("ssh://127.0.0.1"))), says, chunk=chunk)
    assert played.settled.cause is None


def test_messages_that_mean_nothing() -> None:
    assert ask(BANNER, packet(b"\2\0\0\0\0"), packet(b"\4\0" + bytes(8)), KEXINIT).settled.cause is None


@pytest.mark.parametrize("words", sorted(REFUSALS))
@pytest.mark.parametrize("end", [b"\r\n", b""])
def test_every_refusal_has_its_cause(words: bytes, end: bytes) -> None:
    answer = ask(words + end, Closed()).settled
    assert answer.cause is REFUSALS[words][0]
    assert REFUSALS[words][1] in answer.detail


@pytest.mark.parametrize("reason", [*sorted(DISCONNECTS), 2])
def test_every_reason_of_a_disconnect_has_its_cause(reason: int) -> None:
    answer = ask(BANNER, disconnect(reason)).settled
    assert answer.cause is DISCONNECTS.get(reason, (Cause.ERROR_ANSWER,))[0]
    assert answer.facts["code"] == reason
    assert "why?" in answer.detail


def test_versions() -> None:
    assert ask(b"SSH-1.99-Cisco-1.25\n", KEXINIT).settled.cause is None
    assert ask(b"SSH-1.5-old\n").settled.cause is Cause.WRONG_ANSWER


@pytest.mark.parametrize(
    "said",
    [
        b"Invalid SSH identification string.\r\n",
        packet(b"\x05what"),
        (PACKET_BYTES_MAX + 1).to_bytes(4) + b"x",
        packet(b"\2") * LINES_BEFORE_MAX,
    ],
)
def test_a_greeting_and_then_no_key_exchange(said: bytes) -> None:
    assert ask(BANNER, said).settled.cause is Cause.ERROR_ANSWER


@pytest.mark.parametrize("scheme", ["ssh", "sftp"])
def test_a_login_is_left_to_the_session(scheme: str) -> None:
    says = [BANNER, KEXINIT]
    for played in (
        ask(*says, at=f"{scheme}://127.0.0.1", login=Login(Secret("canary"), "ann")),
        ask(*says, at=f"{scheme}://ann:canary@127.0.0.1"),
    ):
        assert (played.settled.outcome, played.settled.facts.get("login")) == (Outcome.PASS, None)
        assert b"canary" not in played.sent


def test_what_needs_a_login_and_has_none() -> None:
    options = Options(address("sftp://127.0.0.1"), roundtrip=True)
    assert play(conversation(options), [BANNER, KEXINIT]).settled.cause is Cause.LOGIN_REFUSED


@pytest.mark.parametrize(
    ("at", "options"),
    [
        ("ssh://ann@127.0.0.1", {"roundtrip": True}),
        ("ssh://127.0.0.1", {"key": "/key"}),
        ("ssh://127.0.0.1", {"login": Login(Secret("canary"))}),
    ],
)
def test_what_can_not_be_done_is_refused(at: str, options: dict[str, Any]) -> None:
    with pytest.raises(AddressError):
        Options(address(at), **options)


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trueup.probes.ssh.find_spec", lambda _: None)
    Options(address("ssh://127.0.0.1"))
    with pytest.raises(AddressError) as raised:
        Options(address("ssh://ann@127.0.0.1"), key="/key")
    assert raised.value.hint == "pip install 'trueup[ssh]'"


@pytest.mark.parametrize(
    ("path", "folder"),
    [("", "."), ("/", "."), ("/~", "."), ("/~/in%20box/", "in box"), ("/srv/files/", "/srv/files")],
)
def test_the_folder_is_the_path(path: str, folder: str) -> None:
    assert Options(address(f"sftp://127.0.0.1{path}")).folder == folder


@pytest.mark.parametrize(
    "says",
    [
        [b"220 mx ESMTP\r\n"],
        [b"* OK IMAP4\r\n"],
        [b"+OK POP3\r\n"],
        [b"INFO {}\r\n"],
        [b"HTTP/1.1 400 Bad Request\r\n"],
        [b"J\0\0\0\n5.5.5-10.11\0"],
        [b"x" * 5000],
        [b"hello\r\n", Closed()],
        [b"hello", Quiet(final=True)],
        [b"hello\r\n" * LINES_BEFORE_MAX],
        [b"SSH-\r\n", Closed()],
    ],
)
@pytest.mark.parametrize("scheme", ["ssh", "sftp"])
def test_strangers(says: list[bytes | Break], scheme: str) -> None:
    answer = ask(*says, at=f"{scheme}://127.0.0.1").settled
    assert (answer.cause, answer.facts["expected"]) == (Cause.WRONG_SERVICE, scheme)


def test_silence_and_closing_are_left_to_the_engine() -> None:
    for says in ([Closed()], [Closed(reset=True)], [Quiet(final=True)], [BANNER, Closed()], [BANNER]):
        assert isinstance(ask(*says).broke, Closed | Quiet | None)
        assert ask(*says).answer is None


@given(noise([BANNER, KEXINIT]))
def test_any_bytes_make_an_answer_or_a_break(says: list[bytes | Break]) -> None:
    played = ask(*says)
    assert played.answer is not None or isinstance(played.broke, Closed | Quiet | None)


def test_recognise() -> None:
    for said in (BANNER, b"hello\r\n" + BANNER, b"Exceeded MaxStartups\r\n"):
        assert PROBE.recognise(said)
    for said in (b"220 SSH-2.0\r\n", b"SSH\r\n", b"", b"HTTP/1.1 200 OK\r\nServer: SSH-2.0-x\r\n"):
        assert not PROBE.recognise(said)

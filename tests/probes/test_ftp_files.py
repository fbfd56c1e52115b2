"""FTP's files, against a script."""

from typing import Any

import pytest

from tests.playbook import NONCE, Played, address, play
from trueup.conversation import Astray, Break, Closed, Quiet
from trueup.domain.address import AddressError
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.probes.ftp import Options, conversation
from trueup.probes.ftp_files import WRITE_FAILURES

from .test_ftp import AT, FEAT, FEAT_TLS, GREETING, IN, LOGIN, USER

TOKEN = NONCE.hex().encode()
NAME = b"trueup-probe-" + NONCE[:8].hex().encode()
BINARY = b"200 Switching to Binary mode.\r\n"
PORT = b"229 Entering Extended Passive Mode (|||40021|)\r\n"
BEGUN = b"150 Here it comes.\r\n"
DONE = b"226 Transfer complete.\r\n"
DELETED = b"250 Delete operation successful.\r\n"
INSIDE = [GREETING, FEAT, USER, IN, BINARY]
LISTED = [PORT, BEGUN, DONE]
HEALTHY = [*INSIDE, *LISTED, PORT, BEGUN, DONE, PORT, BEGUN, DONE, DELETED]
SILENCE = Astray(Cause.NO_ANSWER, "no answer within 3 s")


def look(*says: bytes | Break, beside: list[bytes | Break], **options: Any) -> Played:
    return play(conversation(Options(AT, LOGIN, **options)), says, beside=beside)


@pytest.mark.parametrize("chunk", [None, 1])
def test_with_a_login_it_lists_what_is_not_there(chunk: int | None) -> None:
    played = play(conversation(Options(AT, LOGIN)), [*INSIDE, *LISTED], beside=[b""], chunk=chunk)
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
    assert [mark.facts["login"] for mark in played.marks] == ["accepted"]
    assert b"TYPE I\r\nEPSV\r\nNLST " + NAME in played.sent
    assert b"STOR" not in played.sent
    assert [(one.dial.host, one.dial.port, one.secured) for one in played.beside] == [
        ("127.0.0.1", 40021, None)
    ]
    assert played.sent.endswith(b"QUIT\r\n")


@pytest.mark.parametrize("chunk", [None, 1])
def test_a_file_goes_there_and_back(chunk: int | None) -> None:
    options = Options(AT, LOGIN, roundtrip=True)
    played = play(conversation(options), HEALTHY, beside=[b"", b"", TOKEN], chunk=chunk)
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
    assert [one.data for one in played.beside] == [b"", TOKEN, b""]
    assert b"STOR " + NAME in played.sent
    assert b"DELE " + NAME in played.sent


def test_the_folder_is_entered() -> None:
    at = address("ftp://127.0.0.1/in%20box/x")
    says = [*INSIDE, b"250 Directory successfully changed.\r\n", *LISTED]
    played = play(conversation(Options(at, LOGIN)), says, beside=[b""])
    assert played.settled.cause is None
    assert b"CWD in box/x\r\n" in played.sent
    missing = play(
        conversation(Options(at, LOGIN)), [*INSIDE, b"550 Failed to change directory.\r\n"]
    ).settled
    assert (missing.layer, missing.cause) == (Layer.FUNCTION, Cause.ERROR_ANSWER)
    with pytest.raises(AddressError):
        Options(address("ftp://127.0.0.1/x%0d%0aDELE%20y"))


def test_over_tls_the_files_are_protected_too() -> None:
    says = [GREETING, FEAT_TLS, b"234 Proceed.\r\n", USER, IN, b"200 x\r\n", b"200 x\r\n", BINARY, *LISTED]
    played = look(*says, beside=[b""])
    assert played.settled.cause is None
    assert b"PBSZ 0\r\nPROT P\r\n" in played.sent
    assert played.beside[0].secured == played.tls[0]
    refused = look(*says[:5], b"503 x\r\n", beside=[])
    assert (refused.settled.layer, refused.settled.cause) == (Layer.FUNCTION, Cause.ERROR_ANSWER)


class TestPassive:
    def test_a_server_that_knows_no_epsv(self) -> None:
        pasv = b"227 Entering Passive Mode (10,0,0,7,156,85).\r\n"
        played = look(*INSIDE, b"500 Unknown command.\r\n", pasv, BEGUN, DONE, beside=[b""])
        assert played.settled.cause is None
        assert (played.beside[0].dial.host, played.beside[0].dial.port) == ("127.0.0.1", 40021)

    @pytest.mark.parametrize(
        "says",
        [
            [b"229 Entering (|||0|)\r\n"],
            [b"229 Entering (|||99999|)\r\n"],
            [b"229 nowhere\r\n", b"227 nowhere\r\n"],
            [b"500 no\r\n", b"502 no\r\n"],
            [b"500 no\r\n", b"227 (127,0,0,1,0,0)\r\n"],
        ],
    )
    def test_no_port_is_an_error(self, says: list[bytes]) -> None:
        played = look(*INSIDE, *says, beside=[])
        assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, Cause.ERROR_ANSWER)
        assert played.beside == []

    def test_too_busy_to_open_one(self) -> None:
        played = look(*INSIDE, b"421 Too many connections.\r\n", beside=[])
        assert played.settled.cause is Cause.OVERLOADED
        assert b"PASV" not in played.sent


class TestAstray:
    @pytest.mark.parametrize(
        "says", [[], [BEGUN], [BEGUN, b"426 broke\r\n"], [b"425 can't open\r\n"], [Closed()]]
    )
    def test_a_connection_that_comes_to_nothing(self, says: list[bytes | Break]) -> None:
        settled = look(*INSIDE, PORT, *says, beside=[SILENCE]).settled
        assert (settled.layer, settled.cause) == (Layer.FUNCTION, Cause.ERROR_ANSWER)
        assert settled.facts == {"data_port": 40021, "data": "no-answer"}
        assert "files can't travel" in settled.detail

    def test_the_server_may_say_why(self) -> None:
        full = b"452 Insufficient storage space.\r\n"
        broken = Astray(Cause.CLOSES, "reset")
        settled = look(
            *INSIDE, *LISTED, PORT, BEGUN, full, b"550 no\r\n", beside=[b"", broken], roundtrip=True
        ).settled
        assert (settled.layer, settled.cause) == (Layer.FUNCTION, Cause.DISK_FULL)

    def test_nothing_to_list_needs_no_connection(self) -> None:
        broken = Astray(Cause.CLOSES, "reset")
        for says, beside in ([b"550 No such file.\r\n"], [b""]), ([b"450 No files.\r\n"], [broken]):
            settled = look(*INSIDE, PORT, *says, beside=beside).settled  # type: ignore[arg-type]  # both kinds
            assert (settled.layer, settled.outcome) == (Layer.FUNCTION, Outcome.PASS)
            assert "without the connection" in settled.detail


class TestBroken:
    @pytest.mark.parametrize("code", sorted(WRITE_FAILURES))
    def test_what_may_not_be_written(self, code: int) -> None:
        says = [*INSIDE, *LISTED, PORT, b"%d no\r\n" % code, b"550 no such file\r\n"]
        played = look(*says, beside=[b"", b""], roundtrip=True)
        assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, WRITE_FAILURES[code][0])
        assert "can't be written" in played.settled.detail

    @pytest.mark.parametrize(
        ("says", "read", "cause"),
        [
            ([PORT, BEGUN, b"552 full\r\n", DELETED], b"", Cause.DISK_FULL),
            ([PORT, BEGUN, DONE, PORT, b"550 no\r\n", DELETED], b"", Cause.ERROR_ANSWER),
            ([PORT, BEGUN, DONE, PORT, BEGUN, DONE, DELETED], b"other", Cause.WRONG_ANSWER),
            ([PORT, BEGUN, DONE, PORT, BEGUN, DONE, b"550 no\r\n"], TOKEN, Cause.ERROR_ANSWER),
        ],
    )
    def test_a_part_that_fails(self, says: list[bytes], read: bytes, cause: Cause) -> None:
        played = look(*INSIDE, *LISTED, *says, beside=[b"", b"", read], roundtrip=True)
        assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, cause)
        assert b"DELE " + NAME in played.sent, "nothing is left behind"

    def test_it_needs_the_login_that_is_demanded(self) -> None:
        settled = play(conversation(Options(AT, roundtrip=True)), [GREETING, FEAT]).settled
        assert settled.cause is Cause.LOGIN_REFUSED

    def test_silent_in_the_middle(self) -> None:
        played = look(*INSIDE, PORT, beside=[b""])
        assert isinstance(played.broke, Quiet | None)
        assert played.answer is None

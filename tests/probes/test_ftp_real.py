"""The FTP probe with a real vsftpd, whole and broken."""

from pathlib import Path
from typing import Any

import pytest

from tests.beds.certificates import Authority
from tests.beds.deadline import wait_until
from tests.beds.firewall import Firewall
from tests.beds.namespaces import network
from tests.beds.postfix import postfix
from tests.beds.server import Server, free_port
from tests.beds.small_disk import small_disk
from tests.beds.vsftpd import vsftpd
from tests.beds.wire import connection, read_until
from tests.probes.performing import answer, perform
from trueup.conversation import Answer
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings

ANYBODY = Login(Secret("probe@example.test"), "anonymous")


def test_a_healthy_server() -> None:
    with vsftpd(ftpd_banner="Welcome, stranger.") as server:
        seen = answer(server.url)
        assert (seen.outcome, seen.cause) == (Outcome.PASS, None)
        assert (seen.facts["tls"], seen.facts["login"]) == ("not offered", "demanded")
        inside = perform(server.url, login=ANYBODY)
        assert inside.answer is not None
        assert (inside.answer.layer, inside.answer.cause) == (Layer.FUNCTION, None)
        assert inside.marks[0][0].facts["login"] == "accepted"
        refused = answer(server.url, login=Login(Secret("wrong"), "ann"))
        assert (refused.cause, refused.facts["code"]) == (Cause.LOGIN_REFUSED, 530)


WRITABLE: dict[str, Any] = {
    "write_enable": "YES",
    "anon_upload_enable": "YES",
    "anon_other_write_enable": "YES",
    "anon_umask": "022",
}


def inbox(server: Server) -> Path:
    """A folder that anybody may write to: its parent must not be."""
    folder = server.folder / "files" / "inbox"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)
    return folder


def trip(server: Server, **options: Any) -> Answer:
    return answer(f"{server.url}/inbox", login=ANYBODY, roundtrip=True, **options)


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_file_goes_there_and_back(encrypted: bool, authority: Authority) -> None:
    with vsftpd(tls=authority.valid() if encrypted else None, **WRITABLE) as server:
        folder = inbox(server)
        seen = trip(server)
        assert (seen.layer, seen.cause) == (Layer.FUNCTION, None)
        assert list(folder.iterdir()) == []
        folder.chmod(0o555)
        closed = trip(server)
        assert (closed.layer, closed.cause) == (Layer.FUNCTION, Cause.READ_ONLY)
        nowhere = answer(f"{server.url}/nowhere", login=ANYBODY)
        assert (nowhere.layer, nowhere.cause) == (Layer.FUNCTION, Cause.ERROR_ANSWER)
        assert answer(server.url, roundtrip=True).cause is Cause.LOGIN_REFUSED


def test_a_file_for_which_there_is_no_space() -> None:
    with vsftpd(**WRITABLE) as server, small_disk(server.folder / "files" / "inbox") as disk:
        inbox(server)
        disk.fill()
        full = trip(server)
        assert (full.layer, full.cause, full.facts["code"]) == (Layer.FUNCTION, Cause.DISK_FULL, 451)
        assert answer(f"{server.url}/inbox", login=ANYBODY).cause is None, "without a write it looks well"
        disk.empty()
        assert trip(server).cause is None


def test_a_server_that_only_gives() -> None:
    with vsftpd() as server:
        inbox(server)
        assert trip(server).cause is Cause.READ_ONLY
        assert answer(f"{server.url}/inbox", login=ANYBODY).cause is None


def test_a_file_that_is_not_given_back() -> None:
    """Nobody may read what he has written."""
    with vsftpd(**WRITABLE | {"anon_umask": "077"}) as server:
        folder = inbox(server)
        seen = trip(server)
        assert (seen.layer, seen.cause) == (Layer.FUNCTION, Cause.ERROR_ANSWER)
        assert "can't be read" in seen.detail
        assert list(folder.iterdir()) == []


def judged(server: Server) -> Answer | None:
    """None where the machine was too busy, or the port for files still held by the look before."""
    found = perform(f"{server.url}/inbox", timeout_s=1.5, login=ANYBODY, roundtrip=True).answer
    return found if found is not None and "data" in found.facts else None


@pytest.mark.parametrize(("wall", "cause"), [("drop", "no-answer"), ("reject", "refused")])
def test_a_firewall_before_its_ports_for_files(wall: str, cause: str) -> None:
    with network("files") as (files,), files.enter():
        walls, port = Firewall(files), free_port()
        with vsftpd(pasv_min_port=port, pasv_max_port=port, accept_timeout=1, **WRITABLE) as server:
            folder = inbox(server)
            with walls.drop(port) if wall == "drop" else walls.reject(port):
                assert answer(server.url).cause is None, "nobody sees it who only says hello"
                lost = wait_until(lambda: judged(server), "the machine isn't too busy to judge")
            assert lost is not None
            assert (lost.layer, lost.cause) == (Layer.FUNCTION, Cause.ERROR_ANSWER)
            assert lost.facts == {"data_port": port, "data": cause}
            assert list(folder.iterdir()) == []
            wait_until(lambda: trip(server).cause is None, "it's open again")


def test_too_many_clients() -> None:
    """Ghost 25."""
    with vsftpd(max_clients=1) as server:
        with connection(server) as first:
            read_until(first, b"\n")
            seen = answer(server.url)
            assert (seen.cause, seen.facts["code"]) == (Cause.OVERLOADED, 421)
        wait_until(lambda: answer(server.url).cause is None, "it has room again")


def test_tls(authority: Authority) -> None:
    with vsftpd(tls=authority.valid()) as server:
        assert answer(server.url).facts["tls"] == "offered"
        assert answer(server.url, tls=TlsSettings(ca=str(authority.file))).facts["tls"] == "started"
        inside = perform(server.url, login=ANYBODY)
        assert inside.answer is not None
        assert (inside.answer.layer, inside.answer.cause) == (Layer.FUNCTION, None), (
            "it wants our session again"
        )
        facts = {"greeting": "(vsFTPd 3.0.3)", "tls": "started", "login": "accepted"}
        assert inside.marks[0][0].facts == facts
        untrusted = perform(server.url, tls=TlsSettings()).fault
        assert untrusted is not None
        assert untrusted.cause is Cause.TLS_UNTRUSTED
    with vsftpd() as server:
        assert answer(server.url, tls=TlsSettings()).cause is Cause.WRONG_ANSWER


def test_a_configuration_that_it_cant_work_with() -> None:
    with vsftpd(anon_root="/nonexistent") as server:
        seen = answer(server.url, login=ANYBODY)
        assert (seen.cause, seen.facts["code"]) == (Cause.ERROR_ANSWER, 500)
        assert "OOPS" in seen.detail


def test_paused_it_accepts_and_is_silent() -> None:
    with vsftpd() as server, server.paused():
        fault = perform(server.url, timeout_s=0.5).fault
        assert fault is not None
        assert fault.cause is Cause.SILENT


def test_a_mail_server_in_its_place() -> None:
    with postfix() as server:
        assert answer(server.url.replace("smtp", "ftp")).cause is Cause.WRONG_SERVICE

"""Sessions over SSH with a real OpenSSH, and passwords with a real asyncssh server: whole and broken."""

import asyncio
import contextlib
import getpass
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.beds.requirements import require
from tests.beds.server import Server
from tests.beds.small_disk import small_disk
from tests.beds.sshd import sshd
from trueup.app.clock import SystemClock
from trueup.checks.check import Check, check_address
from trueup.checks.look import Look, look
from trueup.checks.ssh_session import SFTP_ERRORS
from trueup.domain.address import parse_address
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login
from trueup.engine.engine import Engine
from trueup.probes.registry import SCHEMES, probe_for

ME = getpass.getuser()


@dataclass(frozen=True, slots=True)
class Keys:
    """The path of a private key, and the line that lets it in."""

    path: str
    line: str


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    path = tmp_path_factory.mktemp("keys") / "key"
    subprocess.run([require("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return Keys(str(path), path.with_suffix(".pub").read_text().strip())


@pytest.fixture(scope="module")
def server(keys: Keys) -> Iterator[Server]:
    with sshd(authorized_keys=[keys.line]) as shared:
        yield shared


def check(url: str, timeout_s: float = 5.0, **options: Any) -> Check:
    address = parse_address(url, SCHEMES)
    return replace(
        check_address(address, timeout_s), options=probe_for(address.scheme).options(address, **options)
    )


async def look_once(one: Check, *, follow_up: bool = True) -> Look:
    async with Engine() as engine:
        return await look(engine, one, SystemClock(), follow_up=follow_up)


def last(url: str, **options: Any) -> Observation:
    return asyncio.run(look_once(check(url, **options))).observations[-1]


def sftp(server: Server, folder: Path | str) -> str:
    return f"sftp://{ME}@{server.address}:{server.port}{folder}"


def fingerprint(server: Server) -> str:
    return server.run(require("ssh-keygen"), "-lf", str(server.folder / "host_key.pub")).split()[1]


@pytest.mark.parametrize("follow_up", [True, False])
def test_a_file_goes_there_and_back(server: Server, keys: Keys, tmp_path: Path, *, follow_up: bool) -> None:
    known = fingerprint(server)
    one = check(sftp(server, tmp_path), roundtrip=True, key=keys.path, host_key=known)
    seen = asyncio.run(look_once(one, follow_up=follow_up)).observations
    assert [(one.layer, one.outcome) for one in seen] == [
        (Layer.PORT, Outcome.PASS),
        (Layer.SERVICE, Outcome.PASS),
        (Layer.FUNCTION, Outcome.PASS),
    ]
    assert seen[-1].facts == {"login": "accepted", "host_key": known}
    assert seen[-1].latency_ms is not None
    assert list(tmp_path.iterdir()) == []


def test_without_a_round_trip_the_folder_is_found(server: Server, keys: Keys, tmp_path: Path) -> None:
    found = last(sftp(server, tmp_path), key=keys.path)
    assert (found.layer, found.cause) == (Layer.FUNCTION, None)
    assert "host_key isn't configured" in found.facts["host_key_verified"]
    assert last(sftp(server, "/~/"), key=keys.path).cause is None
    shell = last(sftp(server, "").replace("sftp:", "ssh:"), key=keys.path)
    assert (shell.layer, shell.detail) == (Layer.FUNCTION, "lets the user in")
    nowhere = last(sftp(server, tmp_path / "nowhere"), key=keys.path)
    assert (nowhere.layer, nowhere.cause) == (Layer.FUNCTION, Cause.WRONG_ANSWER)


def test_a_login_that_is_refused(server: Server, tmp_path: Path) -> None:
    wrong = Login(Secret("canary-else"), ME)
    refused = last(sftp(server, tmp_path), login=wrong)
    assert (refused.layer, refused.cause) == (Layer.FUNCTION, Cause.LOGIN_REFUSED)
    assert "canary" not in refused.detail + str(refused.facts)
    assert last(sftp(server, tmp_path), roundtrip=True).cause is Cause.LOGIN_REFUSED


def test_another_host_key(server: Server, keys: Keys, tmp_path: Path) -> None:
    """A machine built anew, or somebody in between: no password for him."""
    found = last(sftp(server, tmp_path), key=keys.path, host_key="SHA256:" + "A" * 43)
    assert (found.layer, found.cause) == (Layer.SERVICE, Cause.WRONG_ANSWER)
    assert found.facts["host_key"] == fingerprint(server)


def test_a_server_without_sftp(keys: Keys, tmp_path: Path) -> None:
    with sshd(authorized_keys=[keys.line], Subsystem="other /bin/false") as server:
        found = last(sftp(server, tmp_path), key=keys.path)
        assert (found.layer, found.cause) == (Layer.FUNCTION, Cause.ERROR_ANSWER)


def test_a_file_system_that_takes_no_writes(keys: Keys, tmp_path: Path) -> None:
    with sshd(authorized_keys=[keys.line], Subsystem="sftp internal-sftp -R") as server:
        assert last(sftp(server, tmp_path), key=keys.path).cause is None
        found = last(sftp(server, tmp_path), key=keys.path, roundtrip=True)
        assert (found.layer, found.cause) == (Layer.FUNCTION, Cause.READ_ONLY)


def test_what_a_file_system_says_where_the_server_has_no_word(
    server: Server, keys: Keys, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "small") as disk:
        at = sftp(server, disk.folder)
        assert last(at, key=keys.path, roundtrip=True).cause is None
        disk.fill()
        full = last(at, key=keys.path, roundtrip=True)
        assert (full.layer, full.cause, full.facts["code"]) == (Layer.FUNCTION, Cause.DISK_FULL, 4)
        disk.empty()
        disk.make_read_only()
        assert last(at, key=keys.path, roundtrip=True).cause is Cause.READ_ONLY
        assert last(at, key=keys.path).cause is None, "without a write it looks well"


def test_keys_of_ours_that_can_not_be_used_are_our_trouble(server: Server, tmp_path: Path) -> None:
    (tmp_path / "noise").write_text("noise")
    for name in ("nowhere", "noise"):
        found = last(sftp(server, tmp_path), key=str(tmp_path / name))
        assert (found.outcome, found.cause) == (Outcome.UNKNOWN, None), name


def test_nothing_is_tried_where_the_conversation_failed(server: Server, keys: Keys, tmp_path: Path) -> None:
    with server.paused():
        seen = asyncio.run(look_once(check(sftp(server, tmp_path), 0.5, key=keys.path))).observations
    assert [one.cause for one in seen] == [None, Cause.SILENT]


# -- passwords, with asyncssh's server -------------------------------------------------------------


class _Doorkeeper(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("monitor", "canary-word")


@contextlib.asynccontextmanager
async def asyncssh_server(files: type[asyncssh.SFTPServer] = asyncssh.SFTPServer) -> AsyncIterator[str]:
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=_Doorkeeper, server_host_keys=[key], sftp_factory=files, sftp_version=6
    )
    async with server:
        yield f"sftp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_passwords(tmp_path: Path) -> None:
    async def looks() -> dict[str, Observation]:
        async with asyncssh_server() as url:
            logins = {word: Login(Secret(word), "monitor") for word in ("canary-word", "canary-else")}
            found = {
                word: await look_once(check(f"{url}{tmp_path}", login=login, roundtrip=True))
                for word, login in logins.items()
            }
            return {word: one.observations[-1] for word, one in found.items()}

    seen = asyncio.run(looks())
    right, wrong = seen["canary-word"], seen["canary-else"]
    assert (right.layer, right.cause) == (Layer.FUNCTION, None)
    assert wrong.cause is Cause.LOGIN_REFUSED
    assert "canary" not in f"{right}{wrong}"


class _Full(asyncssh.SFTPServer):
    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        del file_obj, offset, data
        raise asyncssh.SFTPNoSpaceOnFilesystem("full")


class _Forgetful(asyncssh.SFTPServer):
    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        del file_obj, offset
        return len(data)


class _Slow(asyncssh.SFTPServer):
    async def write(self, file_obj: Any, offset: int, data: bytes) -> int:
        del offset
        file_obj.close()  # nobody else does, once the client has gone
        await asyncio.Event().wait()
        return len(data)


@pytest.mark.parametrize(
    ("factory", "cause"),
    [(_Full, Cause.DISK_FULL), (_Forgetful, Cause.WRONG_ANSWER), (_Slow, Cause.SLOW)],
)
def test_a_server_that_does_not_keep_what_it_is_given(factory: Any, cause: Cause, tmp_path: Path) -> None:
    async def once() -> Observation:
        async with asyncssh_server(factory) as url:
            login = Login(Secret("canary-word"), "monitor")
            one = check(f"{url}{tmp_path}", 1.5, login=login, roundtrip=True)
            return (await look_once(one)).observations[-1]

    found = asyncio.run(once())
    assert (found.layer, found.cause) == (Layer.FUNCTION, cause)


def test_every_status_has_a_cause_of_the_function() -> None:
    for cause, _ in SFTP_ERRORS.values():
        assert Layer.FUNCTION in cause.layers

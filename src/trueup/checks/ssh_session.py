"""A session over SSH: log in, and for SFTP find the folder, or write, read and delete a file in it.

The one protocol of which the login isn't spoken by the conversation: a key exchange and a cipher of our own
would be a library, and asyncssh is a good one. It's imported when a login is configured, and not before.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import asyncssh

from trueup.checks.check import Check
from trueup.conversation import Answer, fails, ready
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.states import Layer, Outcome
from trueup.engine.faults import Stage, fault_of
from trueup.probes.ssh import Options

SFTP_VERSION: Final = 6
"""At most: servers of later versions than 3 say more exactly what is wrong."""

READ_ONLY: Final = 1
"""The flag of a file system that takes no writes (SSH_FXE_STATVFS_ST_RDONLY in OpenSSH's PROTOCOL)."""

REMOVE_WITHIN_S: Final = 0.5
SFTP_ERRORS: Final[dict[int, tuple[Cause, str]]] = {
    # Status codes (draft-ietf-secsh-filexfer-13, 9.1). OpenSSH says FAILURE where it has no better word.
    2: (Cause.WRONG_ANSWER, "there is no such folder or file"),
    3: (Cause.READ_ONLY, "this user may not do that"),
    4: (Cause.ERROR_ANSWER, "it fails: a full disk, or what it has no word for"),
    12: (Cause.READ_ONLY, "the file system takes no writes"),
    14: (Cause.DISK_FULL, "no space is left"),
    15: (Cause.DISK_FULL, "this user's quota is used up"),
}

asyncssh.set_log_level("ERROR")  # what it has to say, we say


class _Client(asyncssh.SSHClient):
    """Knows the server's key by its fingerprint, if it's told one."""

    def __init__(self, expected: str | None) -> None:
        self._expected = expected
        self._connection: asyncssh.SSHClientConnection | None = None
        self.fingerprint = ""

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._connection = conn

    def hang_up(self) -> None:
        """Without a goodbye."""
        if self._connection is not None:
            self._connection.abort()

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        del host, addr, port
        self.fingerprint = key.get_fingerprint()
        return self._expected in (None, self.fingerprint)


async def look_inside(check: Check, timeout_s: float) -> Answer:
    """The function layer's answer, or the service's where it never got so far. Takes up to ``timeout_s``."""
    options: Options = check.options
    client = _Client(options.host_key)
    looking = asyncio.ensure_future(_look(check, options, client))
    try:
        await asyncio.wait([looking], timeout=timeout_s)
        if not looking.done():
            return fails(Cause.SLOW, "the session isn't done in time", layer=Layer.FUNCTION)
        return looking.result()
    except asyncssh.HostKeyNotVerifiable:
        words = f"its host key is {client.fingerprint}, and {options.host_key} is expected"
        return fails(Cause.WRONG_ANSWER, words, host_key=client.fingerprint)
    except Exception as error:  # noqa: BLE001 - a library's, of which each has a value
        return _answer_for(error)
    finally:
        if not looking.done():  # what it waits for may never come, its own goodbyes included
            client.hang_up()
            looking.cancel()


async def _look(check: Check, options: Options, client: _Client) -> Answer:
    async with _session(check, client) as session:
        facts = {"login": "accepted", "host_key": client.fingerprint}
        if options.host_key is None:
            facts["host_key_verified"] = "no: host_key isn't configured"
        if options.address.scheme == "ssh":
            return ready("lets the user in", layer=Layer.FUNCTION, **facts)
        return await _look_at_files(session, options, facts)


@asynccontextmanager
async def _session(check: Check, client: _Client) -> AsyncIterator[asyncssh.SSHClientConnection]:
    options: Options = check.options
    login = options.credentials
    connection, _ = await asyncssh.create_connection(
        lambda: client,
        check.address.host,
        check.address.port or 22,
        config=None,
        known_hosts=b"",
        username=options.user,
        password=login.password.reveal() if login is not None else None,
        client_keys=[options.key] if options.key is not None else None,
        agent_path=None,
        gss_host=None,
        client_version="trueup",
    )
    async with connection:
        yield connection


async def _look_at_files(
    session: asyncssh.SSHClientConnection, options: Options, facts: dict[str, Any]
) -> Answer:
    async with session.start_sftp_client(sftp_version=SFTP_VERSION) as sftp:
        await sftp.stat(options.folder)
        if not options.roundtrip:
            return ready("finds the folder", layer=Layer.FUNCTION, **facts)
        name, written = f"{options.folder}/trueup-probe-{os.urandom(8).hex()}", os.urandom(32).hex()
        try:
            async with sftp.open(name, "w") as file:
                await file.write(written)
            async with sftp.open(name, "r") as file:
                read = await file.read(2 * len(written))
        except asyncssh.SFTPFailure as failure:
            why = await _why_not_written(sftp, options.folder)
            if why is None:
                raise
            cause, meaning = why
            said = printable(str(failure), 200)
            return fails(cause, f"{meaning}: {said}", layer=Layer.FUNCTION, code=failure.code, **facts)
        finally:
            with suppress(asyncssh.Error, TimeoutError):  # told by what went wrong before it, if it did
                await asyncio.wait_for(sftp.remove(name), REMOVE_WITHIN_S)
        if await sftp.exists(name):
            return fails(Cause.ERROR_ANSWER, "our file can't be deleted", layer=Layer.FUNCTION, **facts)
    if read != written:
        return fails(Cause.WRONG_ANSWER, "what was written isn't read back", layer=Layer.FUNCTION, **facts)
    return ready("wrote, read and deleted a file", layer=Layer.FUNCTION, **facts)


async def _why_not_written(sftp: asyncssh.SFTPClient, folder: str) -> tuple[Cause, str] | None:
    """What the file system says of itself where the server has no word for it (statvfs@openssh.com)."""
    try:
        there = await sftp.statvfs(folder)
    except asyncssh.SFTPError:
        return None
    if there.flags & READ_ONLY:
        return SFTP_ERRORS[12]
    if there.blocks and not there.bavail:
        return SFTP_ERRORS[14]
    return (Cause.DISK_FULL, "it has room for no more files") if there.files and not there.favail else None


def _answer_for(error: Exception) -> Answer:
    """The value for what the library raised."""
    said = printable(str(error), 200)
    if isinstance(error, asyncssh.SFTPError):
        cause, meaning = SFTP_ERRORS.get(error.code, (Cause.ERROR_ANSWER, "it answers with an error"))
        return fails(cause, f"{meaning}: {said}", layer=Layer.FUNCTION, code=error.code)
    if isinstance(error, asyncssh.PermissionDenied):
        return fails(Cause.LOGIN_REFUSED, f"the login is not accepted: {said}", layer=Layer.FUNCTION)
    if isinstance(error, asyncssh.ChannelOpenError):
        return fails(Cause.ERROR_ANSWER, f"it opens no session: {said}", layer=Layer.FUNCTION)
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return fails(Cause.ERROR_ANSWER, f"no cipher or key is common to both: {said}")
    if isinstance(error, asyncssh.ConnectionLost):
        return fails(Cause.CLOSES, f"it closed the connection in the middle of the session: {said}")
    if isinstance(error, asyncssh.DisconnectError):
        return fails(Cause.ERROR_ANSWER, f"it breaks off the session: {said}")
    if isinstance(error, asyncssh.KeyImportError):
        return Answer(Outcome.UNKNOWN, None, f"the key can't be used: {said}")
    if isinstance(error, OSError) and error.filename is not None:
        return Answer(Outcome.UNKNOWN, None, f"the key can't be read: {said}")
    fault = fault_of(error, Stage.TALKING)
    return Answer(fault.outcome, fault.cause, fault.detail, fault.facts, fault.layer)

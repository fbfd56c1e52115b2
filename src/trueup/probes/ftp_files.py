"""FTP's files, which travel over a connection of their own: a list, and a file there and back.

Always opened by us (RFC 2428's EPSV, else PASV), and to the host that we talk to, whatever address PASV
names: servers behind NAT name others, and worse could be named. Over TLS it is encrypted too, with the
session of the control connection (RFC 4217, 10).
"""

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Final

from trueup.conversation import (
    Answer,
    Astray,
    Beside,
    Break,
    Dial,
    Line,
    Mark,
    Nonce,
    Receive,
    Send,
    StartTls,
    Step,
    ToEnd,
    fails,
    ready,
)
from trueup.domain.causes import Cause
from trueup.domain.states import Layer
from trueup.probes.coded_reply import CodedReply, converse

READ_BYTES_MAX: Final = 4096
"""A list of one name, or our own file."""

LAST_WORD_S: Final = 1.0
"""How long a server may take to say here why it took nothing there."""

WRITE_FAILURES: Final[dict[int, tuple[Cause, str]]] = {
    # What these mean of a file that is to be written (RFC 959, 4.2.2).
    451: (Cause.DISK_FULL, "can't store it, most likely for want of space"),
    532: (Cause.LOGIN_REFUSED, "wants an account to store files"),
    550: (Cause.READ_ONLY, "takes no file from this user here"),
    553: (Cause.READ_ONLY, "takes no file of that name"),
}
_EPSV: Final = re.compile(rb"\(([!-~])\1\1(\d{1,5})\1\)")
_PASV: Final = re.compile(rb"(?:\d{1,3},){4}(\d{1,3}),(\d{1,3})")
_BEGUN: Final = (125, 150)
_DONE: Final = (226, 250)
_ASTRAY: Final = (425, 426)
_NOTHING_THERE: Final = (450, 550)

Table = Mapping[int, tuple[Cause, str]]
Judge = Callable[[CodedReply, str, Table], Answer]
"""The word for a reply that isn't the hoped one, with what was tried and a table that goes before its own."""


@dataclass(frozen=True, slots=True)
class Way:
    """How files travel: to which host, and how their connection is secured, if it is."""

    host: str
    secured: StartTls | None


class _RefusedSaid(Exception):  # noqa: N818 - a turn of the talk, caught within this file
    """A reply that isn't the hoped one."""

    def __init__(self, reply: CodedReply, what: str, table: Table | None = None) -> None:
        super().__init__(what)
        self.reply = reply
        self.what = what
        self.table = table or {}


class _NoWay(Exception):  # noqa: N818 - as above
    """The connection for files came to nothing."""

    def __init__(self, port: int, astray: Astray) -> None:
        super().__init__(port)
        self.port = port
        self.astray = astray


def look_at_files(way: Way, folder: str, judge: Judge, *, roundtrip: bool) -> Generator[Step, bytes, Answer]:
    """The function layer's answer."""
    try:
        yield from _prepare(way, folder)
        name = b"trueup-probe-" + (yield Nonce(8)).hex().encode()
        answer = yield from _list(way, name)
        if roundtrip:
            yield Mark(answer)
            answer = yield from _there_and_back(way, name)
    except _RefusedSaid as refused:
        return judge(refused.reply, refused.what, refused.table)
    except _NoWay as lost:
        words = f"files can't travel: the connection to port {lost.port} fails: {lost.astray.detail}"
        facts = {"data_port": lost.port, "data": lost.astray.cause.value}
        return fails(Cause.ERROR_ANSWER, words, layer=Layer.FUNCTION, **facts)
    return answer


def _prepare(way: Way, folder: str) -> Generator[Step, bytes, None]:
    if way.secured is not None:
        yield from _hoping(b"PBSZ 0", "the files can't be protected: it ", 200)
        yield from _hoping(b"PROT P", "the files can't be protected: it ", 200)
    yield from _hoping(b"TYPE I", "it ", 200)
    if folder:
        yield from _hoping(b"CWD " + folder.encode(), "the folder can't be entered: it ", *_DONE, 200)


def _hoping(words: bytes, what: str, *hoped: int) -> Generator[Step, bytes, CodedReply]:
    reply = yield from converse(words + b"\r\n")
    if reply.code not in hoped:
        raise _RefusedSaid(reply, what)
    return reply


def _list(way: Way, name: bytes) -> Generator[Step, bytes, Answer]:
    """A list of what isn't there, which reads nothing and needs the connection all the same."""
    try:
        yield from _transfer(way, b"NLST " + name, "a list can't be had: it ")
    except _RefusedSaid as refused:
        if refused.reply.code not in _NOTHING_THERE:
            raise
        return ready("says what isn't there, without the connection for files", layer=Layer.FUNCTION)
    return ready("lists files", layer=Layer.FUNCTION)


def _there_and_back(way: Way, name: bytes) -> Generator[Step, bytes, Answer]:
    written = (yield Nonce(32)).hex().encode()
    try:
        yield from _transfer(way, b"STOR " + name, "a file can't be written: it ", written, WRITE_FAILURES)
        read = yield from _transfer(way, b"RETR " + name, "our file can't be read: it ")
    except _RefusedSaid:
        yield from converse(b"DELE " + name + b"\r\n")  # a part of it may be there
        raise
    yield from _hoping(b"DELE " + name, "our file can't be deleted: it ", *_DONE, 200)
    if read != written:
        return fails(Cause.WRONG_ANSWER, "what was written isn't read back", layer=Layer.FUNCTION)
    return ready("wrote, read and deleted a file", layer=Layer.FUNCTION)


def _transfer(
    way: Way, words: bytes, what: str, data: bytes = b"", table: Table | None = None
) -> Generator[Step, bytes, bytes]:
    """Have ``data`` taken, or bring what is given.

    Raises:
        _RefusedSaid: the server says that it doesn't.
        _NoWay: the connection for it came to nothing, and the server doesn't say why.
    """
    port = yield from _passive()
    yield Send(words + b"\r\n")
    try:
        brought = yield Beside(Dial(way.host, port), data, ToEnd(READ_BYTES_MAX), way.secured)
    except Astray as astray:
        if (said := (yield from _last_word())) is not None:
            raise _RefusedSaid(said, what, table) from None
        raise _NoWay(port, astray) from None
    reply = yield from converse()
    if reply.code in _BEGUN:
        reply = yield from converse()
    if reply.code not in _DONE:
        raise _RefusedSaid(reply, what, table)
    return brought


def _last_word() -> Generator[Step, bytes, CodedReply | None]:
    """Why it refuses, if it does; None where it only waits for a connection as we did."""
    try:
        for _ in range(2):
            line = (yield Receive(Line(), within_s=LAST_WORD_S)).strip()
            code = int(line[:3]) if line[:3].isdigit() else 0
            if code not in _BEGUN:
                break
    except Break:
        return None
    return CodedReply(code, (line[4:],)) if code >= 400 and code not in _ASTRAY else None


def _passive() -> Generator[Step, bytes, int]:
    """The port to which we may connect."""
    reply = yield from converse(b"EPSV\r\n")
    found = _EPSV.search(reply.text)
    if reply.code == 229 and found is not None:
        return _valid(int(found[2]), reply)
    if reply.code != 229 and reply.code < 500:
        raise _RefusedSaid(reply, "no connection for files can be opened: it ")
    reply = yield from _hoping(b"PASV", "no connection for files can be opened: it ", 227)
    found = _PASV.search(reply.text)
    if found is None:
        raise _RefusedSaid(reply, "it names no port for files: it ")
    return _valid(int(found[1]) * 256 + int(found[2]), reply)


def _valid(port: int, reply: CodedReply) -> int:
    if not 0 < port < 65_536:
        raise _RefusedSaid(reply, "it names no port for files: it ")
    return port

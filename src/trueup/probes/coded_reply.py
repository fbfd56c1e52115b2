"""The numbered replies of SMTP and FTP: ``250-text`` for each line but the last, which is ``250 text``.

RFC 5321, 4.2.1; RFC 959, 4.2. Between the first line and the last, FTP allows any text at all.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

from trueup.conversation import Ask, Closed, Garbled, Line, Receive, Step, TooLong
from trueup.domain.printable import printable

LINES_MAX: Final = 1000
_LINE: Final = re.compile(rb"([1-6]\d\d)(?:([ -])(.*))?", re.DOTALL)
ENHANCED: Final = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})(?: |$)")
"""An enhanced status code at the beginning of a reply's text (RFC 2034, 4; RFC 3463)."""


@dataclass(frozen=True, slots=True)
class CodedReply:
    """``lines`` are the texts, without the code and the line end."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def text(self) -> bytes:
        """All lines as one."""
        return b" ".join(self.lines)

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code as ``5.7.1``, where the server gives one."""
        match = ENHANCED.match(self.lines[0])
        return match[1].decode() if match else None

    @property
    def raw(self) -> bytes:
        """Code and text, on one line."""
        return b"%d %b" % (self.code, self.text)

    @property
    def spoken(self) -> str:
        """The same, safe to show."""
        return printable(self.raw)

    def says(self, *words: bytes) -> bool:
        """Whether any of these words, in lower case, is in its text."""
        text = self.text.lower()
        return any(word in text for word in words)


def converse(data: bytes = b"", *, secret: bool = False) -> Generator[Step, bytes, CodedReply]:
    """Send ``data``, or nothing, and read one whole reply.

    Raises:
        Garbled: what came is no numbered reply.
        TooLong: it has more than ``LINES_MAX`` lines, or one that doesn't end.
        Closed: before the reply's end.
    """
    said = yield from _line(Ask(data, Line(), secret=secret) if data else Receive(Line()))
    match = _LINE.fullmatch(said.rstrip())
    if match is None:
        raise Garbled(said)
    code, lines = match[1], [match[3] or b""]
    more = match[2] == b"-"
    while more:
        if len(lines) >= LINES_MAX:
            raise TooLong(said)
        line = yield from _line(Receive(Line()))
        last = _LINE.fullmatch(line.rstrip())
        same = last is not None and last[1] == code
        lines.append((last[3] or b"") if last is not None and same else line.strip())
        more = last is None or not same or last[2] == b"-"
    return CodedReply(int(code), tuple(lines))


def _line(step: Step) -> Generator[Step, bytes, bytes]:
    """One line; the last one before the peer closes may lack its end."""
    try:
        return (yield step)
    except Closed as closed:
        if not closed.received:
            raise
        return closed.received
    except TooLong as long:
        if _LINE.match(long.received[:4]) is None:
            raise Garbled(long.received) from None
        raise

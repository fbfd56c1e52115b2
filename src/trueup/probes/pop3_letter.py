"""A letter looked for in a POP3 mailbox, and deleted there."""

from collections.abc import Generator
from typing import Final

from trueup.conversation import Answer, Ask, Line, Receive, Step, Until, ready
from trueup.domain.states import Layer
from trueup.probes.letter import Letter
from trueup.probes.pop3 import mailbox_fails, reply_to

LOOKED_AT_MAX: Final = 50
"""The newest of a mailbox; it's to be one of the monitor's own."""


def find(letter: Letter) -> Generator[Step, bytes, Answer]:
    """Look for it from the newest on; what's found is deleted. The fact ``found`` says whether it was."""
    said = yield from reply_to(Ask(b"STAT\r\n", Line()))
    words = said.split()
    if not said.startswith(b"+OK") or len(words) < 2 or not words[1].isdigit():
        return mailbox_fails(said)
    count = int(words[1][:9])
    for number in range(count, max(0, count - LOOKED_AT_MAX), -1):
        if letter.message_id.encode() in (yield from _head(number)):
            said = yield from reply_to(Ask(b"DELE %d\r\n" % number, Line()))
            if not said.startswith(b"+OK"):
                return mailbox_fails(said)
            return ready("the mail is found, and deleted", layer=Layer.FUNCTION, found=True)
    return ready("the mail isn't there yet", layer=Layer.FUNCTION, found=False)


def _head(number: int) -> Generator[Step, bytes, bytes]:
    """The header of a message; all of it where the server doesn't know TOP (RFC 1939, 7)."""
    said = yield from reply_to(Ask(b"TOP %d 0\r\n" % number, Line()))
    if not said.startswith(b"+OK"):
        said = yield from reply_to(Ask(b"RETR %d\r\n" % number, Line()))
    return (yield Receive(Until(b"\r\n.\r\n"))) if said.startswith(b"+OK") else b""

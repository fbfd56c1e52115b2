"""A letter looked for in an IMAP mailbox, and deleted there."""

import re
from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Final

from trueup.conversation import Answer, Step, ready
from trueup.domain.states import Layer
from trueup.probes.imap import command, mailbox_fails
from trueup.probes.letter import HEADER, Letter

KEPT_FOR: Final = timedelta(days=1)
"""Letters of ours that came too late to be found are deleted when they're older than this."""
_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_NUMBERS: Final = re.compile(rb"\d{1,10}")


def find(letter: Letter, mailbox: str, now: datetime) -> Generator[Step, bytes, Answer]:
    """Look for it; what's found is deleted. The fact ``found`` says whether it was."""
    reply = yield from command(b"e", b"SELECT " + _quoted(mailbox))
    if reply.status != b"OK":
        return mailbox_fails(reply)
    asked = b"HEADER Message-ID " + _quoted(letter.message_id)
    reply = yield from command(b"f", b"UID SEARCH " + asked)
    if reply.status != b"OK":
        return mailbox_fails(reply)
    numbers = _found(reply.data)
    if not numbers:
        return ready("the mail isn't there yet", layer=Layer.FUNCTION, found=False)
    reply = yield from command(b"g", b'UID SEARCH HEADER %b "" BEFORE %b' % (HEADER.encode(), _day(now)))
    numbers += [number for number in _found(reply.data) if number not in numbers]
    reply = yield from command(b"h", b"UID STORE %b +FLAGS.SILENT (\\Deleted)" % b",".join(numbers))
    if reply.status != b"OK":
        return mailbox_fails(reply)
    yield from _expunge(numbers)
    return ready("the mail is found, and deleted", layer=Layer.FUNCTION, found=True)


def _expunge(numbers: list[bytes]) -> Generator[Step, bytes, None]:
    """Ours alone (RFC 4315); where that isn't known, all that is marked, if that's only ours."""
    reply = yield from command(b"i", b"UID EXPUNGE " + b",".join(numbers))
    if reply.status == b"OK":
        return
    reply = yield from command(b"j", b"UID SEARCH DELETED")
    if set(_found(reply.data)) <= set(numbers):
        yield from command(b"k", b"EXPUNGE")


def _found(data: tuple[bytes, ...]) -> list[bytes]:
    lines = [line for line in data if line.upper().startswith(b"SEARCH")]
    return [number for line in lines for number in _NUMBERS.findall(line)]


def _day(now: datetime) -> bytes:
    day = now - KEPT_FOR
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}".encode()


def _quoted(word: str) -> bytes:
    """As a quoted string (RFC 9051, 4.3); what one can't hold isn't in a mailbox's name either."""
    plain = "".join(char for char in word if char not in "\r\n\0")
    return b'"' + plain.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'

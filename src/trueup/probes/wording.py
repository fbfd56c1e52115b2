"""Text to send and text to expect, for protocols of which trueup knows nothing but that (``tcp``, ``udp``).

Matching is by literal text: a pattern of a rich kind, held against what a hostile peer makes up, could
keep the whole monitor busy.
"""

import re
from dataclasses import dataclass
from typing import Final

from trueup.conversation import Answer, fails, ready
from trueup.domain.causes import Cause
from trueup.domain.printable import printable

_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|.?)", re.DOTALL)
_ESCAPES: Final = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


def unescaped(text: str) -> bytes:
    r"""``text`` with ``\r \n \t \0 \\ \xNN`` as the bytes they stand for, the rest in UTF-8.

    Raises:
        ValueError: another escape.
    """
    said, place = bytearray(), 0
    for escape in _ESCAPE.finditer(text):
        said += text[place : escape.start()].encode()
        place = escape.end()
        word = escape[1]
        if word in _ESCAPES:
            said += _ESCAPES[word].encode()
        elif len(word) == 3:
            said.append(int(word[1:], 16))
        else:
            raise ValueError(rf"{printable(escape[0])} is no escape; known are \r \n \t \0 \\ \xNN")
    return bytes(said) + text[place:].encode()


@dataclass(frozen=True, slots=True)
class Expect:
    """What the answer must ``contains``, and how it ``starts``; both know the escapes of ``send``."""

    contains: str | None = None
    starts: str | None = None

    def __post_init__(self) -> None:
        unescaped(self.contains or "")
        unescaped(self.starts or "")

    @property
    def anything(self) -> bool:
        """Whether nothing in particular is expected."""
        return not self.contains and not self.starts

    def met_by(self, said: bytes) -> bool:
        """Whether ``said``, which may be only the beginning, is it."""
        return said.startswith(unescaped(self.starts or "")) and unescaped(self.contains or "") in said

    def settled_by(self, said: bytes) -> bool:
        """Whether more of the answer can't change the judgement."""
        start = unescaped(self.starts or "")[: len(said)]
        return self.met_by(said) or not said.startswith(start)

    def judge(self, said: bytes) -> Answer:
        """The answer for all that was said."""
        if self.met_by(said):
            return ready("answers" if self.anything else "answers what is expected")
        wanted = [f"to start with '{printable(self.starts)}'"] if self.starts else []
        wanted += [f"to contain '{printable(self.contains)}'"] if self.contains else []
        seen = printable(said)
        return fails(Cause.WRONG_ANSWER, f"it said '{seen}', expected {' and '.join(wanted)}", seen=seen)

"""A mail as SMTP carries it, and the word by which it's found again."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final

HEADER: Final = "X-Trueup-Mail"
"""In each mail of ours, so that those that came too late can be told from people's."""


@dataclass(frozen=True, slots=True)
class Letter:
    """``sender`` and ``recipient`` are mailboxes, without angle brackets; ``word`` is in no other letter."""

    sender: bytes
    recipient: bytes
    word: str
    sent_at: datetime

    @property
    def message_id(self) -> str:
        """As it stands in its header, angle brackets included."""
        return f"<{self.word}@trueup.invalid>"

    def data(self) -> bytes:
        """Header and text with the dot at the end. No line begins with one (RFC 5321, 4.5.2)."""
        lines = (
            f"From: <{self.sender.decode()}>",
            f"To: <{self.recipient.decode()}>",
            f"Subject: trueup {self.word}: does mail arrive?",
            f"Date: {format_datetime(self.sent_at)}",
            f"Message-ID: {self.message_id}",
            "Auto-Submitted: auto-generated",  # RFC 3834: nobody is to answer it
            f"{HEADER}: {self.word}",
            "",
            "A monitor sent this mail to see whether it arrives, and deletes it when it has.",
            ".",
        )
        return "".join(f"{line}\r\n" for line in lines).encode()

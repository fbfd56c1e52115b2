"""How far a long command is: one line on a terminal, rewritten; nothing anywhere else."""

from collections.abc import Callable
from typing import Self, TextIO

_WIDTH = 78


class Progress:
    """Use as a context manager: it leaves no line behind."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = stream.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.say("")

    def of(self, what: str, total: int | None = None) -> Callable[[int, int], None]:
        """For callbacks with how many are done; ``total`` where the second number isn't it."""
        if total is not None:
            return lambda done, found: self.say(f"{done} of {total} {what}, {found} open")
        return lambda done, all_: self.say(f"{done} of {all_} {what}")

    def say(self, words: str) -> None:
        """Show it in place of what was there."""
        if self._shown:
            self._stream.write("\r" + words[:_WIDTH].ljust(_WIDTH) + "\r")
            self._stream.flush()

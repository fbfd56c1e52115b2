"""How far a long command is: one line on a terminal, rewritten; nothing anywhere else."""

import os
from collections.abc import Callable
from typing import Self, TextIO

_WIDTH_MAX = 78


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
            width = self._width()
            self._stream.write("\r" + words[:width].ljust(width) + "\r")
            self._stream.flush()

    def _width(self) -> int:
        """A line that fills a narrow terminal would begin a second one, and stay."""
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            columns = 0
        return min(columns - 1, _WIDTH_MAX) if columns else _WIDTH_MAX

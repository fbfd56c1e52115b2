"""A word that can't be understood, and what would do instead."""

from trueup.domain.printable import printable


class NotUnderstood(ValueError):  # noqa: N818 - it says what happened to the word
    """A word of the configuration or the command line that can't be read.

    ``problem`` and ``hint`` are phrases without a full stop; the hint is never empty.
    """

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"{problem}; {hint}")
        self.problem = problem
        self.hint = hint


def quoted(word: str, chars_max: int = 40) -> str:
    """A word of the configuration in quotes, safe to print."""
    return f"'{printable(word, chars_max)}'"

"""What is wrong with a configuration: everything at once, each with its place."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from trueup.domain.printable import printable
from trueup.domain.secret import Secret, hide

Path = tuple[str | int, ...]
"""Keys and places in lists, from the top: ``("services", "cache", "needs", 0)``."""

SYNTAX: Final = "yaml"
"""The path of a problem that hasn't one: the text isn't YAML."""
WHOLE: Final = "configuration"
"""The path of a problem of a file or folder as a whole."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem; as text it is the contract's line."""

    file: str
    line: int
    path: str
    problem: str
    hint: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.path}: {self.problem}; {self.hint}"


class ConfigurationError(Exception):
    """A configuration that doesn't hold. ``problems`` are in the order of its files and lines."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Problems:
    """Collects problems, without saying any twice and without saying any of ``words`` at all."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}
        self._paths: set[str] = set()
        self.words: set[Secret] = set()
        """What came from the environment and from files."""

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, place: Place, path: Path | str, problem: str, hint: str) -> None:
        """Note a problem."""
        shown = path if isinstance(path, str) else show_path(path)
        self._paths.add(shown)
        self._found[
            Problem(place.file, place.line, shown, hide(problem, self.words), hide(hint, self.words))
        ] = None

    def has(self, path: Path) -> bool:
        """Whether something was noted at exactly this path."""
        return show_path(path) in self._paths

    def raise_any(self, files: Iterable[str] = ()) -> None:
        """Raise all that was found, in the order of ``files``.

        Raises:
            ConfigurationError: where something was found.
        """
        if self._found:
            order = {file: place for place, file in enumerate(files)}
            found = sorted(self._found, key=lambda problem: (order.get(problem.file, -1), problem.line))
            raise ConfigurationError(tuple(found))


def show_path(path: Path) -> str:
    """As ``services.cache.needs[0]``."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            shown += f".{printable(part, 100)}" if shown else printable(part, 100)
    return shown or WHOLE

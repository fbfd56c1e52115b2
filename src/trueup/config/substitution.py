"""``${ENV}``, ``${file:/path}`` and ``$$`` in the values of a configuration."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from trueup.domain.journey import references
from trueup.domain.nearest import nearest
from trueup.domain.printable import is_text
from trueup.domain.understood import NotUnderstood, quoted

_DOLLAR: Final = re.compile(r"\$(?:\$|\{([^}]*)\}|\{)")
_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_FILE: Final = "file:"
MAY_READ: Final = "let the user that trueup runs as read it"
_SAVE_IT: Final = ", or save it in an earlier step"
_FILE_BYTES_MAX: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Saved:
    """The ``names`` that a journey has saved before a step, and the steps that save others ``later``."""

    names: frozenset[str] = frozenset()
    later: Mapping[str, int] = field(default_factory=dict)
    in_journey: bool = True


NOTHING_SAVED: Final = Saved(in_journey=False)


class Substitution:
    """Puts the words of an environment and of files in their places.

    ``words`` collects all that was put anywhere, in order.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._files: dict[str, str] = {}
        self.words: list[str] = []

    def substituted(self, text: str, saved: Saved = NOTHING_SAVED) -> str:
        """``text`` with each word in its place; ``${name}`` of what a journey has ``saved`` is left alone.

        Raises:
            NotUnderstood: where a word isn't to be had.
        """
        kept = 0

        def word(match: re.Match[str]) -> str:
            nonlocal kept
            if match[0] == "$$":
                return "$"
            if match[1] is None:
                raise NotUnderstood("${ isn't closed", "write ${NAME}, or $${ for the text itself")
            if match[1] in saved.names:
                kept += 1
                return match[0]
            return self._word(match[1], saved)

        done = _DOLLAR.sub(word, text)
        if saved.names and sum(name in saved.names for name in references(done)) != kept:
            raise NotUnderstood(
                "it would be taken for a saved value, and is text", "give the saved value another name"
            )
        return done

    def _word(self, name: str, saved: Saved) -> str:
        word = self._read(name.removeprefix(_FILE)) if name.startswith(_FILE) else self._variable(name, saved)
        self.words.append(word)
        return word

    def _variable(self, name: str, saved: Saved) -> str:
        if not _NAME.fullmatch(name):
            raise NotUnderstood(
                f"{quoted('${' + name + '}')} names no variable",
                "write ${NAME}, ${file:/path}, or $${ for the text itself",
            )
        if name in self._env:
            return _text(self._env[name], name)
        if name in saved.later:
            step = saved.later[name] + 1
            raise NotUnderstood(f"{name} isn't saved yet", f"step {step} saves it, and comes no earlier")
        close = nearest(name, saved.names) or nearest(name, self._env)
        problem = f"nothing has saved {name}, and the environment has no such variable"
        raise NotUnderstood(
            problem if saved.names or saved.later else f"the environment has no {name}",
            f"did you mean ${{{close}}}?"
            if close
            else f"set {name}" + (_SAVE_IT if saved.in_journey else ""),
        )

    def _read(self, path: str) -> str:
        if path not in self._files:
            if not path.startswith("/"):
                raise NotUnderstood(f"{quoted(path)} is no whole path", "write ${file:/path}")
            try:
                with Path(path).open("rb") as file:
                    read = file.read(_FILE_BYTES_MAX + 1)
                self._files[path] = read.decode().removesuffix("\n").removesuffix("\r")
            except UnicodeDecodeError:
                raise NotUnderstood(f"{quoted(path, 200)} isn't text", "save it as UTF-8") from None
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else None
                hint = MAY_READ if isinstance(error, PermissionError) else "check its path"
                raise NotUnderstood(f"can't read {quoted(path, 200)}: {why or 'not a path'}", hint) from None
            if len(read) > _FILE_BYTES_MAX:
                raise NotUnderstood(
                    f"{quoted(path, 200)} holds more than 1 MiB", "write the path of a secret"
                )
        return self._files[path]


def _text(word: str, name: str) -> str:
    """A variable's value, of whose bytes Python makes what can't be sent where they aren't text."""
    if not is_text(word):
        raise NotUnderstood(f"the variable {name} isn't text in UTF-8", f"set {name} in UTF-8")
    return word

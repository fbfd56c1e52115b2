"""Which script an interpreter runs, by its arguments: to the kernel ``python3 /srv/app.py`` is python3."""

from collections.abc import Sequence
from typing import Final, NamedTuple


class _Interpreter(NamedTuple):
    """``take_a_value``: options whose value is the argument after them. ``no_script``: letters of the
    options that bring the program itself, or the name of a module.
    """

    take_a_value: frozenset[str]
    no_script: str


_SH: Final = _Interpreter(frozenset({"-o", "-O", "--rcfile", "--init-file"}), "cs")
_NODE: Final = _Interpreter(frozenset({"-r", "--require", "--import", "-C", "--conditions"}), "ep")
_INTERPRETERS: Final = {
    "python": _Interpreter(frozenset({"-W", "-X"}), "cm"),
    "node": _NODE,
    "nodejs": _NODE,
    "ruby": _Interpreter(frozenset({"-I", "-r", "-C", "-E"}), "e"),
    "perl": _Interpreter(frozenset({"-I"}), "eE"),
    "php": _Interpreter(frozenset({"-c", "-d"}), "rRBES"),
    "sh": _SH,
    "bash": _SH,
    "dash": _SH,
}
_JAVA: Final = "java"


def script_of(command: Sequence[str]) -> str | None:
    """The file name of the script; None where it's no interpreter, or runs none."""
    if not command:
        return None
    program, arguments = _without_version(_file_name(command[0])), iter(command[1:])
    if program == _JAVA:
        jar = next((argument for argument in arguments if argument == "-jar"), None)
        return _file_name(next(arguments, "")) or None if jar else None
    runs = _INTERPRETERS.get(program)
    if runs is None:
        return None
    for argument in arguments:
        if not argument.startswith("-"):
            return _file_name(argument)
        if _brings_its_own(argument, runs):
            return None
        if argument in runs.take_a_value:
            next(arguments, None)
    return None


def _brings_its_own(option: str, runs: _Interpreter) -> bool:
    """Options of one letter may stand together, as in ``bash -xc``; ``-`` is what comes in."""
    if option.startswith("--"):
        return option in ("--eval", "--print")
    return option == "-" or any(letter in option for letter in runs.no_script)


def _without_version(program: str) -> str:
    return program.rstrip("0123456789.")


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]

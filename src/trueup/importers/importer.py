"""What an importer's file declares, and how it refuses a file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trueup.domain.printable import printable
from trueup.importers.carried import Carried

BYTES_MAX: int = 64 << 20
"""Of a file that is read whole."""


class Malformed(Exception):  # noqa: N818 - it says what the file is
    """A file that isn't what it should be; its text is ``FILE:LINE: problem; hint``."""

    def __init__(self, file: Path | str, line: int, problem: str, hint: str) -> None:
        super().__init__(f"{printable(str(file))}:{line}: {printable(problem)}; {hint}")


@dataclass(frozen=True, slots=True)
class Importer:
    """A monitor whose configuration can be read.

    ``name`` is its word on the command line, ``title`` what people call it, ``files`` what is to be named.
    ``read`` gets the files and the environment, for references in them, and raises ``Malformed``.
    """

    name: str
    title: str
    files: str
    read: Callable[[Sequence[Path], Mapping[str, str]], Carried]


def text_of(path: Path) -> str:
    """The text of a file.

    Raises:
        Malformed: it can't be read, isn't text, or is too big to be a configuration.
    """
    try:
        with path.open("rb") as file:
            read = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise Malformed(path, 1, f"can't read it: {error.strerror}", "check its path and its owner") from None
    if len(read) > BYTES_MAX:
        raise Malformed(path, 1, "it is larger than 64 MiB", "is it the right file?")
    try:
        return read.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = read[: error.start].count(b"\n") + 1
        raise Malformed(path, line, "it isn't text in UTF-8", "is it the right file?") from None

"""Names that tell which test run a thing belongs to, so that what a killed run left is known."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "trueup"


def own_name(label: str) -> str:
    return f"{_PREFIX}-{os.getpid()}-{label}"


def left_behind(folder: Path) -> Iterator[Path]:
    """What is named so in this folder, and whose test run is gone."""
    for path in folder.glob(f"{_PREFIX}-*-*"):
        owner = path.name.split("-")[1]
        if owner.isdigit() and not Path("/proc", owner).exists():
            yield path


@contextlib.contextmanager
def own_folder(label: str) -> Iterator[Path]:
    """A folder that every user may enter. It goes at the end."""
    everything = Path(tempfile.gettempdir())
    for folder in left_behind(everything):
        shutil.rmtree(folder, ignore_errors=True)  # another test run may sweep at the same time
    folder = everything / own_name(label)
    folder.mkdir(mode=0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)

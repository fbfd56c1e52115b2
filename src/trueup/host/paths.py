"""What is at a path, as far as one may look: where one may not, opening it says why."""

import os
from pathlib import Path


def is_folder(path: Path | str) -> bool:
    """Unlike ``Path.is_dir`` it raises nothing for a name too long or a folder that may not be searched."""
    return os.path.isdir(path)  # noqa: PTH112 - pathlib's raises


def is_file(path: Path | str) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - pathlib's raises


def is_there(path: Path | str) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - pathlib's raises

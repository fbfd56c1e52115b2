"""Configurations written in tests, and what comes of them."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent

import pytest

from trueup.config import Configuration, ConfigurationError, load


def loaded(text: str, env: Mapping[str, str] | None = None) -> Configuration:
    """The configuration of a file of that text."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "trueup.yaml"
        file.write_text(dedent(text).lstrip("\n"))
        return load(file, env or {})


def problems(text: str, env: Mapping[str, str] | None = None) -> list[str]:
    """What is wrong with it, as ``LINE: PATH: problem; hint``."""
    with pytest.raises(ConfigurationError) as raised:
        loaded(text, env)
    return [
        str(problem).removeprefix(f"{problem.file}:").replace(f"{problem.file}:", "")
        for problem in raised.value.problems
    ]


def problem(text: str, env: Mapping[str, str] | None = None) -> str:
    """The only thing that is wrong with it."""
    found = problems(text, env)
    assert len(found) == 1, found
    return found[0]

"""Answers captured from real kernels, daemons and tools, under samples/."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "samples"


def sample_bytes(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def sample_text(name: str) -> str:
    return (FOLDER / name).read_text()


def sample_hex(name: str) -> bytes:
    return bytes.fromhex("".join(sample_text(name).split()))

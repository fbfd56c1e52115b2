"""Amounts of data as people write them: ``500MB``, ``2GB``, ``1GiB``."""

import re
from typing import Final

from trueup.domain.printable import printable
from trueup.domain.understood import NotUnderstood, quoted

UNITS_BYTES: Final = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
SIZE: Final = r"(\d{1,15}(?:\.\d{1,3})?)(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)"
_WRITTEN: Final = re.compile(SIZE, re.ASCII)
_LOOSE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", re.ASCII)


class SizeError(NotUnderstood):
    """A text that is no size."""


def parse_size(text: str) -> int:
    """Bytes.

    Raises:
        SizeError: with what to write instead.
    """
    match = _WRITTEN.fullmatch(text)
    if match is not None:
        return int(float(match[1]) * UNITS_BYTES[match[2]])
    shown = printable(text, 40)
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        raise SizeError(f"{shown} has no unit", f"write {shown}MB or {shown}GB")
    loose = _LOOSE.fullmatch(text)
    unit = _nearest_unit(loose[2]) if loose else None
    if loose and unit:
        raise SizeError(f"{quoted(text)} is no size", f"write {loose[1]}{unit}")
    raise SizeError(f"{quoted(text)} is no size", "write one as in 500MB or 2GB")


def _nearest_unit(written: str) -> str | None:
    lowered = written.lower()
    return next((unit for unit in UNITS_BYTES if lowered in (unit.lower(), unit[0].lower())), None)


def show_size(size_bytes: int) -> str:
    """As it is written: in the largest decimal unit that needs no fraction."""
    unit = next(unit for unit in ("TB", "GB", "MB", "kB", "B") if size_bytes % UNITS_BYTES[unit] == 0)
    return f"{size_bytes // UNITS_BYTES[unit]}{unit}" if size_bytes else "0B"

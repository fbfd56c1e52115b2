"""Durations as Go writes them, ``1h30m``, and as Prometheus does, ``1d``."""

import re
from typing import Any, Final

_UNITS_S: Final = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0,
    "w": 7 * 86400.0, "y": 365 * 86400.0,
}  # fmt: skip
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w|y)")


def go_duration_s(value: Any) -> float | None:
    """Seconds; None for what is no duration, or none at all."""
    text = str(value).strip() if value is not None else ""
    if not text or _PART.sub("", text):
        return None
    return sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text)) or None

"""Lengths of time as people write them: ``250ms``, ``30s``, ``5m``, ``4h``, ``7d``."""

import re
from typing import Final

from trueup.domain.printable import printable
from trueup.domain.understood import NotUnderstood, quoted

UNITS_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
DURATION: Final = r"(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)"
DURATION_MAX_S: Final = 3660 * UNITS_S["d"]
_WRITTEN: Final = re.compile(DURATION, re.ASCII)
_LONG_UNITS: Final = {
    **dict.fromkeys(("msec", "msecs", "millis", "milliseconds", "millisecond"), "ms"),
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
}


class DurationError(NotUnderstood):
    """A text that is no duration."""


def parse_duration(text: str) -> float:
    """Seconds.

    Raises:
        DurationError: with what to write instead.
    """
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise DurationError(*_mistake(text))
    seconds = float(match[1]) * UNITS_S[match[2]]
    if seconds > DURATION_MAX_S:
        raise DurationError(*_too_long(text))
    return seconds


def words_of(seconds: float) -> str:
    """A length of time for people, in its two largest units: ``1 h 5 m``."""
    left = max(0, round(seconds))
    for (unit, unit_s), (smaller, smaller_s) in (
        (("d", 86400), ("h", 3600)),
        (("h", 3600), ("m", 60)),
        (("m", 60), ("s", 1)),
    ):
        if left >= unit_s:
            rest = left % unit_s // smaller_s
            return f"{left // unit_s} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{left} s"


def _mistake(text: str) -> tuple[str, str]:
    shown = printable(text, 40)
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return f"{shown} has no unit", f"write {shown}s"
    if text.startswith("-"):
        return f"{shown} is less than nothing", "write a duration as in 30s"
    loose = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", text, re.ASCII)
    if loose:
        number, unit = loose[1], loose[2].lower()
        known = unit if unit in UNITS_S else _LONG_UNITS.get(unit)
        if known and float(number) * UNITS_S[known] > DURATION_MAX_S:
            return _too_long(text)
        if known:
            return f"{quoted(text)} is no duration", f"write {round(float(number), 3):.12g}{known}"
        if unit in {"w", "week", "weeks"}:
            return f"{quoted(text)} is no duration", f"write {float(number) * 7:g}d"
    if re.fullmatch(rf"(?:{DURATION})+", text, re.ASCII):
        return f"{quoted(text)} has more than one unit", f"write {_in_one_unit(text)}"
    return f"{quoted(text)} is no duration", "write one as in 250ms, 30s, 5m, 4h or 7d"


def _too_long(text: str) -> tuple[str, str]:
    return f"{printable(text, 40)} is longer than ten years", "write less, as in 400d"


def _in_one_unit(text: str) -> str:
    return show_duration(sum(float(number) * UNITS_S[unit] for number, unit in _WRITTEN.findall(text)))


def show_duration(seconds: float) -> str:
    """As it is written: in the largest unit that needs no fraction."""
    ms = round(seconds * 1000)
    unit = next(unit for unit in reversed(UNITS_S) if ms % round(UNITS_S[unit] * 1000) == 0)
    return f"{ms // round(UNITS_S[unit] * 1000)}{unit}" if ms else "0s"

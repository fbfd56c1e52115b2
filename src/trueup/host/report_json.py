"""Reports as JSON and back: strict on types and sizes, for what comes in was written by someone else.

Names that aren't known are passed over, so that a newer agent can talk to an older monitor; names that are
missing take their default where they have one.
"""

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from trueup.host.report import SCHEMA, HostReport

ITEMS_MAX: Final = 20_000
TEXT_CHARS_MAX: Final = 8192
_NUMBER_MAX: Final = 2**64
_Decode = Callable[[Any, str], Any]
_Encode = Callable[[Any], Any]
_Noun = TypeVar("_Noun")


class MalformedReport(ValueError):  # noqa: N818 - it says what it is
    """Not a report. ``path`` leads to what is wrong: ``listeners[3].socket.port``."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path or 'report'}: {problem}")
        self.path = path
        self.problem = problem


def to_json(report: HostReport) -> str:
    return json.dumps(to_plain(report), separators=(",", ":"), ensure_ascii=False)


def from_json(text: str | bytes) -> HostReport:
    """Raises:
    MalformedReport: not JSON, or not a report of this schema.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedReport("", f"not JSON: {error}") from error
    return from_plain(said)


def from_plain(said: Any) -> HostReport:
    """The same of parsed JSON.

    Raises:
        MalformedReport: not a report of this schema.
    """
    if isinstance(said, dict) and said.get("schema") != SCHEMA:
        raise MalformedReport("schema", f"{said.get('schema')!r} isn't {SCHEMA}")
    report = _decoder(HostReport)(said, "")
    assert isinstance(report, HostReport)
    return report


def to_plain(report: HostReport) -> dict[str, Any]:
    """Dicts, lists and plain values; what has its default is left out."""
    plain: dict[str, Any] = _encoder(HostReport)(report)
    return plain | {"schema": report.schema}


def decoded(noun: type[_Noun], said: Any) -> _Noun:
    """A noun of this floor, or one that is made of them, from parsed JSON.

    Raises:
        MalformedReport: it isn't one.
    """
    kind: Any = noun
    found = _decoder(kind)(said, "")
    assert isinstance(found, noun)
    return found


def encoded(noun: Any) -> dict[str, Any]:
    """The opposite: dicts, lists and plain values; what has its default is left out."""
    kind: Any = type(noun)
    plain: dict[str, Any] = _encoder(kind)(noun)
    return plain


@functools.cache
def _encoder(kind: Any) -> _Encode:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        (inner,) = (one for one in arguments if one is not types.NoneType)
        encode = _encoder(inner)
        return encode if encode is _as_it_is else lambda value: None if value is None else encode(value)
    if origin is tuple:
        encode = _encoder(arguments[0])
        return list if encode is _as_it_is else lambda value: [encode(part) for part in value]
    assert isinstance(kind, type)
    if dataclasses.is_dataclass(kind):
        return functools.partial(_plain_noun, _parts(kind))
    return _plain_moment if kind is datetime else _as_it_is


def _parts(noun: type) -> tuple[tuple[str, Any, _Encode | None], ...]:
    """Name, default, and encoder where one is needed, of each field."""
    kinds: Mapping[str, Any] = typing.get_type_hints(noun)
    encoders = {field.name: _encoder(kinds[field.name]) for field in dataclasses.fields(noun)}
    return tuple(
        (field.name, field.default, None if encoders[field.name] is _as_it_is else encoders[field.name])
        for field in dataclasses.fields(noun)
    )


def _plain_noun(parts: tuple[tuple[str, Any, _Encode | None], ...], value: Any) -> dict[str, Any]:
    plain = {}
    for name, default, encode in parts:
        part = getattr(value, name)
        if part != default:
            plain[name] = part if encode is None else encode(part)
    return plain


def _plain_moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _as_it_is(value: Any) -> Any:
    return value


@functools.cache
def _decoder(kind: Any) -> _Decode:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        (inner,) = (one for one in arguments if one is not types.NoneType)
        return functools.partial(_optional, _decoder(inner))
    if origin is tuple:
        return functools.partial(_tuple, _decoder(arguments[0]))
    assert isinstance(kind, type)
    if dataclasses.is_dataclass(kind):
        return functools.partial(_noun, kind)
    if issubclass(kind, StrEnum):
        return functools.partial(_member, kind)
    return _PLAIN[kind]


def _optional(inner: _Decode, said: Any, path: str) -> Any:
    return None if said is None else inner(said, path)


def _tuple(inner: _Decode, said: Any, path: str) -> Any:
    if not isinstance(said, list):
        raise MalformedReport(path, "not a list")
    if len(said) > ITEMS_MAX:
        raise MalformedReport(path, f"more than {ITEMS_MAX} items")
    return tuple(inner(part, f"{path}[{place}]") for place, part in enumerate(said))


def _noun(noun: type, said: Any, path: str) -> Any:
    if not isinstance(said, dict):
        raise MalformedReport(path, "not an object")
    given = {}
    for name, decode, required in _fields(noun):
        if name in said:
            given[name] = decode(said[name], f"{path}.{name}" if path else name)
        elif required:
            raise MalformedReport(f"{path}.{name}" if path else name, "missing")
    return noun(**given)


@functools.cache
def _fields(noun: type) -> tuple[tuple[str, _Decode, bool], ...]:
    """Name, decoder, and whether it must be there, of each field."""
    kinds: Mapping[str, Any] = typing.get_type_hints(noun)
    return tuple(
        (field.name, _decoder(kinds[field.name]), field.default is dataclasses.MISSING)
        for field in dataclasses.fields(noun)
    )


def _member(kind: type[StrEnum], said: Any, path: str) -> StrEnum:
    try:
        return kind(said)
    except ValueError as error:
        raise MalformedReport(path, f"{str(said)[:40]!r} isn't one of {', '.join(kind)}") from error


def _text(said: Any, path: str) -> str:
    if not isinstance(said, str):
        raise MalformedReport(path, "not a text")
    if len(said) > TEXT_CHARS_MAX:
        raise MalformedReport(path, f"longer than {TEXT_CHARS_MAX} characters")
    return said


def _whole(said: Any, path: str) -> int:
    if not isinstance(said, int) or isinstance(said, bool) or not -_NUMBER_MAX < said < _NUMBER_MAX:
        raise MalformedReport(path, "not a whole number")
    return said


def _number(said: Any, path: str) -> float:
    # JSON of Python lets NaN and Infinity through.
    if not isinstance(said, int | float) or isinstance(said, bool) or not -_NUMBER_MAX < said < _NUMBER_MAX:
        raise MalformedReport(path, "not a number")
    return float(said)


def _flag(said: Any, path: str) -> bool:
    if not isinstance(said, bool):
        raise MalformedReport(path, "neither true nor false")
    return said


def _moment(said: Any, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(said, path))
        if moment.tzinfo is None:
            raise MalformedReport(path, "a time without a zone")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        if isinstance(error, MalformedReport):
            raise
        raise MalformedReport(path, "not a time") from error


_PLAIN: Final[Mapping[type, _Decode]] = {
    str: _text,
    int: _whole,
    float: _number,
    bool: _flag,
    datetime: _moment,
}

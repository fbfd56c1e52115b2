"""How a frozen dataclass is written in a configuration, as a schema for pydantic.

A field is a key without its unit: ``every_s`` is ``every`` and a duration, ``disk_bytes`` is ``disk`` and a
size, ``from_at`` is ``from`` and a time. Unknown keys are refused. A tuple may be written as its only item.
So the ``Options`` of a probe are its configuration, and nothing has to be said twice.
"""

import re
import types
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from trueup.config.texts import (
    DURATION_TEXT,
    SIZE_TEXT,
    SUBSTITUTED,
    TEXTS,
    URL_TEXT,
    WEB_URL_TEXT,
    address_text,
)
from trueup.domain.duration import show_duration
from trueup.domain.limits import AtLeast, Schemes, Url
from trueup.domain.selector import Selector
from trueup.domain.size import show_size
from trueup.domain.target import Login

_WHOLE: Final = re.compile(r"[-+]?\d{1,40}", re.ASCII)
_DECIMAL: Final = re.compile(r"[-+]?\d{1,40}(\.\d{1,40})?", re.ASCII)
_TRUTH: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@cache
def adapter(shape: Any) -> TypeAdapter[Any]:
    """What reads a dataclass from the keys of a mapping."""
    return TypeAdapter(_written(shape))


def keys_of(shape: Any) -> tuple[str, ...]:
    """The keys of a dataclass, in order."""
    hints = get_type_hints(shape, include_extras=True)
    return tuple(key_of(one, hints[one.name]) for one in fields(shape))


def key_of(one: Field[Any], annotation: Any) -> str:
    """The key of a field of that type: its name without its unit."""
    name = one.name
    for ending, kind in (("_s", float), ("_bytes", int), ("_at", datetime)):
        if name.endswith(ending) and _is_of(kind, annotation):
            return name.removesuffix(ending)
    return name.rstrip("_")


def _written_field(one: Field[Any], annotation: Any) -> Any:
    """The type of a field as it's written."""
    if one.name.endswith("_s") and _is_of(float, annotation):
        return _replaced(annotation, float, Annotated[float, DURATION_TEXT])
    if one.name.endswith("_bytes") and _is_of(int, annotation):
        return _replaced(annotation, int, Annotated[int, SIZE_TEXT])
    return _written(annotation)


def _is_of(kind: type, annotation: Any) -> bool:
    return annotation is kind or any(_is_of(kind, inner) for inner in _branches(annotation))


def _branches(annotation: Any) -> tuple[Any, ...]:
    """The types of a union, or the one that's annotated."""
    if get_origin(annotation) is Annotated:
        return get_args(annotation)[:1]
    return get_args(annotation) if get_origin(annotation) in {Union, types.UnionType} else ()


def _replaced(annotation: Any, kind: type, by: Any) -> Any:
    if annotation is kind:
        return by
    if get_origin(annotation) is Annotated:
        inner, *notes = get_args(annotation)
        return _noted(_replaced(inner, kind, by), notes)
    if not _branches(annotation):
        return annotation
    return Union[tuple(_replaced(inner, kind, by) for inner in get_args(annotation))]  # noqa: UP007 - made at run time


def _noted(annotation: Any, notes: list[Any]) -> Any:
    for note in notes:
        if isinstance(note, AtLeast):
            annotation = Annotated[annotation, _AtLeast(note.least, is_duration=_has_text(annotation))]
    return annotation


def _has_text(annotation: Any) -> bool:
    return DURATION_TEXT in getattr(annotation, "__metadata__", ())


def _written(annotation: Any) -> Any:
    """A type as it's written."""
    text = TEXTS.get(annotation) if annotation.__hash__ else None
    if text is not None:
        return Annotated[Any, text]
    if annotation is Selector:
        return Annotated[_written(tuple[str, ...]), AfterValidator(Selector)]
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, type) and is_dataclass(annotation):
        keys = Annotated[annotation, _Keys(annotation)]
        return Annotated[keys, _PasswordAlone()] if annotation is Login else keys
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return Annotated[annotation, _OneOf()]
    if origin is Annotated:
        return _annotated(inner[0], list(inner[1:]))
    if origin in {Union, types.UnionType}:
        return Union[tuple(map(_written, inner))]  # noqa: UP007 - made at run time
    if origin is tuple and inner[1:] == (...,):
        return Annotated[types.GenericAlias(tuple, (_written(inner[0]), ...)), _OneOrMany()]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return types.GenericAlias(dict, (str, _written(inner[1])))
    return annotation


def _annotated(annotation: Any, notes: list[Any]) -> Any:
    for note in notes:
        if isinstance(note, Url):
            return Annotated[annotation, WEB_URL_TEXT if note.is_web else URL_TEXT]
        if isinstance(note, Schemes):
            return Annotated[annotation, address_text(note.names)]
    return _noted(_written(annotation), notes)


@dataclass(frozen=True)
class _Keys:
    """A dataclass, from the keys of a mapping."""

    shape: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        hints = get_type_hints(source, include_extras=True)
        read = []
        for one in fields(source):
            annotation = hints[one.name]
            schema = _defaulted(one, handler.generate_schema(_written_field(one, annotation)))
            key = key_of(one, annotation)
            read.append(core_schema.dataclass_field(one.name, schema, validation_alias=key))
        arguments = core_schema.dataclass_args_schema(source.__name__, read, extra_behavior="forbid")
        names = [one.name for one in fields(source)]
        checked = hasattr(source, "__post_init__")
        return core_schema.dataclass_schema(source, arguments, names, slots=True, post_init=checked)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        written = {"additionalProperties": False, **handler(schema)}
        hints = get_type_hints(self.shape, include_extras=True)
        for one in fields(self.shape):
            key, default = key_of(one, hints[one.name]), shown_default(one)
            if default is not None:
                written["properties"][key] = {**written["properties"][key], "default": default}
        return written


def shown_default(one: Field[Any]) -> str | int | None:
    """A field's default as it's written; None where there is none that can be."""
    default = one.default
    if isinstance(default, (bool, str)):
        return default if default != "" else None
    if one.name.endswith("_s") and isinstance(default, (int, float)):
        return show_duration(default)
    if one.name.endswith("_bytes") and isinstance(default, int):
        return show_size(default)
    return default if isinstance(default, int) else None


def _defaulted(one: Field[Any], schema: CoreSchema) -> CoreSchema:
    if one.default is not MISSING:
        return core_schema.with_default_schema(schema, default=one.default)
    if one.default_factory is not MISSING:
        return core_schema.with_default_schema(schema, default_factory=one.default_factory)
    return schema


@dataclass(frozen=True)
class _AtLeast:
    """A lower bound, said in the unit in which the value is written."""

    least: float
    is_duration: bool

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._validate, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | ({} if self.is_duration else {"minimum": self.least})

    def _validate(self, value: float) -> float:
        if value >= self.least:
            return value
        least = show_duration(self.least) if self.is_duration else f"{self.least:g}"
        raise PydanticCustomError("too_little", "too little", {"least": least})


@dataclass(frozen=True)
class _OneOrMany:
    """A list, of which the only item may stand without its brackets."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_many, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        many = handler(schema)
        return {"anyOf": [many["items"], many]} if many.get("items") else many


def _many(value: Any) -> Any:
    return value if value is None or isinstance(value, (list, tuple)) else (value,)


@dataclass(frozen=True)
class _PasswordAlone:
    """A login, of which the password may stand alone."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_login, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, handler(schema)]}


def _login(value: Any) -> Any:
    return value if value is None or isinstance(value, (dict, list, Login)) else {"password": value}


def or_substituted(schema: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a value that may also come from elsewhere."""
    return {"anyOf": [schema, {"type": "string", "pattern": SUBSTITUTED}]}


@dataclass(frozen=True)
class _OneOf:
    """A word of a few."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return or_substituted(handler(schema))


@dataclass(frozen=True, eq=False)
class _Scalar:
    """A number or truth value, which is text where it came from the environment."""

    read: Callable[[Any], Any]
    json_schema: Mapping[str, Any]

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return or_substituted(dict(self.json_schema))


def _whole(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise PydanticCustomError("whole_number", "needs a whole number")


def _number(value: Any) -> float:
    if type(value) in {int, float} or (isinstance(value, str) and _DECIMAL.fullmatch(value)):
        return float(value)
    raise PydanticCustomError("number", "needs a number")


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _TRUTH:
        return _TRUTH[value.lower()]
    raise PydanticCustomError("truth", "needs true or false")


_SCALARS: Final[dict[Any, Any]] = {
    int: Annotated[int, _Scalar(_whole, {"type": "integer"})],
    float: Annotated[float, _Scalar(_number, {"type": "number"})],
    bool: Annotated[bool, _Scalar(_truth, {"type": "boolean"})],
}


def known_at(shape: Any, path: Collection[str | int]) -> list[str]:
    """The keys that a dataclass takes at a path within it."""
    at: Any = shape
    for part in path:
        at = _within(at, part)
    found = [dataclass for dataclass in _dataclasses(at) if dataclass is not None]
    return [key for one in found for key in keys_of(one)]


def _within(annotation: Any, part: str | int) -> Any:
    for one in _dataclasses(annotation):
        hints = get_type_hints(one, include_extras=True)
        for field in fields(one):
            if key_of(field, hints[field.name]) == part:
                return hints[field.name]
    origin, inner = get_origin(annotation), get_args(annotation)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return inner[1]
    if origin is tuple:
        return inner[0]
    return next((_within(branch, part) for branch in _branches(annotation)), None)


def _dataclasses(annotation: Any) -> list[Any]:
    if isinstance(annotation, type) and is_dataclass(annotation):
        return [annotation]
    return [found for branch in _branches(annotation) for found in _dataclasses(branch)]

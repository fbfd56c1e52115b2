"""Values as they come out of files that people and programs wrote."""

from collections.abc import Mapping
from typing import Any


def mapping(value: Any) -> Mapping[str, Any]:
    """Keys and values; none where it's something else."""
    return {str(key): inner for key, inner in value.items()} if isinstance(value, Mapping) else {}


def listed(value: Any) -> list[Any]:
    """A list; of one thing, a list of it; of nothing, none."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def words(value: Any) -> list[str]:
    """Words from a list, or from a text with commas."""
    parts = value.split(",") if isinstance(value, str) else listed(value)
    return [str(part).strip() for part in parts if str(part).strip()]


def whole(value: Any, otherwise: int = 0) -> int:
    """A whole number."""
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return otherwise


def scalar(text: str) -> Any:
    """A word as the JSON value it looks like."""
    import json

    try:
        value = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(value, dict | list) else value

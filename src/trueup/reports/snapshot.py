"""A snapshot's document: what a machine and its services were like at one time. Pure.

``listeners`` are those of ``trueup who`` with the ``version`` that answers; ``units`` are those that were
enabled or active; ``targets`` have their verdicts and latencies. What could not be read is in ``unreadable``.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from trueup.domain.printable import printable

SCHEMA: Final = 1
KIND: Final = "snapshot"
_SECTIONS: Final[Mapping[str, Mapping[str, type | tuple[type, ...]]]] = {
    "listeners": {"address": str, "port": int, "protocol": str},
    "units": {"name": str, "state": str, "enabled": str},
    "containers": {"name": str, "state": str},
    "certificates": {"at": str, "fingerprint": str},
    "targets": {"name": str, "state": str},
}
"""What each element of a section has at least."""

Document = Mapping[str, Any]


class SnapshotError(ValueError):
    """A file that is no snapshot, or none that this version can read."""


def read_snapshot(text: str) -> dict[str, Any]:
    """The document of a file.

    Raises:
        SnapshotError: it's no snapshot.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SnapshotError("it isn't JSON; trueup snapshot -o FILE writes one") from error
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise SnapshotError("it is no snapshot; trueup snapshot -o FILE writes one")
    if document.get("schema") != SCHEMA:
        told = printable(str(document.get("schema")), 20)
        raise SnapshotError(f"its schema is {told}, and this trueup reads {SCHEMA}; take a new one")
    for name, keys in _SECTIONS.items():
        _require(document, name, keys)
    boot, source = document.get("boot"), document.get("configuration")
    if not isinstance(boot, dict | None) or not isinstance(source, dict):
        raise SnapshotError("its boot or configuration isn't as trueup writes it; take a new one")
    return document


def _require(document: Document, name: str, keys: Mapping[str, type | tuple[type, ...]]) -> None:
    section = document.get(name)
    if not isinstance(section, list):
        raise SnapshotError(f"it has no list of {name}; take a new one")
    for place, element in enumerate(section):
        for key, kind in keys.items():
            if not isinstance(element, dict) or not isinstance(element.get(key), kind):
                raise SnapshotError(f"{name}[{place}] has no {key}; take a new one")


def by_name(section: Iterable[Document], key: str = "name") -> dict[str, Document]:
    return {str(element[key]): element for element in section}


def has_booted_between(before: Document, after: Document) -> bool:
    """Whether the machine was started in between. A container keeps the id of its host's boot, and its own
    init tells when it was started.
    """
    then, now = before.get("boot") or {}, after.get("boot") or {}
    if not then or not now:
        return False
    return bool(then.get("id") != now.get("id") or str(now.get("started_at")) > str(before.get("taken_at")))


def was_unreadable(document: Document, what: str) -> str | None:
    """Why it could not be read; None where it could."""
    gaps: Sequence[Document] = document.get("unreadable") or ()
    return next((str(gap.get("why")) for gap in gaps if str(gap.get("what")).startswith(what)), None)

"""What can be expected of a database: its role, and a query's answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from trueup.conversation import Answer, fails, ready
from trueup.domain.causes import Cause
from trueup.domain.limits import AtLeast
from trueup.domain.printable import printable
from trueup.domain.states import Layer

SHOWN_CHARS_MAX: Final = 80
_TRUE: Final = frozenset({"t", "true", "1", "on", "yes"})
_FALSE: Final = frozenset({"f", "false", "0", "off", "no"})

Row = Sequence[bytes | None]
"""A row as the text protocols carry it: each value as text, NULL as None."""


@dataclass(frozen=True, slots=True)
class SqlExpect:
    """``role``: what this server must be. ``lag_s``: how far a replica may be behind its source.

    ``rows``: how many rows the query must give. ``value``: what the first column of its first row must be.
    """

    role: Literal["primary", "replica"] | None = None
    lag_s: float | None = None
    rows: Annotated[int, AtLeast(0)] | None = None
    value: str | float | bool | None = None

    @property
    def of_query(self) -> bool:
        """Whether anything is expected of a query."""
        return self.rows is not None or self.value is not None

    @property
    def of_server(self) -> bool:
        """Whether anything is expected that takes a login to know, query or not."""
        return self.role is not None or self.lag_s is not None


def wrong_role(role: str | None, expect: SqlExpect) -> Answer | None:
    """The answer for a server that isn't what it must be; None where it is, or anything will do."""
    if expect.role is None or role == expect.role:
        return None
    if role is None:
        return fails(Cause.ERROR_ANSWER, f"it doesn't tell its role, and a {expect.role} is expected")
    cause = Cause.READ_ONLY if expect.role == "primary" else Cause.WRONG_ANSWER
    return fails(cause, f"it is a {role}, and a {expect.role} is expected", role=role)


def too_far_behind(lag_s: float | None, expect: SqlExpect) -> str | None:
    """The words for a replica that lags more than it may; None where it doesn't."""
    if expect.lag_s is None:
        return None
    if lag_s is None:
        return "a replica that doesn't say how far it is behind"
    return f"{lag_s:.1f} s behind, over {expect.lag_s:g} s" if lag_s > expect.lag_s else None


def judge_rows(rows: Sequence[Row], expect: SqlExpect) -> Answer:
    """The function layer's answer for a query that was answered."""
    count = f"{len(rows)} row{'' if len(rows) == 1 else 's'}"
    if expect.rows is not None and len(rows) != expect.rows:
        return _wrong(f"the query gives {count}, and {expect.rows} are expected", rows=len(rows))
    if expect.value is not None:
        if not rows or not rows[0]:
            return _wrong(f"the query gives no row, and {expect.value!r} is expected", rows=0)
        seen = rows[0][0]
        if not same(seen, expect.value):
            shown = "NULL" if seen is None else repr(printable(seen, SHOWN_CHARS_MAX))
            return _wrong(f"the query gives {shown}, and {expect.value!r} is expected", rows=len(rows))
    return ready(f"the query gives {count}", layer=Layer.FUNCTION, rows=len(rows))


def _wrong(detail: str, *, rows: int) -> Answer:
    return fails(Cause.WRONG_ANSWER, detail, layer=Layer.FUNCTION, rows=rows)


def same(seen: bytes | None, expected: str | float | bool) -> bool:
    """Whether a value in text is the expected one: numbers by value, booleans in each way they're written."""
    if seen is None:
        return False
    text = seen.decode("utf-8", "replace")
    if isinstance(expected, bool):
        return text.lower() in (_TRUE if expected else _FALSE)
    if isinstance(expected, str):
        return text == expected
    try:
        return float(text) == expected
    except ValueError:
        return False


def layer_for(cause: Cause) -> Layer:
    """Where a cause met in a query belongs: to the function, unless it speaks of the whole service."""
    return Layer.FUNCTION if Layer.FUNCTION in cause.layers else Layer.SERVICE

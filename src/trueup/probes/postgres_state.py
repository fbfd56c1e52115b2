"""What a PostgreSQL session can say of its server: role, replication, room.

https://www.postgresql.org/docs/current/functions-admin.html (recovery information functions),
https://www.postgresql.org/docs/current/monitoring-stats.html
"""

from collections.abc import Generator
from typing import Any, Final

from trueup.conversation import Answer, Ask, Closed, Step, fails, ready
from trueup.domain.causes import Cause
from trueup.probes.pgwire import Message, ServerError, Through, error_in, parse, query, rows_of
from trueup.probes.room import short_of
from trueup.probes.sql_expect import SqlExpect, too_far_behind, wrong_role

STATE: Final = """select pg_is_in_recovery(), current_setting('transaction_read_only'),
 (select count(*) from pg_stat_activity where backend_type = 'client backend'),
 current_setting('max_connections'),
 current_setting('superuser_reserved_connections')::int
  + coalesce(nullif(current_setting('reserved_connections', true), ''), '0')::int"""
"""Connections are counted because a superuser gets in where nobody else does: into those kept for him."""

STANDBY: Final = """select (select count(*) from pg_stat_wal_receiver),
 pg_last_wal_receive_lsn() is not null,
 (select setting <> '' from pg_settings where name = 'primary_conninfo'),
 case when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
  else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) end"""
"""``primary_conninfo`` itself holds a password, and shows only to those who may read all settings."""

READ_ONLY_BY: Final = "select source from pg_settings where name = 'default_transaction_read_only'"
OWN_SETTINGS: Final = frozenset({b"user", b"database user", b"client", b"session"})
"""Sources of a setting that hold for this user alone."""

UNKNOWN_HERE: Final = ("42", "0A", "3F")
"""Classes of errors by which a server says that it has no such view or function: not every server that
speaks the protocol is PostgreSQL 10 or later."""


def ask(statement: str) -> Generator[Step, bytes, list[Message]]:
    """The messages that answer a simple query; an error that ends the session is one of them."""
    try:
        return parse((yield Ask(query(statement), Through(b"Z"))))
    except Closed as closed:
        messages = parse(closed.received)
        if error_in(messages) is None:
            raise
        return messages


def read_state(expect: SqlExpect, facts: dict[str, Any]) -> Generator[Step, bytes, Answer | ServerError]:
    """The service layer's answer, or the error that came instead of one. ``facts`` go into it."""
    said = yield from ask(STATE)
    if (error := error_in(said)) is not None:
        if not error.sqlstate.startswith(UNKNOWN_HERE):
            return error
        return wrong_role(None, expect) or ready("lets us in", **facts)
    recovering, read_only, used, most, reserved = _first(said, 5)
    if recovering not in (b"t", b"f"):
        return wrong_role(None, expect) or ready("lets us in", **facts)
    facts |= {
        "role": "replica" if recovering == b"t" else "primary",
        "connections": _number(used),
        "connections_max": _number(most),
    }
    if (wrong := wrong_role(facts["role"], expect)) is not None:
        return fails(wrong.cause or Cause.WRONG_ANSWER, wrong.detail, **facts)
    ordinary = _number(most) - _number(reserved)
    if _number(used) > ordinary:
        return fails(
            Cause.OVERLOADED,
            f"no room for ordinary clients: {_number(used)} connections, {ordinary} allowed to them",
            **facts,
        )
    if recovering == b"t":
        answer = yield from _read_standby(expect, facts)
    elif read_only == b"on":
        answer = yield from _read_why_read_only(facts)
    else:
        answer = ready("lets us in, primary", **facts)
    if isinstance(answer, ServerError) or answer.cause is not None:
        return answer
    others = _number(used) - 1  # we are one of them
    return short_of("connections", others, ordinary, facts, limit="max_connections") or answer


def _read_standby(expect: SqlExpect, facts: dict[str, Any]) -> Generator[Step, bytes, Answer | ServerError]:
    """A standby that streams has a receiver. One that only replays an archive has none and needs none:
    it's told by never having streamed and having no source configured.
    """
    said = yield from ask(STANDBY)
    if (error := error_in(said)) is not None:
        return error
    receivers, has_streamed, has_source, lag = _first(said, 4)
    lag_s = _seconds(lag)
    facts |= {"receiver": receivers != b"0"} | ({"lag_s": lag_s} if lag_s is not None else {})
    if receivers == b"0" and b"t" in (has_streamed, has_source):
        return fails(Cause.REPLICATION, "a replica without its primary: it receives nothing", **facts)
    behind = too_far_behind(lag_s, expect)
    if behind is not None:
        return fails(Cause.REPLICATION, behind, **facts)
    return ready("lets us in, replica", **facts)


def _read_why_read_only(facts: dict[str, Any]) -> Generator[Step, bytes, Answer | ServerError]:
    """A user made for monitoring is often made read-only himself: that says nothing of the server."""
    said = yield from ask(READ_ONLY_BY)
    if (error := error_in(said)) is not None:
        return error
    if _first(said, 1)[0] in OWN_SETTINGS:
        return ready("lets us in, primary", **facts)
    return fails(
        Cause.READ_ONLY, "a primary that refuses to write: default_transaction_read_only is on", **facts
    )


def _first(messages: list[Message], columns: int) -> list[bytes | None]:
    """The first row, filled up with NULL where a server gives fewer columns than asked."""
    rows = rows_of(messages)
    row = list(rows[0]) if rows else []
    return [*row, *[None] * (columns - len(row))][:columns]


def _seconds(text: bytes | None) -> float | None:
    """As seconds with milliseconds; None for what is no number."""
    try:
        return None if text is None else round(float(text), 3)
    except ValueError:
        return None


def _number(text: bytes | None) -> int:
    """As a whole number; 0 for what is none."""
    return int(text) if text and text.isdigit() and len(text) < 19 else 0

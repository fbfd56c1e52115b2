"""A row of our own in PostgreSQL: written, read back and deleted."""

from collections.abc import Generator
from typing import Final

from trueup.conversation import Answer, Nonce, Step
from trueup.probes.pgwire import ServerError, error_in, rows_of
from trueup.probes.postgres_state import ask
from trueup.probes.sql_function import COLUMN, TABLE, judge_read

IS_THERE: Final = f"set statement_timeout = '60s'; select to_regclass('{TABLE}') is not null"
"""The time limit is the session's: a server doesn't notice that we have gone before it has finished."""

MAKE: Final = f"create table if not exists {TABLE} ({COLUMN} text)"
MADE_MEANWHILE: Final = frozenset({"42P07", "23505"})
"""What another look's table says to ours (duplicate_table, unique_violation in the catalogue)."""


def round_trip(*, in_transaction: bool) -> Generator[Step, bytes, Answer | ServerError]:
    """The function layer's answer, or the error that came instead of one.

    ``in_transaction``: one is open, and is ended first. Where there is none, to end it is worth a line in
    the server's log.
    """
    said = yield from ask(f"rollback; {IS_THERE}" if in_transaction else IS_THERE)
    if (error := error_in(said)) is not None:
        return error
    if rows_of(said) != [[b"t"]]:
        error = error_in((yield from ask(MAKE)))
        if error is not None and error.sqlstate not in MADE_MEANWHILE:
            return error
    token = (yield Nonce(8)).hex()
    said = yield from ask(_statement(token))
    if (error := error_in(said)) is not None:
        return error
    rows = rows_of(said)
    return judge_read(rows[0][0] if rows and rows[0] else None, token.encode())


def _statement(token: str) -> str:
    """All in one transaction, even where this user's are read-only; it's undone where any part fails."""
    row = f"from {TABLE} where {COLUMN} = '{token}'"
    insert = f"insert into {TABLE} ({COLUMN}) values ('{token}')"  # noqa: S608 - our own words, all of them
    return f"begin read write; {insert}; select {COLUMN} {row}; delete {row}; commit"

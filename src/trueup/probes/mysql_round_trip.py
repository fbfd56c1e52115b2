"""A row of our own in MySQL or MariaDB: written, read back and deleted."""

from collections.abc import Generator
from typing import Final

from trueup.conversation import Answer, Nonce, Step
from trueup.probes.mysql_state import ask
from trueup.probes.mysqlwire import Result, ServerError
from trueup.probes.sql_function import COLUMN, TABLE, judge_read

TIME_LIMITS: Final = "set session lock_wait_timeout = 60, innodb_lock_wait_timeout = 60"
"""How long a write may wait for others' locks: by default a day, and the server doesn't notice that we've
gone."""

READ_WRITE: Final = "set session transaction read write"
"""A query before us, or this user's own setting, may have made it read-only."""

IS_THERE: Final = (
    "select 1 from information_schema.tables where table_schema = database() and table_name = 'trueup_probe'"
)
MAKE: Final = f"create table if not exists {TABLE} ({COLUMN} varchar(32) primary key)"


def round_trip() -> Generator[Step, bytes, Answer | ServerError]:
    """The function layer's answer, or the error that came instead of one."""
    yield from ask(TIME_LIMITS)  # a server that knows no such thing says so: let it
    yield from ask(READ_WRITE)
    found = yield from ask(IS_THERE)
    if isinstance(found, Result) and not found.rows:
        found = yield from ask(MAKE)
    if isinstance(found, ServerError):
        return found
    token = (yield Nonce(8)).hex()
    read: bytes | None = None
    for statement in _statements(token):
        found = yield from ask(statement)
        if isinstance(found, ServerError):
            return found
        if found.rows and found.rows[0]:
            read = found.rows[0][0]
    return judge_read(read, token.encode())


def _statements(token: str) -> tuple[str, ...]:
    """All in one transaction, which the server undoes where we go in the middle of it."""
    row = f"from {TABLE} where {COLUMN} = '{token}'"
    insert = f"insert into {TABLE} ({COLUMN}) values ('{token}')"  # noqa: S608 - our own words, all of them
    return "start transaction", insert, f"select {COLUMN} {row}", f"delete {row}", "commit"

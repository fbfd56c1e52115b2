"""One database, SQLite's or PostgreSQL's, opened the same way by everyone who keeps something in it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from trueup.domain.address import Address, unquote
from trueup.store.failpoint import failpoint
from trueup.store.failure import Reason, StoreFailed, failing

BUSY_TIMEOUT_S: Final = 5
CONNECT_TIMEOUT_S: Final = 5
ANSWER_TIMEOUT_S: Final = 30.0
"""A PostgreSQL that says nothing for so long is taken for gone."""
SCHEMA: Final = "trueup"
"""The schema of trueup's tables in a PostgreSQL database."""
_HOLD: Final = 0x7472756576
"""The key of the advisory lock that a running monitor holds."""
_WRITES: Final = "trueup_writes"
_NO_DRIVER: Final = 'PostgreSQL needs a driver: pip install "trueup[postgres]"'


class Database:
    """Used from any thread; whoever opens it closes it."""

    def __init__(self, engine: Engine, path: Path | None = None) -> None:
        """``path`` is SQLite's file; None for PostgreSQL."""
        self._engine = engine
        self._held: Connection | None = None
        self.path = path

    @property
    def is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    @property
    def placeholder(self) -> str:
        """How the driver's own SQL names a parameter."""
        return "?" if self.is_sqlite else "%s"

    def close(self) -> None:
        """Close every connection."""
        if self._held is not None:
            with suppress(SQLAlchemyError):
                self._held.close()
            self._held = None
        self._engine.dispose()

    def become(self, other: "Database") -> None:
        """Be ``other`` from now on, for all who use this one; ``other`` itself isn't used any more."""
        self.close()
        self._engine, self._held, self.path = other._engine, other._held, other.path  # noqa: SLF001 - its like

    def hold(self) -> None:
        """Keep a PostgreSQL database from other monitors, until it's closed or the server restarts.

        Raises:
            StoreFailed: ``LOCKED`` where another monitor holds it; or it can't be reached.
        """
        with failing():
            connection = self._engine.connect()
            is_ours = connection.exec_driver_sql(f"select pg_try_advisory_lock({_HOLD})").scalar_one()
            connection.commit()
            if not is_ours:
                connection.close()
                raise StoreFailed(Reason.LOCKED, "another trueup runs on this database")
            self._held = connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One moment of the database, whatever others write meanwhile.

        Raises:
            StoreFailed: it can't be read.
        """
        with failing(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is stored, or on an exception nothing.

        Raises:
            StoreFailed: nothing of it was stored; ``DAMAGED`` also where SQLite's file is gone, for what is
                written into a file without a name is lost.
        """
        if self.path is not None and not self.path.exists():
            raise StoreFailed(Reason.DAMAGED, f"{self.path} is gone")
        with failing(), self._engine.connect() as opened:
            connection = opened.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    def give_back(self, pages: int) -> None:
        """Return so many free pages of SQLite's file to the file system.

        Raises:
            StoreFailed: it can't be done now.
        """
        with failing(), self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            connection.rollback()
            driver.executescript(f"pragma incremental_vacuum({pages})")  # ``execute`` would free one page

    def checkpoint(self) -> None:
        """Bring what SQLite's journal has into its file, and begin the journal anew where nobody reads it.

        SQLite does the first by itself every thousand pages, within somebody's transaction; the second it
        never does while it's used.

        Raises:
            StoreFailed: it can't be done now.
        """
        if not self.is_sqlite:
            return
        with failing(), self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("pragma wal_checkpoint(passive)")
            failpoint("in-checkpoint")
            driver.execute("pragma busy_timeout = 0")  # who reads, as a backup does, isn't waited for
            try:
                driver.execute("pragma wal_checkpoint(truncate)")
            finally:
                driver.execute(f"pragma busy_timeout = {BUSY_TIMEOUT_S * 1000}")

    def take_any_time(self, connection: Connection) -> None:
        """What is done on this connection may last: PostgreSQL is waited for, however long."""
        if not self.is_sqlite:
            driver: Any = connection.connection.driver_connection
            driver.patience_s = None
            connection.detach()  # it's of no use to others after that

    def upsert(self, table: Table) -> Any:
        """Insert a row, or put it in the place of the one that has its key."""
        insert = sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)
        keys = [column.name for column in table.primary_key]
        rest = {
            column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys
        }
        return insert.on_conflict_do_update(index_elements=keys, set_=rest)

    def insert_new(self, table: Table) -> Any:
        """Insert a row, or leave the one that's there already."""
        insert = sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)
        return insert.on_conflict_do_nothing()


def make_file(path: Path) -> None:
    """The file and its folder, where they aren't there yet, for nobody else to read.

    Raises:
        StoreFailed: they can't be made.
    """
    with failing():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC, 0o600))


def sqlite_database(path: Path, *, durable: bool) -> Database:
    """The file at ``path``; it and its folder are made if need be, for nobody else to read.

    ``durable``: what is stored survives the loss of power as well, at the price of a flush for each
    transaction. Otherwise the last ones may be lost with the power, and never with the process.

    Raises:
        StoreFailed: the folder or the file can't be made.
    """
    make_file(path)
    engine = create_engine(URL.create("sqlite", database=str(path)))
    level = "full" if durable else "normal"
    pragmas = (
        f"busy_timeout = {BUSY_TIMEOUT_S * 1000}",
        "auto_vacuum = incremental",  # before the first table, or never
        "journal_mode = wal",
        f"synchronous = {level}",
        "foreign_keys = on",
        "journal_size_limit = 67108864",
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not guessed by the driver
        for pragma in pragmas:
            connection.execute(f"pragma {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("begin immediate" if writes else "begin")

    return Database(engine, path)


def postgres_database(address: Address, *, durable: bool) -> Database:
    """The database at ``address``; trueup's tables are in a schema of their own, which is made if need be.

    ``durable`` as for SQLite. A setting in the address's query, such as ``sslmode=verify-full``, goes to
    libpq.

    Raises:
        StoreFailed: the driver is not installed, or the server can't be reached or refuses.
    """
    path, _, query = address.path.removeprefix("/").partition("?")
    settings = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
    url = URL.create(
        "postgresql+psycopg",
        username=address.user or "postgres",
        password=address.password.reveal() if address.password else None,
        host=address.socket_path or address.host,
        port=address.port,
        database=unquote(path) or None,
        query={name: unquote(value) for name, value in settings.items()},
    )
    try:
        engine = create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_TIMEOUT_S})
    except ModuleNotFoundError as error:
        raise StoreFailed(Reason.GONE, _NO_DRIVER) from error
    from trueup.store.patience import PatientConnection

    level = "on" if durable else "off"

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, args: Any, settings: Any) -> PatientConnection:
        return PatientConnection.connect(*args, **settings)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.patience_s = ANSWER_TIMEOUT_S
        with connection.cursor() as cursor:
            cursor.execute(f"set search_path to {SCHEMA}")
            cursor.execute(f"set synchronous_commit to {level}")
            cursor.execute(f"set lock_timeout to '{BUSY_TIMEOUT_S}s'")
        connection.commit()

    return Database(engine)

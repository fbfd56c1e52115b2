"""The stores of a monitor, opened together."""

import logging
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from trueup.domain.monitor_settings import Store
from trueup.store.agents import Agents
from trueup.store.backups import daily_backups
from trueup.store.damage import damage_of, mend_history, mend_state
from trueup.store.database import Database, postgres_database, sqlite_database
from trueup.store.failure import Reason, StoreFailed
from trueup.store.folder import (
    HISTORY_FILE,
    STATE_FILE,
    Hold,
    give_up_reserve,
    keep_reserve,
    network_file_system,
)
from trueup.store.history import HistoryStore
from trueup.store.migrations import Kind, migrate
from trueup.store.state import StateStore
from trueup.store.tokens import Tokens
from trueup.store.users import Users

_LOG: Final = logging.getLogger("trueup")


@dataclass(frozen=True, slots=True)
class StandIn:
    """The folder ``place`` of memory, with a state that had the ``digest`` when it was taken along."""

    place: Path
    digest: str


@dataclass(slots=True)
class Stores:
    """``state`` and ``history`` are used from one thread at a time each, the others from any."""

    state: StateStore
    history: HistoryStore
    tokens: Tokens
    users: Users
    agents: Agents
    databases: tuple[Database, Database]
    hold: Hold
    mending: threading.Lock = field(default_factory=threading.Lock)
    stand_in: StandIn | None = None
    """Where they are in memory, because the folder can't be written."""

    def close(self) -> None:
        """Close them all, and let others have the folder."""
        for database in self.databases:
            database.close()
        self.hold.release()

    def become(self, other: "Stores") -> None:
        """Be where ``other`` is from now on, for all who use these; ``other`` itself isn't used any more.

        Nobody else may use state or history meanwhile.
        """
        for ours, theirs in zip(self.databases, other.databases, strict=True):
            ours.become(theirs)
        self.history.forget_numbers()
        self.hold.release()
        self.hold, self.stand_in = other.hold, other.stand_in

    def mend(self, now: datetime) -> bool:
        """Look for damage as at the start, and begin anew where there is; whether there was any.

        For when a store has failed as damaged, while nobody else uses it. What was known since the state's
        backup is then to be recorded again.

        Raises:
            StoreFailed: it can't be mended.
        """
        mended = False
        for database, mend, kind in zip(self.databases, (mend_state, mend_history), _KINDS, strict=True):
            with self.mending:
                path = database.path
                is_gone = path is not None and not path.exists()
                if path is not None and (is_gone or damage_of(path) is not None):
                    database.close()
                    mend(path, now, is_gone=is_gone)
                    migrate(database, kind)
                    self.history.forget_numbers()
                    mended = True
        return mended


_KINDS: Final[tuple[Kind, Kind]] = ("state", "history")


def open_state(data: Path, store: Store) -> Database:
    """The state alone, for a command that works beside a running monitor. Whoever opens it closes it.

    Raises:
        StoreFailed: it can't be opened.
    """
    if store.address is None:
        return _migrated(sqlite_database(data / STATE_FILE, durable=True), "state")
    return _migrated(postgres_database(store.address, durable=True), "state")


def open_stores(data: Path, store: Store, now: datetime | None = None) -> Stores:
    """The stores in the folder ``data``, or in the database that ``store`` names, brought to the present
    version, for one monitor at a time. Damaged files are set aside and named after ``now``, which is the
    present unless given. Whoever opens them closes them.

    Raises:
        StoreFailed: they can't be opened; ``LOCKED`` where another monitor holds the folder or the database.
    """
    now = now or datetime.now(UTC)
    hold = Hold(data)
    try:
        try:
            state, history = _opened(data, store, now)
        except StoreFailed as failed:
            if failed.reason is not Reason.FULL or not give_up_reserve(data):
                raise
            _LOG.critical("the disk of %s is full: the reserve is given up to start with", data)
            state, history = _opened(data, store, now)
    except BaseException:
        hold.release()
        raise
    if store.address is None:
        keep_reserve(data)
    return Stores(
        state=StateStore(state),
        history=HistoryStore(history),
        tokens=Tokens(state),
        users=Users(state),
        agents=Agents(state),
        databases=(state, history),
        hold=hold,
    )


def _opened(data: Path, store: Store, now: datetime) -> tuple[Database, Database]:
    """State and history."""
    if store.address is None:
        _warn_of_network(data)
        _warn_of_loss(data)
        mend_state(data / STATE_FILE, now)
        mend_history(data / HISTORY_FILE, now)
    state = open_state(data, store)
    try:
        if store.address is not None:
            state.hold()
        return state, _open_history(data, store)
    except BaseException:
        state.close()
        raise


def _open_history(data: Path, store: Store) -> Database:
    if store.address is None:
        return _migrated(sqlite_database(data / HISTORY_FILE, durable=False), "history")
    return _migrated(postgres_database(store.address, durable=False), "history")


def _migrated(database: Database, kind: Kind) -> Database:
    try:
        migrate(database, kind)
    except BaseException:
        database.close()
        raise
    return database


def _warn_of_loss(data: Path) -> None:
    backups = daily_backups(data)
    if backups and not (data / STATE_FILE).exists():
        _LOG.critical(
            "%s isn't there, and begins anew; it has backups: trueup restore %s",
            data / STATE_FILE,
            backups[0],
        )


def _warn_of_network(data: Path) -> None:
    found = network_file_system(data)
    if found is not None:
        _LOG.warning(
            "%s is on a file system of the network (%s): SQLite may lose data there; use a local folder, or"
            " PostgreSQL",
            data,
            found,
        )

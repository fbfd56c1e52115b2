"""The tables that migrations make are those that queries name, on both back ends."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import inspect

from trueup.domain.monitor_settings import Store
from trueup.store.failure import Reason, StoreFailed
from trueup.store.folder import STATE_FILE
from trueup.store.opening import Stores, open_stores
from trueup.store.tables import HISTORY, STATE

OF_0_1 = """
create table verdict (target text primary key, state text not null, since text not null,
    observed_at text not null, document text not null) without rowid;
create table token (id text primary key, scope text not null, hash text not null unique,
    created_at text not null, used_at text, revoked_at text) without rowid;
insert into verdict values ('shop-db', 'down', '2026-11-21T10:00:00.000Z', '2026-11-21T10:01:00.000Z', '{}');
insert into token values ('1f2e', 'read', 'hash', '2026-11-21T10:00:00.000Z', null, null);
"""


def test_every_table_and_column_is_there_and_no_other(stores: Stores) -> None:
    for database, tables in zip(stores.databases, (STATE, HISTORY), strict=True):
        with database.reading() as connection:
            seen = inspect(connection)
            schema = None if database.is_sqlite else "trueup"
            made = {name: {one["name"] for one in seen.get_columns(name, schema)} for name in tables.tables}
            assert made == {name: set(table.columns.keys()) for name, table in tables.tables.items()}


def test_a_state_of_0_1_is_brought_up(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / STATE_FILE)
    db.executescript(OF_0_1)
    db.close()
    stores = open_stores(tmp_path, Store())
    (kept,) = stores.state.load().kept.values()
    assert (kept.target, kept.state, kept.memory) == ("shop-db", "down", "{}")
    assert [token.id for token in stores.tokens.all()] == ["1f2e"]
    stores.close()


def test_one_of_a_newer_trueup_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    open_stores(tmp_path, Store()).close()
    db = sqlite3.connect(tmp_path / STATE_FILE)
    db.execute("update schema_version set version = 99")
    db.commit()
    with pytest.raises(StoreFailed, match="a newer version of trueup") as refused:
        open_stores(tmp_path, Store())
    assert refused.value.reason is Reason.NEWER
    assert db.execute("select version from schema_version").fetchall() == [(99,)]
    db.close()

"""The database of Uptime Kuma 1.x and 2.x, opened for reading alone."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from trueup.importers.importer import Malformed
from trueup.importers.kuma_backup import notification
from trueup.importers.kuma_document import Document, Page

MAGIC: Final = b"SQLite format 3\0"
_NAMES: Final = {
    # Columns of the table whose names differ from the backup's in more than their spelling.
    "accepted_statuscodes_json": "accepted_statuscodes",
    "database_connection_string": "databaseConnectionString",
    "proxy_id": "proxyId",
}
_AS_THEY_ARE: Final = frozenset(
    {
        "basic_auth_user", "basic_auth_pass", "dns_resolve_type", "dns_resolve_server", "docker_container",
        "docker_host", "oauth_client_id", "oauth_client_secret", "oauth_token_url", "oauth_scopes",
        "oauth_auth_method", "system_service_name",
    }
)  # fmt: skip


def read_database(path: Path) -> Document:
    """The document in a database.

    Raises:
        Malformed: it isn't Uptime Kuma's, or is damaged.
    """
    hint = "stop Uptime Kuma and copy kuma.db with its -wal file"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            tables = {
                row["name"] for row in db.execute("select name from sqlite_master where type = 'table'")
            }
            if not {"monitor", "notification"} <= tables:
                raise Malformed(path, 1, "it has no monitors, so it's no kuma.db", "is it the right file?")
            return _Reader(db, tables).document()
    except sqlite3.Error as error:
        raise Malformed(path, 1, f"SQLite can't read it: {error}", hint) from None


class _Reader:
    """Reads what there is: tables come with versions."""

    def __init__(self, db: sqlite3.Connection, tables: set[str]) -> None:
        self._db = db
        self._tables = tables

    def document(self) -> Document:
        return Document(
            monitors=list(self._monitors()),
            notifications=[notification(row) for row in self._rows("notification")],
            maintenance=list(self._maintenance()),
            pages=list(self._pages()),
            proxies={str(row["id"]): row for row in self._rows("proxy")},
            timezone=self._timezone(),
        )

    def _rows(self, table: str, order: str = "id") -> list[dict[str, Any]]:
        if table not in self._tables:
            return []
        found = self._db.execute(f'select * from "{table}" order by {order}')  # noqa: S608 - names of ours
        return [dict(row) for row in found]

    def _ids(self, table: str, key: str, value: str) -> dict[str, list[str]]:
        """Ids by another id, from a table that joins the two."""
        found: dict[str, list[str]] = {}
        for row in self._rows(table):
            found.setdefault(str(row[key]), []).append(str(row[value]))
        return found

    def _monitors(self) -> Iterator[Mapping[str, Any]]:
        told = self._ids("monitor_notification", "monitor_id", "notification_id")
        tags = {str(row["id"]): row["name"] for row in self._rows("tag")}
        tagged: dict[str, list[dict[str, Any]]] = {}
        for row in self._rows("monitor_tag"):
            tag = {"name": tags.get(str(row["tag_id"])), "value": row.get("value")}
            tagged.setdefault(str(row["monitor_id"]), []).append(tag)
        for row in self._rows("monitor"):
            monitor = {_named(column): value for column, value in row.items()}
            known = str(row["id"])
            monitor["accepted_statuscodes"] = _json(row.get("accepted_statuscodes_json"), ["200-299"])
            monitor["notificationIDList"] = dict.fromkeys(told.get(known, ()), True)
            monitor["tags"] = tagged.get(known, [])
            yield monitor

    def _maintenance(self) -> Iterator[Mapping[str, Any]]:
        meant = self._ids("monitor_maintenance", "maintenance_id", "monitor_id")
        for row in self._rows("maintenance"):
            yield {**row, "monitors": meant.get(str(row["id"]), [])}

    def _pages(self) -> Iterator[Page]:
        members: dict[str, list[str]] = {}
        for row in self._rows("monitor_group", "weight, id"):
            members.setdefault(str(row["group_id"]), []).append(str(row["monitor_id"]))
        groups = self._rows("group", "weight, id")
        for page in self._rows("status_page"):
            if page.get("published", True):
                mine = [group for group in groups if group.get("status_page_id") == page["id"]]
                yield Page(
                    str(page["title"]), {str(one["name"]): members.get(str(one["id"]), []) for one in mine}
                )

    def _timezone(self) -> str:
        for row in self._rows("setting"):
            if row["key"] == "serverTimezone":
                return str(_json(row["value"], row["value"]) or "UTC")
        return "UTC"


def _named(column: str) -> str:
    """The name that a column has in the backup: most are in camel case there."""
    if column in _NAMES:
        return _NAMES[column]
    if column in _AS_THEY_ARE:
        return column
    first, *rest = column.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _json(text: Any, otherwise: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return otherwise

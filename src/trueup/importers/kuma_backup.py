"""The backup of Uptime Kuma 1.x: ``{version, notificationList, proxyList, monitorList}``."""

import json
from pathlib import Path
from typing import Any

from trueup.importers.importer import Malformed, text_of
from trueup.importers.kuma_document import Document, Notification
from trueup.importers.lenient import listed, mapping


def read_backup(path: Path) -> Document:
    """The document in a backup.

    Raises:
        Malformed: it isn't one.
    """
    text = text_of(path)
    try:
        backup = json.loads(text)
    except json.JSONDecodeError as error:
        hint = "name a backup of Uptime Kuma 1.x, or the kuma.db of 1.x or 2.x"
        raise Malformed(path, error.lineno, f"it isn't JSON: {error.msg}", hint) from None
    except RecursionError:
        raise Malformed(path, 1, "it is nested too deeply", "is it the right file?") from None
    if not isinstance(backup, dict) or not isinstance(backup.get("monitorList"), list):
        hint = "make it in Settings, Backup of Uptime Kuma 1.x; of 2.x name its kuma.db"
        raise Malformed(path, 1, "it has no monitorList, so it's no backup", hint)
    return Document(
        monitors=[mapping(one) for one in backup["monitorList"] if isinstance(one, dict)],
        notifications=[notification(mapping(one)) for one in listed(backup.get("notificationList"))],
        proxies={str(mapping(one).get("id")): mapping(one) for one in listed(backup.get("proxyList"))},
    )


def notification(row: Any) -> Notification:
    """A notification of a backup or of the table; its ``config`` is JSON in a text."""
    config = row.get("config")
    if isinstance(config, str):
        try:
            config = json.loads(config)
        except ValueError:
            config = {}
    name = str(row.get("name") or mapping(config).get("name") or "notification")
    return Notification(str(row.get("id")), name, bool(row.get("active", True)), mapping(config))

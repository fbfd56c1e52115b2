"""Uptime Kuma: a backup of 1.x (JSON) or the database of 1.x and 2.x (``kuma.db``)."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from trueup.host.paths import is_folder
from trueup.importers.carried import Carried
from trueup.importers.importer import Importer
from trueup.importers.kuma_backup import read_backup
from trueup.importers.kuma_channels import carry_channel
from trueup.importers.kuma_database import MAGIC, read_database
from trueup.importers.kuma_document import Document, Notification
from trueup.importers.kuma_monitors import Monitors
from trueup.importers.kuma_plans import carry_maintenance

_MANY_PAGES: Final = "trueup has one status page: the groups of all published pages are on it"


def read(files: Sequence[Path], _env: Mapping[str, str]) -> Carried:
    """All that the files hold.

    Raises:
        Malformed: one isn't of Uptime Kuma.
    """
    carried = Carried("kuma")
    for path in files:
        _carry(carried, _document(path / "kuma.db" if is_folder(path) else path))
    return carried


def _document(path: Path) -> Document:
    try:
        with path.open("rb") as file:
            begins = file.read(len(MAGIC))
    except OSError:
        begins = b""  # said by the reader of the other kind
    return read_database(path) if begins == MAGIC else read_backup(path)


def _carry(carried: Carried, document: Document) -> None:
    channels: dict[str, str] = {}
    for one in document.notifications:
        carried.attempt(f'notification "{one.name}"', partial(_carry_notification, carried, one, channels))
    Monitors(carried, document, channels).carry()
    for plan in document.maintenance:
        carry_maintenance(carried, plan, document.timezone)
    if len({page.title for page in document.pages}) > 1:
        carried.note(_MANY_PAGES)
    for page in document.pages:
        carried.title = carried.title or page.title
        for title, keys in page.groups.items():
            carried.groups.setdefault(title, []).extend(keys)


def _carry_notification(carried: Carried, one: Notification, channels: dict[str, str]) -> None:
    name = carry_channel(carried, one.name, one.config)
    if name is not None and one.active:
        channels[one.id] = name


IMPORTER = Importer("kuma", "Uptime Kuma", "a backup of 1.x (JSON), or kuma.db", read)

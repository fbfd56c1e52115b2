"""Reads the configuration of an nginx that runs here, as its process was told to find it."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from trueup.discovery.found import Door
from trueup.discovery.nginx_sites import Site, sites_of
from trueup.host.files import read_text
from trueup.host.unreadable import HostUnreadable, Unreadable

_DEFAULT: Final = "/etc/nginx/nginx.conf"
_FILES_MAX: Final = 2000
_FILE_BYTES_MAX: Final = 1 << 20


def read_sites(doors: Sequence[Door]) -> tuple[dict[Door, tuple[Site, ...]], list[Unreadable]]:
    """The sites of each door that an nginx holds, and which configurations could not be read."""
    known: dict[tuple[str, str], tuple[Site, ...]] = {}
    gaps: list[Unreadable] = []
    sites: dict[Door, tuple[Site, ...]] = {}
    for door in doors:
        if door.holder is None or door.holder.process != "nginx":
            continue
        key = _root(door), configuration_path(door.holder.command)
        if key not in known:
            try:
                known[key] = _Files(*key).read()
            except HostUnreadable as error:
                known[key] = ()
                gaps.append(Unreadable.of(error))
        sites[door] = known[key]
    return sites, gaps


def configuration_path(command: Sequence[str]) -> str:
    """From the title that a master gives itself: ``nginx: master process /usr/sbin/nginx -c FILE -p DIR``."""
    words = " ".join(command).split()
    told = {word: words[place + 1] for place, word in enumerate(words[:-1]) if word in ("-c", "-p")}
    prefix = told.get("-p", "/etc/nginx")
    return os.path.join(prefix, told.get("-c", _DEFAULT))  # noqa: PTH118 - a path is text on this floor and below


def _root(door: Door) -> str:
    """Where the file tree of its process begins: that of a container is another."""
    assert door.holder is not None
    if door.holder.container is not None and door.holder.pids:
        return f"/proc/{min(door.holder.pids)}/root"
    return ""


class _Files:
    def __init__(self, root: str, path: str) -> None:
        self._root = root
        self._path = path
        self._folder = str(Path(path).parent)
        self._read = 0

    def read(self) -> tuple[Site, ...]:
        """Raises: HostUnreadable: its main file can't be read; an included one is left out."""
        return sites_of(read_text(self._root + self._path, _FILE_BYTES_MAX), self._include)

    def _include(self, pattern: str) -> list[str]:
        full = os.path.join(self._folder, pattern)  # noqa: PTH118 - as above
        texts = []
        for name in sorted(glob.glob(glob.escape(self._root) + full)):  # noqa: PTH207 - as above
            self._read += 1
            if self._read > _FILES_MAX:
                break
            try:
                texts.append(read_text(name, _FILE_BYTES_MAX))
            except HostUnreadable:
                continue  # what nginx itself may read and we may not names no site to us
        return texts

"""Who a number is, by /etc/passwd: passwd(5)."""

import os

from trueup.host.files import read_text
from trueup.host.unreadable import HostUnreadable


def parse_users(passwd: str) -> dict[int, str]:
    """Names by number. The first line of a number counts, as for getpwuid."""
    users: dict[int, str] = {}
    for line in passwd.splitlines():
        fields = line.split(":")
        if len(fields) > 2 and fields[2].isdecimal():
            users.setdefault(int(fields[2]), fields[0])
    return users


class Users:
    """Names of users. It reads /etc/passwd and never asks a directory server: that may be what is down."""

    def __init__(self, path: str = "/etc/passwd") -> None:
        self._path = path
        self._modified_ns = -1
        self._names: dict[int, str] = {}

    def name(self, uid: int) -> str:
        try:
            modified_ns = os.stat(self._path).st_mtime_ns  # noqa: PTH116 - a path is text throughout this floor
            if modified_ns != self._modified_ns:
                self._names = parse_users(read_text(self._path))
                self._modified_ns = modified_ns
        except (OSError, HostUnreadable):
            return str(uid)
        return self._names.get(uid, str(uid))

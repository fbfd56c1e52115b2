"""What a Redis server says of itself beyond PONG: its role, its memory, its persistence, its clients.

https://redis.io/docs/latest/commands/role/, https://redis.io/docs/latest/commands/info/
"""

from typing import Any, Final, NamedTuple, Self

from trueup.conversation import Answer, degraded, fails
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.probes.resp import ErrorReply, Reply, command
from trueup.probes.room import short_of

QUESTION: Final = command(b"PING") + command(b"ROLE") + command(b"INFO")
"""All of what INFO has by default, in one reply: several sections in one command are known from Redis 7 on,
and a command for each costs us more than the rest of them."""

REPLIES_COUNT: Final = 3
DIGITS_MAX: Final = 20

_ROLES: Final[dict[bytes, str]] = {b"master": "primary", b"slave": "replica"}

# Fields of INFO, as they begin there.
_CONNECTED: Final = b"\r\nconnected_clients:"
_MAXCLIENTS: Final = b"\r\nmaxclients:"
_USED_MEMORY: Final = b"\r\nused_memory:"
_MAXMEMORY: Final = b"\r\nmaxmemory:"
_POLICY: Final = b"\r\nmaxmemory_policy:"
_FAILURES: Final[dict[bytes, str]] = {
    b"\r\nrdb_last_bgsave_status:": "its last snapshot failed",
    b"\r\naof_last_bgrewrite_status:": "its append-only file couldn't be rewritten",
    b"\r\naof_last_write_status:": "its last write to the append-only file failed",
}


class Info:
    """What ``INFO`` says. Each field is looked for from the last one on: asked for in the order in which
    servers tell them, all of them take one pass over the few kilobytes.
    """

    __slots__ = ("_place", "_said")

    def __init__(self, said: bytes) -> None:
        self._said = said
        self._place = 0

    def word(self, field: bytes) -> bytes:
        """A field's value; empty where there is none."""
        said = self._said
        start = said.find(field, self._place)
        if start < 0 and (start := said.find(field)) < 0:
            return b""
        start += len(field)
        self._place = end = said.find(b"\r\n", start)
        return said[start:end]

    def number(self, field: bytes) -> int:
        """A field's value; 0 where there is none."""
        word = self.word(field)
        return int(word) if word.isdigit() and len(word) <= DIGITS_MAX else 0


class State(NamedTuple):
    """The replies to ``QUESTION``. Any may be an error, or None where there was none."""

    pong: Reply = None
    role: Reply = None
    info: Reply = None

    @classmethod
    def of(cls, said: list[Reply]) -> Self:
        """Of the replies that came."""
        return cls(*said[:REPLIES_COUNT])

    def role_facts(self) -> dict[str, Any]:
        """``ROLE`` says master, or slave with host, port and link state, or sentinel."""
        role = self.role
        if not isinstance(role, list) or not role or not isinstance(role[0], bytes):
            return {}
        facts = {"role": _ROLES.get(role[0]) or printable(role[0])}
        if facts["role"] == "replica" and len(role) > 3 and isinstance(role[3], bytes):
            facts["link"] = printable(role[3])
            if isinstance(role[1], bytes) and isinstance(role[2], int):
                facts["primary"] = f"{printable(role[1])}:{role[2]}"
        return facts

    def short(self, facts: dict[str, Any]) -> Answer | None:
        """The answer where it has no memory left, or is soon out of something; None where all is enough."""
        if not isinstance(self.info, bytes) or isinstance(self.info, ErrorReply):
            return None  # this user may not see it
        info = Info(self.info)
        connected, clients_max = info.number(_CONNECTED) - 1, info.number(_MAXCLIENTS)  # - 1: that's us
        used, most = info.number(_USED_MEMORY), info.number(_MAXMEMORY)
        if most and info.word(_POLICY) != b"noeviction":
            most = 0  # it makes room by itself
        if 0 < most <= used:
            words = f"at maxmemory: {used} of {most} bytes; it refuses writes"
            return fails(Cause.OVERLOADED, words, **facts)
        for field, meaning in _FAILURES.items():
            if info.word(field) == b"err":
                return degraded(Cause.DISK_FULL, f"it can't persist: {meaning}", **facts)
        return short_of("bytes of memory", used, most, facts, limit="maxmemory") or short_of(
            "clients", connected, clients_max, facts, limit="maxclients"
        )

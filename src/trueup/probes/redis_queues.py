"""How much waits in the lists, sorted sets and streams of a Redis that are used as queues."""

from collections.abc import Generator, Mapping
from typing import Any, Final

from trueup.conversation import Answer, Garbled, Step, fails, ready
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.states import Layer
from trueup.probes.resp import ErrorReply, Reply, command, replies_to

_LENGTH: Final[dict[bytes, bytes]] = {b"list": b"LLEN", b"zset": b"ZCARD", b"set": b"SCARD"}
_EMPTY: Final = b"none"
_STREAM: Final = b"stream"
_SHOWN_CHARS_MAX: Final = 80


def look_at_queues(most_of: Mapping[str, int]) -> Generator[Step, bytes, Answer | ErrorReply]:
    """The function layer's answer: the queues by name and the most that may wait in each. An error reply
    where one came instead.
    """
    kinds = yield from _ask([command(b"TYPE", name.encode()) for name in most_of])
    depths: dict[str, int] = {}
    for name, kind in zip(most_of, kinds, strict=True):
        if isinstance(kind, ErrorReply):
            return kind
        depth = yield from _depth(name.encode(), kind)
        if isinstance(depth, ErrorReply):
            return depth
        if depth is None:
            words = f"{_shown(name)} is no queue but a {_shown(kind)}"
            return fails(Cause.WRONG_ANSWER, words, layer=Layer.FUNCTION)
        depths[name] = depth
    return _judge(depths, most_of)


def _judge(depths: Mapping[str, int], most_of: Mapping[str, int]) -> Answer:
    facts: dict[str, Any] = {"queues": {_shown(name): depth for name, depth in depths.items()}}
    over = [name for name, depth in depths.items() if depth > most_of[name]]
    if over:
        words = ", ".join(f"{depths[name]} wait in {_shown(name)}, over {most_of[name]}" for name in over[:5])
        return fails(Cause.OVERLOADED, words, layer=Layer.FUNCTION, **facts)
    told = ", ".join(f"{depth} in {_shown(name)}" for name, depth in list(depths.items())[:5])
    return ready(f"waiting: {told}", layer=Layer.FUNCTION, **facts)


def _depth(name: bytes, kind: Reply) -> Generator[Step, bytes, int | ErrorReply | None]:
    """How many wait; None for what is no queue. One that isn't there is empty: Redis keeps no empty ones."""
    if kind == _EMPTY:
        return 0
    if kind == _STREAM:
        return (yield from _backlog(name))
    if not isinstance(kind, bytes) or kind not in _LENGTH:
        return None
    said = (yield from _ask([command(_LENGTH[kind], name)]))[0]
    return _number(said)


def _backlog(name: bytes) -> Generator[Step, bytes, int | ErrorReply | None]:
    """Of a stream, what its slowest group has yet to finish, read or not; of one without groups, all of it.

    ``lag`` is told from Redis 7 on, and by no group whose entries were deleted from the middle
    (https://redis.io/docs/latest/commands/xinfo-groups/).
    """
    length, groups = yield from _ask([command(b"XLEN", name), command(b"XINFO", b"GROUPS", name)])
    whole = _number(length)
    if isinstance(whole, ErrorReply) or isinstance(groups, ErrorReply) or not isinstance(groups, list):
        return whole
    found = []
    for group in groups:
        told = _fields(group)
        pending, lag = told.get(b"pending"), told.get(b"lag")
        if isinstance(pending, int):
            found.append(pending + lag if isinstance(lag, int) else whole or 0)
    return max(found, default=whole)


def _fields(group: Reply) -> dict[bytes, Reply]:
    """Names and values, which take turns in one list."""
    if not isinstance(group, list):
        return {}
    names = (name if isinstance(name, bytes) else b"" for name in group[::2])
    return dict(zip(names, group[1::2], strict=False))


def _number(said: Reply) -> int | ErrorReply:
    if isinstance(said, int | ErrorReply):
        return said
    raise Garbled(repr(said).encode())


def _ask(commands: list[bytes]) -> Generator[Step, bytes, list[Reply]]:
    """The replies to all of them, in one write."""
    return (yield from replies_to(b"".join(commands), len(commands)))


def _shown(name: object) -> str:
    return printable(name if isinstance(name, str | bytes) else repr(name), _SHOWN_CHARS_MAX)

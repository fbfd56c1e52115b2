"""A node of a Redis Cluster: whether the cluster serves all its slots, and which keys live here.

PONG is said by every node, also of a cluster that refuses every command.
https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
"""

import binascii
import re
from collections.abc import Generator
from typing import Any, Final

from trueup.conversation import Answer, Step, fails
from trueup.domain.causes import Cause
from trueup.probes.resp import ErrorReply, Reply, command, replies_to

SLOTS: Final = 16_384
TRIES_MAX: Final = 200_000
"""A node that has one slot in 16384 is found a key in so many tries, but for one time in 200000."""

_ENABLED: Final = b"\r\ncluster_enabled:"
_FIELD: Final = re.compile(rb"^(cluster_[a-z_]+):([a-z0-9]{1,20})\r?$", re.MULTILINE)
_RANGE: Final = re.compile(rb"([0-9]{1,5})(?:-([0-9]{1,5}))?")


def is_cluster_node(info: Reply) -> bool:
    """Whether ``INFO`` says so, near its end."""
    if not isinstance(info, bytes) or isinstance(info, ErrorReply):
        return False
    place = info.rfind(_ENABLED)
    return place >= 0 and info.startswith(b"1", place + len(_ENABLED))


def judge_cluster(facts: dict[str, Any]) -> Generator[Step, bytes, Answer | None]:
    """An answer where the cluster is down as this node sees it; ``facts`` say how much of it serves."""
    said = (yield from replies_to(command(b"CLUSTER", b"INFO"), 1))[0]
    if not isinstance(said, bytes) or isinstance(said, ErrorReply):
        return None  # this user may not ask
    told = {name.decode(): word.decode() for name, word in _FIELD.findall(said)}
    served = int(told["cluster_slots_ok"]) if told.get("cluster_slots_ok", "").isdigit() else None
    facts |= {"cluster": told.get("cluster_state", "unknown")} | (
        {"slots_ok": served} if served is not None else {}
    )
    if told.get("cluster_state") != "fail":
        return None
    return fails(Cause.NO_QUORUM, f"its cluster is down: {served or 0} of {SLOTS} slots are served", **facts)


def key_of_this_node(beginning: bytes) -> Generator[Step, bytes, bytes | None]:
    """A key with this beginning that lives here; None on a node without slots, as a replica is."""
    said = (yield from replies_to(command(b"CLUSTER", b"NODES"), 1))[0]
    if not isinstance(said, bytes) or isinstance(said, ErrorReply):
        return None
    own = slots_of_this_node(said)
    if not own:
        return None
    tries = (beginning + b":%d" % number for number in range(TRIES_MAX))
    return next((key for key in tries if slot_of(key) in own), None)


def slots_of_this_node(nodes: bytes) -> frozenset[int]:
    """The slots that the line of ``CLUSTER NODES`` that is about ``myself`` lists."""
    for line in nodes.split(b"\n"):
        words = line.split()
        if len(words) > 8 and b"myself" in words[2].split(b","):
            ranges = (_RANGE.fullmatch(word) for word in words[8:])
            return frozenset(slot for found in ranges if found for slot in _slots(found))
    return frozenset()


def _slots(found: re.Match[bytes]) -> range:
    first = int(found[1])
    last = int(found[2] or first)
    return range(first, min(last, SLOTS - 1) + 1)


def slot_of(key: bytes) -> int:
    """Where a key without braces lives: CRC16, the XMODEM kind, of all of it."""
    return binascii.crc_hqx(key, 0) % SLOTS

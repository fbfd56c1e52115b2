"""What a MySQL or MariaDB session can say of its server: room, cluster, role, replication.

https://dev.mysql.com/doc/refman/8.4/en/show-replica-status.html,
https://mariadb.com/kb/en/galera-cluster-status-variables/
"""

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from trueup.conversation import Answer, Ask, Step, degraded, fails, ready
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.probes.mysqlwire import (
    COM_QUERY,
    Greeting,
    Result,
    ResultRead,
    ServerError,
    command,
    parse_result,
)
from trueup.probes.room import short_of
from trueup.probes.sql_expect import SqlExpect, too_far_behind, wrong_role

STATUS: Final = """show global status where variable_name in ('Threads_connected', 'Slaves_running',
 'wsrep_cluster_status', 'wsrep_ready', 'wsrep_local_state_comment', 'wsrep_cluster_size')"""
VARIABLES: Final = "select @@global.read_only, @@global.max_connections"
WSREP_ON: Final = ", @@global.wsrep_on"
OFF: Final = (b"0", b"OFF")

MAY_NOT: Final = frozenset({1044, 1142, 1143, 1227})
"""Errors by which a server says that this user may not ask that."""

UNKNOWN_HERE: Final = frozenset({1064, 1193, 1235})
"""Errors by which a server says that it knows no such statement or variable: not every server that speaks
the protocol is MySQL."""


@dataclass(frozen=True, slots=True)
class Source:
    """One that this server replicates from. ``connected`` and ``applying`` are of its two threads."""

    connected: bool
    applying: bool
    stopped: bool
    lag_s: float | None
    complaint: str


def ask(statement: str) -> Generator[Step, bytes, Result | ServerError]:
    """The answer to a query."""
    return parse_result((yield Ask(command(COM_QUERY + statement.encode()), ResultRead())))


def read_state(
    greeting: Greeting, expect: SqlExpect, facts: dict[str, Any]
) -> Generator[Step, bytes, Answer | ServerError]:
    """The service layer's answer, or the error that came instead of one. ``facts`` go into it."""
    answer = yield from _read(greeting, expect, facts)
    if isinstance(answer, ServerError) or answer.cause is not None or "connections" not in facts:
        return answer
    others, most = facts["connections"] - 1, facts["connections_max"]  # we are one of them
    return short_of("connections", others, most, facts, limit="max_connections") or answer


def _read(
    greeting: Greeting, expect: SqlExpect, facts: dict[str, Any]
) -> Generator[Step, bytes, Answer | ServerError]:
    status = yield from ask(STATUS)
    if isinstance(status, ServerError):
        return _unless_unknown(status, expect, facts)
    known = {row[0] or b"": row[1] or b"" for row in status.rows if len(row) == 2}
    has_wsrep = b"wsrep_ready" in known
    variables = yield from ask(VARIABLES + (WSREP_ON if has_wsrep else ""))
    if isinstance(variables, ServerError):
        return _unless_unknown(variables, expect, facts)
    read_only, most, wsrep_on = [*(variables.rows[0] if variables.rows else ()), None, None, None][:3]
    facts |= {"connections": _number(known.get(b"Threads_connected")), "connections_max": _number(most)}
    if has_wsrep and wsrep_on not in OFF and (cluster := _judge_cluster(known, facts)) is not None:
        return cluster
    if 0 < facts["connections_max"] < facts["connections"]:
        # One more than allowed is let in where it is an administrator: ours is that one.
        words = f"{facts['connections']} connections, {facts['connections_max']} allowed"
        return fails(Cause.OVERLOADED, f"no room for ordinary clients: {words}", **facts)
    if read_only is None:
        return wrong_role(None, expect) or ready("lets us in", **facts)
    sources = yield from _read_sources(greeting)
    if isinstance(sources, ServerError):
        if sources.code not in MAY_NOT | UNKNOWN_HERE:
            return sources
        return _judge_unseen(known, expect, facts, writable=read_only in OFF)
    return _judge(sources, expect, facts, writable=read_only in OFF)


def _unless_unknown(error: ServerError, expect: SqlExpect, facts: dict[str, Any]) -> Answer | ServerError:
    if error.code not in UNKNOWN_HERE:
        return error
    return wrong_role(None, expect) or ready("lets us in", **facts)


def _judge_cluster(known: Mapping[bytes, bytes], facts: dict[str, Any]) -> Answer | None:
    """Galera: a node outside the primary component, or not in step yet, refuses every query."""
    state, status = (
        printable(known.get(name, b"")) for name in (b"wsrep_local_state_comment", b"wsrep_cluster_status")
    )
    facts |= {"cluster_size": _number(known.get(b"wsrep_cluster_size")), "cluster_state": state}
    if status.lower() != "primary":
        return fails(Cause.NO_QUORUM, f"its Galera cluster has no quorum here: {status}, {state}", **facts)
    if known.get(b"wsrep_ready") != b"ON":
        return fails(Cause.STARTING_UP, f"this Galera node isn't ready: {state}", **facts)
    return None


def _read_sources(greeting: Greeting) -> Generator[Step, bytes, list[Source] | ServerError]:
    if greeting.is_mariadb:
        statement = "show all slaves status"
    else:
        statement = "show replica status" if _version(greeting) >= (8, 0, 22) else "show slave status"
    found = yield from ask(statement)
    if isinstance(found, ServerError):
        return found
    return [_source(dict(zip(found.columns, row, strict=False))) for row in found.rows]


def _source(row: Mapping[str, bytes | None]) -> Source:
    """One row, under the names of before and after MySQL 8.0.22."""
    receives = row.get("Replica_IO_Running", row.get("Slave_IO_Running")) or b""
    applies = row.get("Replica_SQL_Running", row.get("Slave_SQL_Running")) or b""
    behind = row.get("Seconds_Behind_Source", row.get("Seconds_Behind_Master"))
    complaint = row.get("Last_IO_Error") or row.get("Last_SQL_Error") or b""
    return Source(
        receives == b"Yes",
        applies == b"Yes",
        receives == applies == b"No",
        float(_number(behind)) if behind is not None else None,
        printable(complaint or b"receiving: %b, applying: %b" % (receives, applies)),
    )


def _judge(sources: list[Source], expect: SqlExpect, facts: dict[str, Any], *, writable: bool) -> Answer:
    """A server that was promoted may keep its former source, stopped: it's a primary all the same."""
    promoted = writable and expect.role != "replica"
    active = [source for source in sources if not (source.stopped and promoted)]
    role = "replica" if active and not (writable and expect.role == "primary") else "primary"
    facts |= {"role": role, "writable": writable}
    lags = [source.lag_s for source in active if source.lag_s is not None]
    if lags:
        facts["lag_s"] = max(lags)
    if (wrong := wrong_role(role, expect)) is not None:
        return fails(wrong.cause or Cause.WRONG_ANSWER, wrong.detail, **facts)
    if not writable and not active:
        words = "it refuses writes (read_only) and replicates from nobody"
        return fails(Cause.READ_ONLY, words, **facts)
    broken = next((one for one in active if not (one.connected and one.applying)), None)
    if broken is not None:
        judged = degraded if role == "primary" else fails
        return judged(Cause.REPLICATION, f"its replication is broken: {broken.complaint}", **facts)
    behind = too_far_behind(max(lags, default=None), expect) if active else None
    if behind is not None:
        return fails(Cause.REPLICATION, behind, **facts)
    return ready(f"lets us in, {role}", **facts)


def _judge_unseen(
    known: Mapping[bytes, bytes], expect: SqlExpect, facts: dict[str, Any], *, writable: bool
) -> Answer:
    """This user may not see where the server replicates from. MariaDB tells anybody whether it does."""
    facts["writable"] = writable
    if expect.role == "primary":
        if writable:
            return ready("lets us in, takes writes", **facts)
        return fails(Cause.READ_ONLY, "it refuses writes (read_only), and a primary is expected", **facts)
    if expect.of_server:
        words = "this user may not see its replication: grant REPLICATION CLIENT (MariaDB: SLAVE MONITOR)"
        return fails(Cause.LOGIN_REFUSED, words, **facts)
    if not writable and known.get(b"Slaves_running") == b"0":
        words = "it refuses writes (read_only) and replicates from nobody"
        return fails(Cause.READ_ONLY, words, **facts)
    return ready("lets us in", **facts)


def _version(greeting: Greeting) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d{1,6}", greeting.version)[:3])


def _number(text: bytes | None) -> int:
    """As a whole number; 0 for what is none."""
    return int(text) if text and text.isdigit() and len(text) < 19 else 0

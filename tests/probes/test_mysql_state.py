"""What a session says of its server, against a script."""

from typing import Any

import pytest

from tests.playbook import play
from trueup.conversation import Answer
from trueup.domain.causes import Cause
from trueup.domain.states import Outcome
from trueup.probes.mysql import Options, conversation
from trueup.probes.mysql_state import MAY_NOT, UNKNOWN_HERE
from trueup.probes.sql_expect import SqlExpect

from .test_mysql import NO_SOURCE, OK, PONG, SOMEONE, error
from .test_mysqlwire import MARIADB, result

MYSQL = MARIADB.replace(b"5.5.5-10.11.19-MariaDB-0+deb12u1", b"8.0.36-0ubuntu0.22.04.1-extralong")[:104]
NAMES = ["Slave_IO_Running", "Slave_SQL_Running", "Seconds_Behind_Master", "Last_IO_Error", "Last_SQL_Error"]
NEW_NAMES = [
    "Replica_IO_Running",
    "Replica_SQL_Running",
    "Seconds_Behind_Source",
    "Last_IO_Error",
    "Last_SQL_Error",
]


def status(connected: int = 3, running: int = 0, **wsrep: str) -> bytes:
    rows = {"Threads_connected": str(connected), "Slaves_running": str(running)}
    rows |= {f"wsrep_{name}": word for name, word in wsrep.items()}
    return result(
        ["Variable_name", "Value"], *((name.encode(), word.encode()) for name, word in rows.items())
    )


def variables(read_only: str = "0", most: int = 151, *wsrep_on: str) -> bytes:
    row = [read_only.encode(), str(most).encode(), *(word.encode() for word in wsrep_on)]
    return result([f"@@{number}" for number in range(len(row))], tuple(row))


def source(
    io: str = "Yes", sql: str = "Yes", lag: str | None = "0", complaint: str = "", names: list[str] = NAMES
) -> bytes:
    row = (io.encode(), sql.encode(), lag.encode() if lag else None, complaint.encode(), b"")
    return result(names, row)


def settle(*says: bytes, greeting: bytes = MARIADB, **expect: Any) -> Answer:
    options = Options(SOMEONE, expect=SqlExpect(**expect))
    return play(conversation(options), [greeting, OK, PONG, *says]).settled


# -- room and cluster ------------------------------------------------------------------------------


def test_an_administrator_gets_in_where_nobody_else_does() -> None:
    full = settle(status(connected=152), variables(), NO_SOURCE)
    assert (full.outcome, full.cause) == (Outcome.FAIL, Cause.OVERLOADED)


@pytest.mark.parametrize(
    ("connected", "outcome"), [(136, Outcome.PASS), (137, Outcome.SLOW), (151, Outcome.SLOW)]
)
def test_little_room_is_told_before_there_is_none(connected: int, outcome: Outcome) -> None:
    """151 for all, one of which we are."""
    settled = settle(status(connected=connected), variables(), NO_SOURCE)
    assert settled.outcome is outcome
    assert settled.cause is (Cause.OVERLOADED if outcome is Outcome.SLOW else None)


@pytest.mark.parametrize(
    ("cluster", "ready", "on", "cause"),
    [
        ("Primary", "ON", "1", None),
        ("non-Primary", "OFF", "1", Cause.NO_QUORUM),
        ("Disconnected", "OFF", "1", Cause.NO_QUORUM),
        ("Primary", "OFF", "1", Cause.STARTING_UP),
        ("Disconnected", "OFF", "0", None),  # MariaDB without Galera says this too
    ],
)
def test_a_galera_node(cluster: str, ready: str, on: str, cause: Cause | None) -> None:
    said = status(cluster_status=cluster, ready=ready, local_state_comment="Synced", cluster_size="3")
    settled = settle(said, variables("0", 151, on), NO_SOURCE)
    assert settled.cause is cause
    assert settled.facts.get("cluster_size") == (3 if on == "1" else None)


# -- role and replication --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read_only", "source_said", "role", "cause"),
    [
        ("0", NO_SOURCE, None, None),
        ("0", NO_SOURCE, "primary", None),
        ("0", NO_SOURCE, "replica", Cause.WRONG_ANSWER),
        ("1", NO_SOURCE, None, Cause.READ_ONLY),
        ("ON", NO_SOURCE, "primary", Cause.READ_ONLY),
        ("1", source(), None, None),
        ("1", source(), "replica", None),
        ("1", source(), "primary", Cause.READ_ONLY),
        ("0", source(), "replica", None),  # many replicas aren't set read-only
        ("0", source(), "primary", None),  # two primaries that follow each other
        ("1", source(io="Connecting", complaint="can't connect"), None, Cause.REPLICATION),
        ("0", source(io="Connecting"), None, Cause.REPLICATION),
        ("1", source(sql="No", complaint="duplicate key"), "replica", Cause.REPLICATION),
        ("1", source(io="No", sql="No"), "replica", Cause.REPLICATION),
        ("0", source(io="No", sql="No"), None, None),  # promoted, its former source still written down
        ("0", source(io="No", sql="No"), "primary", None),
        ("0", source(io="No", sql="No"), "replica", Cause.REPLICATION),
    ],
)
def test_roles(read_only: str, source_said: bytes, role: str | None, cause: Cause | None) -> None:
    settled = settle(status(), variables(read_only), source_said, role=role)
    assert settled.cause is cause
    assert (settled.outcome is Outcome.FAIL) is (cause is not None)


def test_a_primary_whose_other_primary_is_gone_is_short_of_something() -> None:
    settled = settle(status(), variables("0"), source(io="Connecting", complaint="gone"), role="primary")
    assert (settled.outcome, settled.cause) == (Outcome.SLOW, Cause.REPLICATION)
    assert "gone" in settled.detail


@pytest.mark.parametrize(
    ("lag", "cause"), [("9", None), ("11", Cause.REPLICATION), (None, Cause.REPLICATION)]
)
def test_a_replica_too_far_behind(lag: str | None, cause: Cause | None) -> None:
    assert settle(status(), variables("1"), source(lag=lag), lag_s=10).cause is cause


def test_mysql_has_other_names() -> None:
    broken = source(io="Connecting", complaint="no route", names=NEW_NAMES)
    settled = settle(status(), variables("1"), broken, greeting=MYSQL)
    assert (settled.cause, settled.facts["version"][:6]) == (Cause.REPLICATION, "8.0.36")
    sent = play(conversation(Options(SOMEONE)), [MYSQL, OK, PONG, status(), variables()]).sent
    assert b"show replica status" in sent


# -- what can't be seen ----------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(MAY_NOT | UNKNOWN_HERE))
def test_a_user_who_may_not_see_replication(code: int) -> None:
    may_not = error(code, number=1)
    assert settle(status(), variables("0"), may_not).cause is None
    assert settle(status(), variables("0"), may_not, role="primary").cause is None
    assert settle(status(), variables("1"), may_not, role="primary").cause is Cause.READ_ONLY
    assert settle(status(), variables("1"), may_not, role="replica").cause is Cause.LOGIN_REFUSED
    assert settle(status(), variables("1"), may_not, lag_s=9).cause is Cause.LOGIN_REFUSED
    assert settle(status(), variables("1"), may_not).cause is Cause.READ_ONLY, "it replicates from nobody"
    assert settle(status(running=1), variables("1"), may_not).cause is None


@pytest.mark.parametrize("code", sorted(UNKNOWN_HERE))
def test_what_is_not_mysql_is_not_blamed_for_it(code: int) -> None:
    unknown = error(code, number=1)
    assert settle(unknown).cause is None
    assert settle(status(), unknown).cause is None
    assert settle(unknown, role="primary").cause is Cause.ERROR_ANSWER
    assert settle(status(), result(["a", "b"])).cause is None


def test_an_error_on_the_way_is_an_answer() -> None:
    broken = error(1053, number=1)
    for says in ([broken], [status(), broken], [status(), variables(), broken]):
        assert settle(*says).cause is Cause.STARTING_UP

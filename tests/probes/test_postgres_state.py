"""What a session says of its server, against a script."""

from typing import Any

import pytest

from tests.playbook import play
from trueup.domain.causes import Cause
from trueup.domain.states import Outcome
from trueup.probes.postgres import Options, conversation
from trueup.probes.postgres_state import OWN_SETTINGS, UNKNOWN_HERE
from trueup.probes.sql_expect import SqlExpect

from .test_postgres import AT, INSIDE, PRIMARY, READY, STANDBY, answer_of, error

STREAMS = answer_of(("1", "t", "t", "0.5"))


def settle(*says: bytes, **expect: Any) -> Any:
    return play(conversation(Options(AT, expect=SqlExpect(**expect))), [*INSIDE, *says]).settled


@pytest.mark.parametrize(
    ("state", "role", "cause"),
    [
        (PRIMARY, "primary", None),
        (STANDBY, "primary", Cause.READ_ONLY),
        (STANDBY, "replica", None),
        (PRIMARY, "replica", Cause.WRONG_ANSWER),
    ],
)
def test_the_expected_role(state: bytes, role: str, cause: Cause | None) -> None:
    assert settle(state, STREAMS, role=role).cause is cause


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        (("1", "t", "t", "0"), None),
        (("0", "t", "t", "0"), Cause.REPLICATION),
        (("0", "f", "t", None), Cause.REPLICATION),  # never reached its source
        (("0", "t", None, "0"), Cause.REPLICATION),  # may not see where its source is
        (("0", "f", "f", "60"), None),  # replays an archive
        (("0", "f", None, "60"), None),
    ],
)
def test_a_replica_without_its_primary(row: tuple[str | None, ...], cause: Cause | None) -> None:
    assert settle(STANDBY, answer_of(row)).cause is cause


@pytest.mark.parametrize(
    ("lag", "cause"), [("9.9", None), ("10.5", Cause.REPLICATION), (None, Cause.REPLICATION)]
)
def test_a_replica_too_far_behind(lag: str | None, cause: Cause | None) -> None:
    settled = settle(STANDBY, answer_of(("1", "t", "t", lag)), lag_s=10)
    assert settled.cause is cause
    assert settled.facts.get("lag_s") == (float(lag) if lag else None)


def test_a_superuser_gets_in_where_nobody_else_does() -> None:
    full = settle(answer_of(("f", "off", "98", "100", "3")))
    assert (full.outcome, full.cause) == (Outcome.FAIL, Cause.OVERLOADED)
    assert "98 connections, 97 allowed" in full.detail


@pytest.mark.parametrize(
    ("used", "outcome"), [("88", Outcome.PASS), ("89", Outcome.SLOW), ("97", Outcome.SLOW)]
)
def test_little_room_is_told_before_there_is_none(used: str, outcome: Outcome) -> None:
    """97 for ordinary clients, one of which we are."""
    primary, standby = ("f", "off", used, "100", "3"), ("t", "on", used, "100", "3")
    for says in ([answer_of(primary)], [answer_of(standby), STREAMS]):
        settled = settle(*says)
        assert settled.outcome is outcome
        assert settled.cause is (Cause.OVERLOADED if outcome is Outcome.SLOW else None)


@pytest.mark.parametrize("source", [b"configuration file", b"database", b"command line"])
def test_a_primary_that_refuses_to_write(source: bytes) -> None:
    said = answer_of(("f", "on", "1", "100", "3"))
    assert settle(said, answer_of((source.decode(),))).cause is Cause.READ_ONLY


@pytest.mark.parametrize("source", sorted(OWN_SETTINGS))
def test_a_user_who_is_read_only_himself_says_nothing_of_the_server(source: bytes) -> None:
    said = answer_of(("f", "on", "1", "100", "3"))
    assert settle(said, answer_of((source.decode(),)), role="primary").cause is None


@pytest.mark.parametrize("kind", UNKNOWN_HERE)
def test_what_has_no_such_views_is_not_held_against_it(kind: str) -> None:
    said = error(kind.ljust(5, "0"), severity="ERROR") + READY
    assert settle(said).outcome is Outcome.PASS
    assert settle(said, role="primary").cause is Cause.ERROR_ANSWER
    assert settle(answer_of()).outcome is Outcome.PASS


def test_an_error_on_the_way_is_an_answer() -> None:
    broken = error("58030", severity="ERROR") + READY
    assert settle(STANDBY, broken).cause is Cause.ERROR_ANSWER
    assert settle(answer_of(("f", "on", "1", "100", "3")), broken).cause is Cause.ERROR_ANSWER

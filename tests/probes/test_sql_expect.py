import pytest

from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.probes.sql_expect import SqlExpect, judge_rows, layer_for, same, too_far_behind, wrong_role


@pytest.mark.parametrize(
    ("seen", "expected", "is_same"),
    [
        (b"5", 5, True),
        (b"5", 6, False),
        (b"5.50", 5.5, True),
        (b"five", 5, False),
        (b"5", "5", True),
        (b"5 ", "5", False),
        (b"t", True, True),
        (b"1", True, True),
        (b"f", True, False),
        (b"0", False, True),
        (b"t", False, False),
        (None, "", False),
        ("Ü".encode(), "Ü", True),
        (b"\xff", "x", False),
    ],
)
def test_a_value_is_compared_by_its_kind(
    seen: bytes | None, expected: str | float | bool, is_same: bool
) -> None:
    assert same(seen, expected) is is_same


@pytest.mark.parametrize(
    ("rows", "expect", "cause"),
    [
        ([], SqlExpect(), None),
        ([[b"1"]], SqlExpect(rows=1), None),
        ([], SqlExpect(rows=0), None),
        ([[b"1"], [b"2"]], SqlExpect(rows=1), Cause.WRONG_ANSWER),
        ([[b"7"]], SqlExpect(value=7), None),
        ([[b"8"]], SqlExpect(value=7), Cause.WRONG_ANSWER),
        ([[None]], SqlExpect(value=7), Cause.WRONG_ANSWER),
        ([], SqlExpect(value=7), Cause.WRONG_ANSWER),
        ([[]], SqlExpect(value=7), Cause.WRONG_ANSWER),
    ],
)
def test_rows_and_value(rows: list[list[bytes | None]], expect: SqlExpect, cause: Cause | None) -> None:
    answer = judge_rows(rows, expect)
    assert (answer.layer, answer.cause) == (Layer.FUNCTION, cause)


def test_what_was_seen_is_said_within_bounds() -> None:
    answer = judge_rows([[b"x" * 500]], SqlExpect(value="y"))
    assert "'y' is expected" in answer.detail
    assert len(answer.detail) < 200


@pytest.mark.parametrize(
    ("role", "expected", "cause"),
    [
        ("primary", "primary", None),
        ("replica", "replica", None),
        ("replica", None, None),
        (None, None, None),
        ("replica", "primary", Cause.READ_ONLY),
        ("primary", "replica", Cause.WRONG_ANSWER),
        (None, "primary", Cause.ERROR_ANSWER),
    ],
)
def test_the_expected_role(role: str | None, expected: str | None, cause: Cause | None) -> None:
    answer = wrong_role(role, SqlExpect(role=expected))  # type: ignore[arg-type]  # from a parameter
    assert (answer.cause if answer else None) is cause
    assert answer is None or answer.outcome is Outcome.FAIL


def test_lag_is_judged_only_where_a_limit_is_set() -> None:
    assert too_far_behind(1e9, SqlExpect()) is None
    assert too_far_behind(5.0, SqlExpect(lag_s=10)) is None
    assert "15.0 s behind" in (too_far_behind(15.0, SqlExpect(lag_s=10)) or "")
    assert too_far_behind(None, SqlExpect(lag_s=10)) is not None


@pytest.mark.parametrize("cause", [Cause.ERROR_ANSWER, Cause.STARTING_UP, Cause.OVERLOADED, Cause.NO_QUORUM])
def test_a_cause_is_put_on_a_layer_where_it_can_be(cause: Cause) -> None:
    assert layer_for(cause) in cause.layers

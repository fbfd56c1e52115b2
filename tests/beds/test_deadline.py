import pytest

from tests.beds.deadline import wait_until


def test_the_first_true_answer_is_given() -> None:
    answers = iter([0, "", "here", "later"])
    assert wait_until(lambda: next(answers), "something", pause_s=0) == "here"


def test_what_never_comes_is_named() -> None:
    with pytest.raises(AssertionError, match=r"not within 0 s: the moon \(last seen: \[\]\)"):
        wait_until(list, "the moon", timeout_s=0)

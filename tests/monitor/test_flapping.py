import pytest

from trueup.monitor.flapping import RESULTS, is_flapping, share


def test_one_outage_is_no_flapping() -> None:
    assert share("u" * 9 + "x" * 6 + "u" * 6) == pytest.approx(10, abs=1)


def test_what_changes_with_every_look_changes_wholly() -> None:
    assert share("ux" * 10 + "u") == pytest.approx(100)


def test_newer_changes_weigh_more() -> None:
    assert share("u" * 18 + "xuu") > share("uxu" + "u" * 18) > 0


def test_a_young_history_has_only_new_changes() -> None:
    assert share("xu") == pytest.approx(6)


def test_between_the_thresholds_it_stays_what_it_was() -> None:
    results = ("u" * RESULTS + "xuxux")[-RESULTS:]
    assert 25 < share(results) < 30
    assert is_flapping(results, was=True)
    assert not is_flapping(results, was=False)

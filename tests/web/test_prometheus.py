"""Prometheus text."""

from math import inf, nan

from trueup.domain.metric import Family, Reading
from trueup.web.prometheus import written


def test_labels_and_help_are_escaped_and_numbers_are_short() -> None:
    readings = (
        Reading(3, {"le": "0.1", "kind": 'a"b\\c\nd'}, "_bucket"),
        Reading(inf, {}, "_sum"),
        Reading(0.25, {}, "_count"),
        Reading(nan),
    )
    assert "".join(written([Family("x", "histogram", "one\ntwo", readings)])) == (
        "# HELP x one\\ntwo\n"
        "# TYPE x histogram\n"
        'x_bucket{le="0.1",kind="a\\"b\\\\c\\nd"} 3\n'
        "x_sum +Inf\n"
        "x_count 0.25\n"
        "x NaN\n"
    )

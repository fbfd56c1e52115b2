"""Four questions, four lamps."""

from tests.web.scripted import seen
from trueup.web.lamps import lamps


def test_each_question_shows_the_worst_that_any_vantage_saw() -> None:
    shown = lamps(
        [
            seen("port"),
            seen("tls"),
            seen("service", "fail", "silent"),
            seen("service", vantage="fra"),
            seen("host", "unknown", "agent-silent"),
        ]
    )
    assert [lamp.shows for lamp in shown] == ["pass", "fail", "none", "unknown"]
    assert [lamp.says for lamp in shown] == [
        "home? pass",
        "who? fail (silent)",
        "help? not asked",
        "machine unknown (agent-silent)",
    ]


def test_what_could_not_be_looked_at_is_no_pass() -> None:
    assert lamps([seen("port"), seen("port", "unknown")])[0].shows == "unknown"
    assert lamps([seen("port", "slow"), seen("port", "unknown")])[0].shows == "slow"

import pytest

from trueup.domain.duration import DurationError, parse_duration, show_duration, words_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("30s", 30), ("1.5s", 1.5), ("5m", 300), ("4h", 14400), ("7d", 604800), ("0s", 0)],
)
def test_a_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("30", "30 has no unit; write 30s"),
        ("0.5", "0.5 has no unit; write 0.5s"),
        ("30 s", "'30 s' is no duration; write 30s"),
        ("5min", "'5min' is no duration; write 5m"),
        ("30S", "'30S' is no duration; write 30s"),
        ("2w", "'2w' is no duration; write 14d"),
        ("1h30m", "'1h30m' has more than one unit; write 90m"),
        ("-5s", "-5s is less than nothing; write a duration as in 30s"),
        ("soon", "'soon' is no duration; write one as in 250ms, 30s, 5m, 4h or 7d"),
        ("", "'' is no duration; write one as in 250ms, 30s, 5m, 4h or 7d"),
        ("٣s", "'٣s' is no duration; write one as in 250ms, 30s, 5m, 4h or 7d"),
        ("99999d", "99999d is longer than ten years; write less, as in 400d"),
        ("9999999999999d", "9999999999999d is longer than ten years; write less, as in 400d"),
        ("1.23456s", "'1.23456s' is no duration; write 1.235s"),
        ("1\x1b[2Js", "'1\\x1b[2Js' is no duration; write one as in 250ms, 30s, 5m, 4h or 7d"),
    ],
)
def test_what_is_no_duration_says_what_to_write(text: str, said: str) -> None:
    with pytest.raises(DurationError) as raised:
        parse_duration(text)
    assert str(raised.value) == said


@pytest.mark.parametrize("text", ["0s", "250ms", "1500ms", "30s", "90s", "5m", "4h", "7d", "400d"])
def test_a_shown_duration_reads_back(text: str) -> None:
    assert parse_duration(show_duration(parse_duration(text))) == parse_duration(text)


def test_a_duration_shows_in_its_largest_whole_unit() -> None:
    assert [show_duration(s) for s in (0.25, 90, 300, 86400, 0)] == ["250ms", "90s", "5m", "1d", "0s"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (59.6, "1 m"), (61, "1 m 1 s"), (3900, "1 h 5 m"), (86400, "1 d"), (180000, "2 d 2 h")],
)
def test_words_for_people(seconds: float, words: str) -> None:
    assert words_of(seconds) == words

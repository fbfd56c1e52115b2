import pytest

from trueup.domain.size import SizeError, parse_size, show_size


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("512B", 512), ("64kB", 64_000), ("2GB", 2 * 10**9), ("1.5GB", 1_500_000_000), ("1GiB", 2**30)],
)
def test_a_size_is_read_as_bytes(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2", "2 has no unit; write 2MB or 2GB"),
        ("2G", "'2G' is no size; write 2GB"),
        ("2 gb", "'2 gb' is no size; write 2GB"),
        ("500mb", "'500mb' is no size; write 500MB"),
        ("lots", "'lots' is no size; write one as in 500MB or 2GB"),
        ("-2GB", "'-2GB' is no size; write one as in 500MB or 2GB"),
    ],
)
def test_what_is_no_size_says_what_to_write(text: str, said: str) -> None:
    with pytest.raises(SizeError) as raised:
        parse_size(text)
    assert str(raised.value) == said


def test_a_size_shows_in_its_largest_whole_unit() -> None:
    assert [show_size(n) for n in (2 * 10**9, 1500, 10**6, 0)] == ["2GB", "1500B", "1MB", "0B"]

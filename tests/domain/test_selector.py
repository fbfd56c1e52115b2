import pytest

from trueup.domain.selector import Selector, is_pattern


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        (("shop-db",), True),
        (("shop-*",), True),
        (("other", "shop-*"), True),
        (("tag:data",), True),
        (("tag:d*",), True),
        (("*",), True),
        (("shop",), False),
        (("Shop-*",), False),
        (("tag:dat",), False),
        ((), False),
    ],
)
def test_what_is_meant(words: tuple[str, ...], fits: bool) -> None:
    assert Selector(words).fits("shop-db", ("data", "eu")) is fits


def test_a_name_with_brackets_is_meant_by_itself() -> None:
    assert Selector(("db[1]",)).fits("db[1]", ())
    assert is_pattern("db[1]")
    assert not is_pattern("db-1")

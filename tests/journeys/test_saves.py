"""Values taken from answers: whole, bounded, or a complaint that says what is there."""

import pytest

from trueup.domain.journey import Save, SaveFrom
from trueup.journeys.saves import VALUE_CHARS_MAX, NothingToSaveError, from_text, values_of

ANSWER = '{"cart": {"id": 17, "open": true, "items": [{"sku": "a/1"}], "none": null}, "n": 1.5}'


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("cart.id", "17"),
        ("cart.open", "true"),
        ("cart.items.0.sku", "a/1"),
        ("n", "1.5"),
        ("cart.items", '[{"sku": "a/1"}]'),
    ],
)
def test_json(path: str, value: str) -> None:
    assert from_text(Save("x", SaveFrom.JSON, path), ANSWER) == value


@pytest.mark.parametrize(
    ("path", "text"), [("cart.none", ANSWER), ("cart.no", ANSWER), ("a", "<html>"), ("a", "")]
)
def test_json_that_isnt_there(path: str, text: str) -> None:
    with pytest.raises(NothingToSaveError, match=r"to save as \$\{x\}"):
        from_text(Save("x", SaveFrom.JSON, path), text)


def test_expressions() -> None:
    assert from_text(Save("x", SaveFrom.REGEX, r"order-(\d+)"), "your order-42 is") == "42"
    assert from_text(Save("x", SaveFrom.REGEX, r"order-\d+"), "your order-42 is") == "order-42"
    with pytest.raises(NothingToSaveError, match="it begins 'nothing'"):
        from_text(Save("x", SaveFrom.REGEX, "order"), "nothing")
    with pytest.raises(NothingToSaveError, match="it's empty"):
        from_text(Save("x", SaveFrom.REGEX, "order"), "")


def test_a_group_that_takes_no_part_is_nothing() -> None:
    with pytest.raises(NothingToSaveError):
        from_text(Save("x", SaveFrom.REGEX, "(a)|b"), "b")


def test_too_long_to_be_carried_around() -> None:
    long = "x" * (VALUE_CHARS_MAX + 1)
    with pytest.raises(NothingToSaveError, match="more than 16384"):
        values_of([Save("x", SaveFrom.REGEX, "x+")], lambda _save: long)

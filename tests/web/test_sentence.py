"""The sentence that is read first."""

import pytest

from trueup.web.sentence import sentence


def one(name: str, state: str, blame: str | None = None) -> dict[str, object]:
    return {"name": name, "state": state, "blame": blame}


@pytest.mark.parametrize(
    ("documents", "says"),
    [
        ([], "Nothing is watched yet"),
        ([one("a", "up")], "The one thing that is watched is up"),
        ([one("a", "up"), one("b", "up")], "All 2 are up"),
        ([one("a", "down", "a")], "1 thing is broken: a"),
        ([one("a", "down", "cache")], "1 thing is broken: a, and cache on db-1 is the cause"),
        (
            [one("cache", "down", "cache"), one("a", "down", "cache")],
            "2 things are broken: cache on db-1 is the cause of both",
        ),
        (
            [one(name, "down", "cache") for name in "abc"],
            "3 things are broken: cache on db-1 is the cause of all of it",
        ),
        (
            [*(one(name, "down", "cache") for name in "abc"), *(one(name, "down", "x") for name in "de")],
            "5 things are broken: cache on db-1 is the cause of 3, x of 2",
        ),
        ([one(name, "down", name) for name in "abcde"], "5 things are broken: a, b, c and 2 more"),
        (
            [one("a", "degraded"), one("b", "unknown"), one("c", "unknown")],
            "1 is degraded: a; 2 can’t be judged now",
        ),
    ],
)
def test_the_worst_comes_first(documents: list[dict[str, object]], says: str) -> None:
    assert "; ".join(sentence(documents, {"cache": "db-1"})) == says

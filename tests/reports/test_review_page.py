import re
from html.parser import HTMLParser

import pytest

from tests.reports.documents import history, incident, listener, machine, material, target
from trueup.reports.review import Review, review
from trueup.reports.review_page import page
from trueup.reports.review_text import spark, text_lines

EVIL = "<script>alert(1)</script>\x1b[31m"


@pytest.fixture
def found() -> Review:
    return review(
        material(
            targets=[target("shop-db", "postgres://db"), target("db", "tcp://db.internal:5432")],
            incidents=[
                incident("shop-db", "overloaded", 1, 1, summary=f"too many clients {EVIL}"),
                incident(EVIL, "refused", 3, 0.5),
            ],
            histories={"shop-db": history("shop-db", [10.0] * 10 + [30.0] * 10)},
            machines=[machine("here", listener(6379, "redis", process=EVIL))],
        )
    )


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.all: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))
        if tag not in {"meta", "rect", "polyline", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))


def test_the_page_asks_nobody_for_anything(found: Review) -> None:
    text = page(found)
    elements = Elements()
    elements.feed(text)
    assert elements.open == []
    names = {name for name, _ in elements.all}
    assert not names & {"script", "link", "img", "iframe", "object"}
    assert not {key for _, attributes in elements.all for key in attributes} & {
        "src",
        "href",
        "onload",
        "onclick",
    }
    assert "url(" not in text
    assert not re.search(r"https?://", text)
    assert "default-src 'none'" in text


def test_the_page_has_plots(found: Review) -> None:
    text = page(found)
    assert text.count("<polyline") == 1
    assert text.count("<rect") == 2


def test_words_of_targets_are_words(found: Review) -> None:
    assert "<script>" not in page(found)
    assert "\x1b" not in page(found)
    assert "\x1b" not in "\n".join(text_lines(found))


def test_the_text_says_it(found: Review) -> None:
    text = "\n".join(text_lines(found))
    assert "7 d: 2 incidents from 2 roots, 2 alerts; now 2 up" in text
    assert "shop-db: overloaded (once, 1 h in all)" in text
    assert "port green, service red: 2 times" in text
    assert "shop-db, service: 10.0 to 30.0 ms" in text
    assert "db: {at: 'postgres://db.internal:5432'}" in text


def test_a_quiet_week_says_so() -> None:
    text = "\n".join(text_lines(review(material())))
    assert "no incident" in text
    assert "Nothing was broken." in text
    assert "<ul>" not in page(review(material()))


def test_little_bars() -> None:
    assert spark((0.0, 5.0, 10.0)) == "▁▅█"
    assert spark((0.0, 0.0)) == "▁▁"
    assert len(spark(tuple(map(float, range(500))))) == 24

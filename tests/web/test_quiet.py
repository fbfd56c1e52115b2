"""Who is silenced or in maintenance is marked as such, once it has begun."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.web.asking import ask, web
from tests.web.scripted import ScriptedMonitor, named
from trueup.domain.clock import timestamp

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def scene() -> ScriptedMonitor:
    monitor = ScriptedMonitor(*named(["silent", "serviced", "worked-on", "planned", "later", "loud"]))

    def keep(name: str, begins: datetime, *, planned: bool) -> None:
        until_at = begins + 2 * HOUR
        said = monitor.add_silence(
            (name,), from_at=begins, until_at=until_at, author="ann", why="so", planned=planned
        )
        asyncio.run(said)

    keep("silent", NOW - HOUR, planned=False)
    keep("later", NOW + HOUR, planned=False)
    keep("worked-on", NOW - HOUR, planned=True)
    keep("planned", NOW + HOUR, planned=True)
    window = {"from": timestamp(NOW - HOUR), "until": timestamp(NOW + HOUR)}
    of_the_file = {"id": None, "author": "the configuration", "note": "new disks"}
    over = {"from": None, "until": None}
    monitor.planned = [
        {"targets": ["serviced"], **window, **of_the_file},
        {"targets": ["loud"], **over, **of_the_file},
    ]
    return monitor


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("silent", "silenced"),
        ("later", None),
        ("serviced", "in maintenance"),
        ("worked-on", "in maintenance"),
        ("planned", None),
        ("loud", None),
    ],
)
def test_the_overview_marks_who_is_quiet_now(name: str, mark: str | None) -> None:
    page = ask(web(scene()), "/").text
    row = page.partition(f'id="t-{name}"')[2].partition('<span class="what">')[2].partition("</span>")[0]
    assert row.removeprefix('<span class="tag">') == (mark or "answers as it should")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("silent", "Silenced by ann until <time"),
        ("later", "Silenced by ann from <time"),
        ("serviced", "In maintenance by the configuration until <time"),
        ("worked-on", "In maintenance by ann until <time"),
        ("planned", "In maintenance by ann from <time"),
    ],
)
def test_the_page_of_a_target_says_from_when_and_by_whom(name: str, words: str) -> None:
    app = web(scene())
    assert words in ask(app, f"/targets/{name}").text
    assert words not in ask(app, "/targets/loud").text

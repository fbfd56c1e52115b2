"""What the public may know, and nothing else."""

import asyncio
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.web.asking import FAR, ask, web
from tests.web.scripted import ScriptedMonitor, incident, named
from trueup.config.configuration import Configuration
from trueup.domain.clock import timestamp
from trueup.domain.selector import Selector
from trueup.domain.status_page import StatusPage
from trueup.web.status_view import Statuses, StatusView, public_notes

CANARY = "canary-10.0.0.7"
NOW = datetime.now(UTC)


def monitor() -> ScriptedMonitor:
    page = StatusPage("Shop", {"Front": Selector(("shop-*",)), "Nobody": Selector(("x-*",))})
    targets = named(["shop-web", "shop-db", "secret"], host=CANARY, description=CANARY, runbook=CANARY)
    made = ScriptedMonitor(*targets, configuration=Configuration({}, targets, status_page=page))
    for target in targets:
        made.tell(target.name, "down", summary=CANARY, at=CANARY, cause="refused", next=[CANARY])
    opened = timestamp(NOW - timedelta(minutes=30))
    timeline = [
        {"at": opened, "what": f"local: port fail (refused): {CANARY}"},
        {"at": opened, "what": f"down, confirmed: x (public): {CANARY}"},
        {"at": opened, "what": f"zoe: {CANARY}"},
        {"at": opened, "what": "zoe (public): We are on it: more soon."},
    ]
    words = {"opened_at": opened, "confirmed_at": opened, "timeline": timeline, "summary": CANARY}
    made.incident_documents = [
        incident(1, "shop-web", **words, acknowledged_by=CANARY),
        incident(2, "secret", **words),
        incident(3, "shop-db", **words | {"confirmed_at": None}),
    ]
    window = {"from": opened, "until": timestamp(NOW + timedelta(hours=2))}
    made.planned = [
        {"id": 1, "targets": ["shop-db", "secret"], **window, "author": CANARY, "note": "New disks"},
        {"id": 2, "targets": ["secret"], **window, "author": "zoe", "note": CANARY},
    ]
    return made


def view() -> StatusView:
    return asyncio.run(Statuses(monitor()).view())


def test_chosen_targets_their_troubles_and_works_are_shown() -> None:
    shown = view()
    assert [(group.title, [item.name for item in group.items]) for group in shown.groups] == [
        ("Front", ["shop-web", "shop-db"])
    ]
    assert [(one.target, [note.text for note in one.notes]) for one in shown.troubles] == [
        ("shop-web", ["We are on it: more soon."])
    ]
    assert [(one.targets, one.note) for one in shown.works] == [(["shop-db"], "New disks")]
    assert shown.state == "down"


def test_nothing_else_gets_out() -> None:
    app = web(monitor())
    for path in ("/status", "/status.rss"):
        answer = ask(app, path, host=FAR, x_forwarded_for="203.0.113.1")
        assert answer.status == 200
        for word in (CANARY, "secret", "refused", "zoe", "nothing listens"):
            assert word not in answer.text, (path, word)


def test_the_feed_is_rss() -> None:
    channel = ET.fromstring(ask(web(monitor()), "/status.rss").body).find("channel")
    assert channel is not None
    assert channel.findtext("title") == "Shop"
    assert [one.findtext("title") for one in channel.iter("item")] == [
        "shop-web is down",
        "Maintenance: shop-db",
    ]
    assert channel.findtext("item/description") == "We are on it: more soon."


def test_a_trouble_that_lasts_is_shown_however_much_others_have_gone_through() -> None:
    made = monitor()
    over = {"closed_at": timestamp(NOW)}
    made.incident_documents += [incident(number, "secret", **over) for number in range(4, 1004)]
    assert [one.target for one in asyncio.run(Statuses(made).view()).troubles] == ["shop-web"]


def test_without_a_status_page_nothing_is_published() -> None:
    made = monitor()
    made.configuration = None
    page = ask(web(made), "/status").text
    assert "shop" not in page
    assert '<svg class="shape unknown"' in page, "what nobody looks at isn't green"


def test_states_are_of_now_though_the_rest_is_kept_for_a_moment() -> None:
    made = monitor()
    statuses = Statuses(made)
    assert asyncio.run(statuses.view()).state == "down"
    for name in ("shop-web", "shop-db"):
        made.tell(name, "up")
    made.asked_history.clear()
    assert asyncio.run(statuses.view()).state == "up"
    assert made.asked_history == []


def test_many_who_come_at_once_have_it_made_once() -> None:
    class Slow(ScriptedMonitor):
        async def history(self, *asked: Any) -> dict[str, Any]:
            await asyncio.sleep(0)
            return await super().history(*asked)

    targets = named(["shop-web", "shop-db"])
    page = StatusPage("Shop", {"Front": Selector(("shop-*",))})
    made = Slow(*targets, configuration=Configuration({}, targets, status_page=page))

    async def crowd() -> None:
        statuses = Statuses(made)
        await asyncio.gather(*(statuses.view() for _ in range(5)))

    asyncio.run(crowd())
    assert [asked[0] for asked in made.asked_history] == ["shop-db", "shop-web"]


def test_a_target_takes_little_room_on_the_page() -> None:
    def size(count: int) -> int:
        targets = named([f"shop-{number:03}" for number in range(count)])
        page = StatusPage("Shop", {"Front": Selector(("shop-*",))})
        made = ScriptedMonitor(*targets, configuration=Configuration({}, targets, status_page=page))
        made.points = [{"at": timestamp(NOW - timedelta(days=ago)), "state": "up"} for ago in range(90)]
        begun = timestamp(NOW - timedelta(days=30))
        over = {"opened_at": begun, "confirmed_at": begun, "closed_at": timestamp(NOW - timedelta(days=29))}
        made.incident_documents = [incident(1 + place, one.name, **over) for place, one in enumerate(targets)]
        return len(ask(web(made), "/status").body)

    assert size(110) - size(10) < 100 * 1200


def test_a_note_for_everybody_has_no_colon_before_its_mark() -> None:
    lines = [
        {"at": "2026-11-21T10:00:00Z", "what": what} for what in ("a b (public): yes", "a: (public): no")
    ]
    assert [note.text for note in public_notes(lines)] == ["yes"]

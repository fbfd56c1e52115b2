"""Pages that change while somebody reads them, and what doesn't fit, in a real browser."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.web.chromium import DESK, PHONE, chromium, reader
from tests.web.fake_accounts import PASSWORD, FakeAccounts
from tests.web.scripted import ScriptedMonitor, named, seen
from tests.web.served import served
from tests.web.shop import shop
from trueup.config.configuration import Configuration
from trueup.domain.clock import timestamp
from trueup.domain.selector import Selector
from trueup.domain.status_page import StatusPage
from trueup.domain.target import Kind, Target
from trueup.web.accounts import Person, Role

LONG = "W" * 200


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def _long_named() -> ScriptedMonitor:
    targets = (*named([LONG]), *named(["needy"], needs=(LONG,)), Target("trip", Kind.JOURNEY))
    page = StatusPage(LONG, {LONG: Selector(("*",))})
    monitor = ScriptedMonitor(*targets, configuration=Configuration({}, targets, status_page=page))
    step = seen("function", "fail", "step-failed", LONG, facts={"step": LONG, "expected": LONG, "seen": LONG})
    for one in targets:
        monitor.tell(
            one.name, "down", cause="refused", layer="port", blame=LONG, summary=LONG, observations=[step]
        )
    now = datetime.now(UTC)
    planned = {"id": None, "targets": [LONG], "from": timestamp(now), "until": timestamp(now + timedelta(1))}
    monitor.planned = [planned | {"author": "", "note": LONG}]
    return monitor


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_long_words_make_no_page_wider_than_its_screen(browser: Browser, size: tuple[int, int]) -> None:
    accounts = FakeAccounts("admin")
    accounts.people["admin"] = (PASSWORD, Person("x" * 128, Role.ADMIN))
    with served(_long_named(), accounts) as url, reader(browser, url, size=size, who="admin") as page:
        for path in ("/", f"/targets/{LONG}", "/targets/trip", "/incidents", "/map", "/journeys",
                     "/settings", "/status"):  # fmt: skip
            page.goto(url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path


def test_a_long_name_stays_within_its_box_on_the_map(browser: Browser) -> None:
    with served(_long_named()) as url, reader(browser, url) as page:
        page.goto(f"{url}/map")
        right_of_it = page.evaluate(
            """() => { const texts = [...document.querySelectorAll(".node text")];
              const node = texts.find((one) => one.textContent[0] === "W").closest("a");
              const box = node.querySelector("rect").getBoundingClientRect();
              const beside = document.elementFromPoint(box.right + 8, box.top + box.height / 2);
              return beside.closest(".node") === null; }"""
        )
        assert right_of_it


def test_the_status_page_says_how_things_are_across_its_width(browser: Browser) -> None:
    with served(shop()) as url, reader(browser, url, size=PHONE) as page:
        page.goto(f"{url}/status")
        sentence, card = (page.locator(one).first.bounding_box() for one in (".sentence", ".card"))
        assert sentence is not None
        assert card is not None
        assert sentence["width"] == card["width"]


def test_a_search_says_that_nothing_fits_and_takes_it_back(browser: Browser) -> None:
    with served(shop()) as url, reader(browser, url) as page:
        page.goto(url)
        page.get_by_label("Search").fill("no such thing")
        expect(page.get_by_text("Nothing fits.")).to_be_visible()
        page.get_by_label("Search").fill("")
        expect(page.locator(".row")).to_have_count(11)
        expect(page.get_by_text("Nothing fits.")).to_have_count(0)


def test_an_older_search_that_answers_late_is_not_shown(browser: Browser) -> None:
    with served(shop()) as url, reader(browser, url) as page:
        late: list[Route] = []

        def keep(route: Route) -> None:
            late.append(route)

        page.route("**/rows?q=cache-1", keep)
        page.goto(url)
        with page.expect_request("**/rows?q=cache-1"):
            page.get_by_label("Search").fill("cache-1")
        page.get_by_label("Search").fill("imap")
        expect(page.locator(".row")).to_have_count(1)
        with page.expect_response("**/rows?q=cache-1"):
            late[0].continue_()
        expect(page.locator(".row")).to_contain_text("imap")


def test_who_has_scrolled_far_stays_there_when_something_changes(browser: Browser) -> None:
    monitor = ScriptedMonitor(*named([f"svc-{number:04}" for number in range(1200)]))
    with served(monitor) as url, reader(browser, url) as page:
        page.goto(url)
        page.locator("#live.on").wait_for()
        for count in range(200, 1300, 100):
            page.locator(".more").scroll_into_view_if_needed()
            expect(page.locator(".row")).to_have_count(count)
        monitor.tell("svc-0001", "down", cause="refused", layer="port", summary="gone")
        expect(page.locator("#sentence")).to_contain_text("svc-0001")
        expect(page.locator(".row")).to_have_count(1200)
        assert len(set(page.eval_on_selector_all(".row", "rows => rows.map((one) => one.id)"))) == 1200


def test_who_reads_the_facts_still_sees_what_changes(browser: Browser) -> None:
    monitor = ScriptedMonitor(*named(["shop-db"]))
    monitor.tell("shop-db", "up", observations=[seen("port", facts={"backlog": 5})])
    with served(monitor) as url, reader(browser, url, who="editor") as page:
        page.goto(f"{url}/targets/shop-db")
        page.locator("#live.on").wait_for()
        page.get_by_text("facts", exact=True).click()
        page.get_by_role("button", name="Look now").focus()
        monitor.tell("shop-db", "down", cause="refused", layer="port", summary="gone")
        expect(page.locator(".big")).to_have_text("gone")
        expect(page.get_by_text("backlog")).to_be_visible()
        expect(page.get_by_role("button", name="Look now")).to_be_focused()


def test_what_changed_while_somebody_wrote_is_shown_when_they_are_done(browser: Browser) -> None:
    monitor = ScriptedMonitor(*named(["shop-db"]))
    with served(monitor) as url, reader(browser, url, who="editor") as page:
        page.clock.install()
        page.goto(f"{url}/targets/shop-db")
        page.locator("#live.on").wait_for()
        page.get_by_text("Silence …").click()
        page.get_by_label("Why", exact=True).fill("moving house")
        with page.expect_console_message(lambda said: said.text == "told"):
            page.evaluate(
                """() => new Promise((open) => { const beside = new EventSource("/api/v1/events");
                  beside.addEventListener("open", open);
                  beside.addEventListener("target", () => console.log("told")); })"""
            )
            monitor.tell("shop-db", "down", cause="refused", layer="port", summary="gone")
        page.clock.run_for(1_000)
        assert page.get_by_label("Why", exact=True).input_value() == "moving house"
        page.get_by_text("Silence …").click()
        expect(page.locator(".big")).to_have_text("gone")


def test_a_stream_that_was_refused_is_asked_for_again(browser: Browser) -> None:
    monitor = ScriptedMonitor(*named(["shop-db"]))
    with served(monitor) as url:
        context = browser.new_context()
        page = context.new_page()
        page.clock.install()
        page.route("**/api/v1/events", lambda route: route.fulfill(status=502), times=1)
        page.goto(url)
        expect(page.locator("#live")).to_have_text("not live")
        page.clock.run_for(6_000)
        expect(page.locator("#live")).to_have_text("live")
        context.close()


@pytest.mark.parametrize("name", ["100%20 ä", "a?b=c&d#e", "a/b", "%2F"])
def test_after_a_form_one_is_back_whatever_the_name(browser: Browser, name: str) -> None:
    monitor = ScriptedMonitor(*named([name]))
    with served(monitor) as url, reader(browser, url, who="editor") as page:
        page.goto(url)
        page.locator(".row > a").click()
        page.get_by_role("button", name="Look now").click()
        page.wait_for_function("performance.getEntriesByType('navigation')[0].redirectCount === 1")
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        assert monitor.looked_at == [name]

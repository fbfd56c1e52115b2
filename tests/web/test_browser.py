"""The pages in a real browser: what a person does, and sees."""

import contextlib
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.web.chromium import DESK, PHONE, WALL, chromium, reader
from tests.web.fake_accounts import FakeAccounts
from tests.web.scripted import ScriptedMonitor, incident, named, seen
from tests.web.served import served
from tests.web.shop import ShopMachines, break_cache, shop, shop_trial

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202e\"'{{7*7}}\r\nSet-Cookie: a=b"
PAGES = ("/", "/incidents", "/incidents/17", "/targets/redis-cache", "/targets/checkout", "/map", "/machines",
         "/journeys", "/settings", "/status", "/welcome")  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@contextlib.contextmanager
def at_the_shop(
    *, is_broken: bool = True, accounts: FakeAccounts | None = None
) -> Iterator[tuple[ScriptedMonitor, str]]:
    monitor = shop(is_broken=is_broken)
    with served(monitor, accounts, machines=ShopMachines(), trial=shop_trial) as url:
        yield monitor, url


def test_the_first_visit_sets_up_an_account_and_leads_on(browser: Browser) -> None:
    accounts = FakeAccounts()
    with at_the_shop(accounts=accounts) as (_, url), reader(browser, url) as page:
        page.goto(url)
        page.get_by_role("link", name="Sign in").click()
        expect(page.get_by_role("heading", name="Welcome to trueup")).to_be_visible()
        page.get_by_label("The word that trueup printed").fill("console-word")
        page.get_by_label("Your name").fill("ann")
        page.get_by_label("A password").fill("a long enough one")
        page.get_by_role("button", name="Make the account").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("trueup watches 11 things")
        page.get_by_role("link", name="To the overview").click()
        expect(page.get_by_text("ann", exact=True)).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("link", name="Sign in").click()
        page.get_by_label("Name").fill("ann")
        page.get_by_label("Password").fill("a long enough one")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def _listening(monitor: ScriptedMonitor) -> None:
    ends_s = time.monotonic() + 20
    while monitor.listeners == 0:
        assert time.monotonic() < ends_s
        time.sleep(0.01)


def test_a_change_is_on_the_screen_without_reloading(browser: Browser) -> None:
    from datetime import UTC, datetime

    with at_the_shop(is_broken=False) as (monitor, url), reader(browser, url) as page:
        page.goto(url)
        expect(page.locator("#sentence")).to_have_text("All 11 are up")
        page.evaluate("window.same = true")
        _listening(monitor)
        page.evaluate(
            """() => { window.shown = new Promise((found) => new MutationObserver(() => {
              if (document.querySelector("#t-redis-cache.is-down")) found(Date.now());
            }).observe(document.body, {subtree: true, childList: true, attributes: true})); }"""
        )
        told_ms = time.time() * 1000
        break_cache(monitor, datetime.now(UTC))
        took_ms = page.evaluate("window.shown") - told_ms
        expect(page.locator("#sentence")).to_contain_text("4 things are broken: redis-cache on cache-1")
        expect(page.locator(".row").first).to_contain_text("redis-cache")
        assert page.evaluate("window.same") is True
        assert page.title().startswith("4 things are broken")
        assert took_ms < 1000 * _slowness(page), f"{took_ms:.0f} ms"


def _slowness(page: Page) -> float:
    """How much busier this machine is than an idle one: a page that asks for nothing, twenty times."""
    took_ms: float = page.evaluate(
        """async () => { const begun = performance.now();
          for (let n = 0; n < 20; n++) await (await fetch("/health")).text();
          return performance.now() - begun; }"""
    )
    return max(1.0, took_ms / 100)


def test_looking_now_acknowledging_and_silencing(browser: Browser) -> None:
    with at_the_shop() as (monitor, url), reader(browser, url, who="editor") as page:
        page.goto(f"{url}/targets/redis-cache")
        page.get_by_role("button", name="Look now").click()
        expect(page.get_by_role("heading", name="redis-cache", level=1)).to_be_visible()
        assert monitor.looked_at == ["redis-cache"]
        page.get_by_text("Silence …").click()
        page.get_by_label("Why", exact=True).fill("moving house")
        page.get_by_role("button", name="Silence", exact=True).click()
        expect(page.get_by_text("Silenced by editor")).to_contain_text("moving house")
        page.get_by_role("link", name="#17").first.click()
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_text("editor acknowledges it")).to_be_visible()
        assert monitor.incident_documents[-1]["acknowledged_by"] == "editor"
        page.get_by_text("Add a note …").click()
        page.get_by_label("Note").fill("The cache gets more memory.")
        page.get_by_label("Who may read it").select_option("yes")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_text("The cache gets more memory.")).to_be_visible()
        page.goto(f"{url}/status")
        expect(page.get_by_text("The cache gets more memory.")).to_be_visible()
        expect(page.get_by_text("editor")).to_have_count(0)


def test_a_viewer_is_offered_nothing_that_changes_something(browser: Browser) -> None:
    with at_the_shop() as (_, url), reader(browser, url, who="viewer") as page:
        for path in ("/targets/redis-cache", "/incidents/17", "/settings"):
            page.goto(url + path)
            assert page.locator("main form[method=post]").count() == 0


def test_settings_click(browser: Browser) -> None:
    with at_the_shop() as (monitor, url), reader(browser, url, who="admin") as page:
        page.goto(f"{url}/settings")
        page.get_by_role("button", name="Test hook").click()
        expect(page.get_by_role("heading", name="The test arrived")).to_be_visible()
        page.goto(f"{url}/settings")
        form = page.locator("#maintenance form")
        form.get_by_label("Targets").fill("shop-*")
        form.get_by_label("For", exact=True).fill("2h")
        form.get_by_role("button", name="Plan").click()
        expect(page.locator("#maintenance tbody")).to_contain_text("shop-*")
        assert [one.planned for one in monitor.silences()] == [True]
        page.get_by_role("button", name="End maintenance 1").click()
        expect(page.get_by_text("None is planned.")).to_be_visible()
        page.locator("#tokens").get_by_role("button", name="Make a token").click()
        expect(page.get_by_role("heading", name="A new token")).to_be_visible()
        expect(page.locator(".log")).to_contain_text("tu_new")


def test_the_map_lights_the_root_and_what_it_takes_down(browser: Browser) -> None:
    with at_the_shop() as (_, url), reader(browser, url) as page:
        page.goto(f"{url}/map")
        expect(page.locator(".node.is-root")).to_have_count(1)
        expect(page.locator(".node.is-root")).to_contain_text("redis-cache")
        assert page.locator(".edge.is-hit").count() == 4
        page.get_by_label("Around").select_option("storage")
        page.get_by_role("button", name="Show").click()
        expect(page.locator(".node")).to_have_count(2)
        page.locator(".node", has_text="search").click()
        expect(page.get_by_role("heading", name="search", level=1)).to_be_visible()


def test_searching_grouping_and_keys(browser: Browser) -> None:
    with at_the_shop() as (_, url), reader(browser, url) as page:
        page.goto(url)
        page.keyboard.press("/")
        page.keyboard.type("cache-1")
        expect(page.locator(".row")).to_have_count(1)
        assert "q=cache-1" in page.url
        page.get_by_label("Search").fill("")
        expect(page.locator(".row")).to_have_count(11)
        page.get_by_label("Group by").select_option("tag")
        expect(page.locator(".group").first).to_contain_text("data")
        page.get_by_label("Group by").focus()
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        page.keyboard.press("j")
        focused = page.evaluate("document.activeElement.textContent")
        assert focused == page.locator(".row > a").nth(1).text_content()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=str(focused), level=1)).to_be_visible()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def test_without_a_script_everything_can_be_read(browser: Browser) -> None:
    with at_the_shop() as (_, url):
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        for path, words in (
            ("/", "out-of-memory"),
            ("/?state=degraded", "OpenSearch answers"),
            ("/targets/redis-cache", "killed by the OOM killer"),
            ("/incidents/17", "adding memory"),
            ("/map", "The root of the trouble"),
            ("/status", "Something is broken"),
        ):
            page.goto(url + path)
            expect(page.locator("main")).to_contain_text(words)
        page.goto(f"{url}/targets/redis-cache")
        assert page.locator("#plot polyline").count() == 2
        context.close()


@pytest.mark.parametrize(("size", "theme"), [(PHONE, "dark"), (DESK, "light"), (WALL, "dark")])
def test_no_page_is_wider_than_its_screen(browser: Browser, size: tuple[int, int], theme: str) -> None:
    with at_the_shop() as (_, url), reader(browser, url, size=size, theme=theme, who="admin") as page:
        for path in PAGES:
            page.goto(url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path
        ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        red = int(ground.removeprefix("rgb(").partition(",")[0])
        assert (red < 64) == (theme == "dark")


@pytest.mark.parametrize("path", ["/", "/journeys", "/settings"])
def test_the_menu_of_a_phone_shows_where_one_is(browser: Browser, path: str) -> None:
    with at_the_shop() as (_, url), reader(browser, url, size=PHONE) as page:
        page.goto(url + path)
        expect(page.locator(".top nav [aria-current]")).to_be_in_viewport(ratio=1)


def test_the_theme_can_be_chosen_and_is_kept(browser: Browser) -> None:
    with at_the_shop() as (_, url), reader(browser, url, theme="light") as page:
        page.goto(url)
        page.get_by_role("button", name="Change between dark and light").click()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.goto(f"{url}/incidents")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_plot_is_drawn(browser: Browser) -> None:
    with at_the_shop() as (monitor, url), reader(browser, url) as page:
        page.goto(f"{url}/targets/shop-db?range=week")
        expect(page.locator("#plot canvas")).to_be_visible()
        assert monitor.asked_history[-1][0] == "shop-db"


# ---- hostile words ----------------------------------------------------------------------------------------


def hostile() -> ScriptedMonitor:
    """Every word that comes from outside tries to be more than a word."""
    from dataclasses import replace

    from trueup.domain.target import Kind

    name = "<b>t</b>' onmouseover=alert(3) {{7*7}}"
    targets = (
        *named([name], tags=(HOSTILE,), host=HOSTILE, unit=HOSTILE, description=HOSTILE),
        *named(["needy"], needs=(name,)),
        replace(named(["trip"])[0], kind=Kind.JOURNEY),
    )
    monitor = ScriptedMonitor(*targets)
    facts = {"step": HOSTILE, "expected": HOSTILE, "seen": HOSTILE, HOSTILE: [HOSTILE], "issuer": HOSTILE,
             "expires_at": HOSTILE, "names": [HOSTILE]}  # fmt: skip
    broken = seen("service", "fail", "wrong-answer", HOSTILE, facts=facts, vantage=HOSTILE, at=HOSTILE)
    for one in targets:
        monitor.tell(
            one.name, "down", cause="wrong-answer", layer="service", blame=name, summary=HOSTILE,
            next=[HOSTILE, f"say: {HOSTILE}"], observations=[broken], incident=17, at=HOSTILE,
        )  # fmt: skip
        monitor.why[one.name] = {
            "timeline": [{"at": HOSTILE, "what": HOSTILE}],
            "rules": [
                {"rule": HOSTILE, "says": HOSTILE, "result": result, "cause": None, "would_say": HOSTILE}
                for result in ("speaks", "outranked", "no")
            ],
            "log": {"of": HOSTILE, "lines": [{"at": None, "text": HOSTILE}]},
            "missing": [HOSTILE],
        }
    told = {"channel": HOSTILE, "event": "opened", "sent_at": None, "result": HOSTILE}
    timeline = [
        {"at": "2026-11-21T10:00:00Z", "what": f"down, confirmed: x (public): {HOSTILE}"},
        {"at": "2026-11-21T10:00:00Z", "what": f"ann (public): {HOSTILE}"},
    ]
    monitor.incident_documents = [
        incident(17, name, summary=HOSTILE, next=[HOSTILE], timeline=timeline, notifications=[told],
                 acknowledged_by=HOSTILE, blame=HOSTILE, held_by=HOSTILE)
    ]  # fmt: skip
    monitor.health = {"state": "degraded", "problems": [HOSTILE]}
    return monitor


def test_hostile_words_are_only_words(browser: Browser) -> None:
    from urllib.parse import quote

    monitor = hostile()
    name = quote(monitor.targets[0].name, safe="")
    paths = [*PAGES, f"/targets/{name}", "/targets/trip", f"/?q={name}"]
    with (
        served(monitor, machines=ShopMachines(), trial=shop_trial) as url,
        reader(browser, url, who="admin") as page,
    ):
        for path in [one for one in paths if "redis" not in one and "checkout" not in one]:
            page.goto(url + path)
            html = page.content()
            assert "\x1b" not in html, path
            assert "\u202e" not in html, path
            assert page.locator("main script, main img, [onerror], [onmouseover]").count() == 0, path
            assert "49" not in page.locator("main").inner_text().split(), path
        page.goto(url)
        _listening(monitor)
        monitor.tell("needy", "down", summary=f"new {HOSTILE}", cause="refused")
        expect(page.locator("#t-needy")).to_contain_text("new <script>")


# ---- ten thousand -----------------------------------------------------------------------------------------


def test_ten_thousand_targets_come_in_a_small_first_view_and_stay_fluid(browser: Browser) -> None:
    names = [f"service-{number:05}" for number in range(10_000)]
    monitor = ScriptedMonitor(*named(names, tier=2))
    monitor.tell(names[7_777], "down", cause="refused", blame=names[7_777], summary="nothing listens")
    with served(monitor) as url, reader(browser, url) as page:
        sizes: list[int] = []
        page.on("requestfinished", lambda request: sizes.append(_bytes_of(request)))
        trivial_ms = _load_ms(page, f"{url}/login")
        first_ms = _load_ms(page, url)
        expect(page.locator("#sentence")).to_contain_text("1 thing is broken: service-07777")
        page.wait_for_load_state("load")
        assert sum(sizes) < 300_000
        # In time of this machine now: a page with nothing on it is one.
        assert first_ms < max(1000.0, 8 * trivial_ms), (
            f"{first_ms:.0f} ms, of {trivial_ms:.0f} for a trivial page"
        )
        assert page.locator(".row").count() == 100
        page.locator(".more").scroll_into_view_if_needed()
        expect(page.locator(".row").nth(150)).to_be_attached()
        page.get_by_label("Search").fill("service-09")
        expect(page.locator(".row").first).to_contain_text("service-09000")


def _bytes_of(request: Request) -> int:
    sizes = request.sizes()
    return sizes["responseBodySize"] + sizes["responseHeadersSize"]


def _load_ms(page: Page, url: str) -> float:
    """From asking to loaded, as the browser itself measures it."""
    page.goto(url, wait_until="load")
    took: float = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventStart")
    return took

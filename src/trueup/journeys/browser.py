"""What a person does in a browser, done by Chromium: open, fill, click, see.

Playwright drives the Chromium that is installed on the system. It is imported when the first such step is
performed; without it, or without Chromium, nobody knows what the step would have found.
"""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.journey import Browse, Click, Fill, Open, See, Step
from trueup.domain.printable import printable
from trueup.domain.secret import WORD_CHARS_MIN
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import TlsSettings
from trueup.journeys.page_words import Trouble, of_load_error, of_status
from trueup.journeys.places import NoPlaceError, Places
from trueup.journeys.walk import SEEN_CHARS_MAX, StepResult, Walk, unable
from trueup.probes.http import PROXY_PORT
from trueup.probes.http_peer import origin_of

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page, Playwright, Route

INSTALL: Final = 'the browser step needs Playwright: pip install "trueup[browser]"'
INSTALL_CHROMIUM: Final = "the browser step needs Chromium on this machine: apt install chromium"
PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_FORBIDDEN: Final = (
    "As a service of systemd it may be forbidden what a browser needs: see the comments in trueup.service"
)
WIDTH, HEIGHT = 1280, 800
SCREENSHOT_BYTES_MAX: Final = 2_000_000
END_S, SHOT_S = 2.0, 5.0
"""For each of what comes at the end, and for the screenshot; after that it's left to itself."""
WAIT_S, START_S = 45.0, 20.0
"""How long to wait for a place, and for the browser to start."""
LOOK_AGAIN_S: Final = 0.1
STARVED_S: Final = 1.5
"""An empty page that takes this long is no fault of anybody's page: this machine is too busy to judge."""
_PLACES: Final = Places(2)
"""A browser takes a processor and some hundred megabytes."""
_HANDED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_RUNTIME_DIR")
"""Of our environment; the rest may hold secrets, and a browser has no use for it."""


@dataclass(slots=True)
class _Stopped(Exception):  # noqa: N818 - the end of what a person could do
    """An action came to nothing."""

    number: int
    words: str
    trouble: Trouble
    expected: str


async def perform_browser(walk: Walk, step: Step, timeout_s: float) -> StepResult:
    """Do all of it in a fresh browser; of what fails, there's a screenshot.

    The time counts from when the browser is there: how long it takes to start says nothing of a page.
    """
    assert isinstance(step.action, Browse)
    try:
        import playwright.async_api  # noqa: F401 - is it here?
    except ImportError:
        return unable(INSTALL)
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        return unable(INSTALL_CHROMIUM)
    try:
        async with _PLACES.taken(WAIT_S), _browser(program, START_S) as browser:
            return await _Visit(walk, step.action, browser, timeout_s).go()
    except NoPlaceError as none:
        return unable(f"trueup has no room for a browser: {none}", Cause.MONITOR_STARVED)
    except _NotStartedError as error:
        return unable(f"Chromium doesn't start: {error}")


class _NotStartedError(Exception):
    pass


@contextlib.asynccontextmanager
async def _browser(program: str, left_s: float) -> AsyncIterator["Browser"]:
    """Started, and ended with all its processes."""
    from playwright.async_api import Error

    driver = browser = None
    try:
        try:
            async with asyncio.timeout(left_s):
                driver = await _driver()
                browser = await driver.chromium.launch(
                    executable_path=program,
                    headless=True,
                    timeout=left_s * 1000,
                    chromium_sandbox=os.geteuid() != 0,  # it refuses to be root inside one
                    args=["--disable-dev-shm-usage"],
                    env={name: os.environ[name] for name in _HANDED_ON if name in os.environ},
                )
        except TimeoutError:
            raise _NotStartedError(f"not within {left_s:.1f} s") from None
        except Error as error:
            raise _NotStartedError(f"{_first_line(error)}. {_FORBIDDEN}") from None
        yield browser
    finally:
        if browser is not None:
            await _within(END_S, browser.close())
        if driver is not None:
            await _within(END_S, driver.stop())


async def _driver() -> "Playwright":
    """Playwright's own program, which drives the browser."""
    from playwright.async_api import async_playwright

    try:
        return await async_playwright().start()
    except Exception as error:  # noqa: BLE001 - Playwright has no other class for that it's gone
        words = f"Playwright's driver has ended: {_first_line(error)}"
        raise _NotStartedError(f"{words}. {_FORBIDDEN}") from None


async def _within(limit_s: float, doing: Awaitable[Any]) -> Any:
    """Its result; None where it fails or takes longer."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(limit_s):
            return await doing
    return None


def _first_line(error: Exception) -> str:
    """Playwright's errors go on with what it was told to do, texts to fill in included."""
    return printable(str(error).partition("\n")[0].partition("Call log")[0], 160)


class _Visit:
    """One browser, one page, and the actions on it."""

    def __init__(self, walk: Walk, browse: Browse, browser: "Browser", timeout_s: float) -> None:
        self._walk, self._browse, self._browser = walk, browse, browser
        self._began_s = walk.clock.monotonic_s()
        self._ends_s = self._began_s + timeout_s

    async def go(self) -> StepResult:
        from playwright.async_api import Error

        context = await self._context()
        page = await context.new_page()
        stopped: _Stopped | None = None
        for number, action in enumerate(self._browse.actions, 1):
            try:
                await self._act(page, number, action)
            except _Stopped as end:
                stopped = end
            except Error as error:
                if page.is_closed() or "crash" in str(error).lower():
                    return unable("the browser itself crashed or went away")
                stopped = self._failed(number, action, error)
            if stopped is not None:
                break
        took_ms = round((self._walk.clock.monotonic_s() - self._began_s) * 1000, 3)
        if stopped is None:
            count = len(self._browse.actions)
            did = f"{count} action{'' if count == 1 else 's'} done, at {_shown_url(page.url)}"
            return StepResult(Outcome.PASS, did, took_ms=took_ms)
        if self._left_ms <= LOOK_AGAIN_S * 1000 and await self._is_starved():
            words = "trueup's machine is too busy to judge what a browser shows"
            return unable(words, Cause.MONITOR_STARVED)
        return await self._result(page, stopped, took_ms)

    async def _is_starved(self) -> bool:
        """Whether even an empty page is slow here."""
        began_s = self._walk.clock.monotonic_s()

        async def open_empty() -> bool:
            page = await self._browser.new_page()
            await page.evaluate("1")
            return True

        done = await _within(STARVED_S, open_empty())
        return done is None or self._walk.clock.monotonic_s() - began_s > STARVED_S

    @property
    def _left_ms(self) -> float:
        return max(1.0, (self._ends_s - self._walk.clock.monotonic_s()) * 1000)

    async def _context(self) -> "BrowserContext":
        tls = self._walk.tls or TlsSettings()
        opened = [one.url for one in self._browse.actions if isinstance(one, Open)]
        login = next((url for url in opened if url.password is not None), None)
        proxy = self._walk.http.proxy if self._walk.http is not None else None
        options: dict[str, Any] = {}
        if login is not None and login.password is not None:
            options["http_credentials"] = {
                "username": login.user or "",
                "password": login.password.reveal(),
                "origin": _origin(login),
            }
        if proxy is not None:
            options["proxy"] = {"server": f"http://{proxy.host}:{proxy.port or PROXY_PORT}"}
        context = await self._browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT}, ignore_https_errors=not tls.verify, **options
        )
        headers = self._walk.http.headers if self._walk.http is not None else {}
        if headers:
            await self._send_along(context, {name: value.reveal() for name, value in headers.items()})
        return context

    async def _send_along(self, context: "BrowserContext", headers: Mapping[str, str]) -> None:
        """Send ``headers`` with each request to the servers whose pages are opened, and to nobody else."""
        origins = tuple(_origin(one.url) + "/" for one in self._browse.actions if isinstance(one, Open))

        async def route(route: "Route") -> None:
            if route.request.url.startswith(origins):
                await route.continue_(headers={**await route.request.all_headers(), **headers})
            else:
                await route.continue_()

        await context.route("**/*", route)

    async def _act(self, page: "Page", number: int, action: Open | Fill | Click | See) -> None:
        if isinstance(action, Open):
            await self._open(page, number, action)
        elif isinstance(action, Fill):
            await page.locator(action.selector).first.fill(action.text.reveal(), timeout=self._left_ms)
        elif isinstance(action, Click):
            await page.locator(action.selector).first.click(timeout=self._left_ms)
        else:
            await self._see(page, number, action)

    async def _open(self, page: "Page", number: int, action: Open) -> None:
        from playwright.async_api import Error

        expected = f"{action.url.text} opens"
        try:
            response = await page.goto(_url(action.url), timeout=self._left_ms, wait_until="domcontentloaded")
        except Error as error:
            line = _first_line(error)
            raise _Stopped(number, f"{action.url.text} doesn't open", of_load_error(line), expected) from None
        if response is not None and response.status >= 400:
            raise _Stopped(number, f"{action.url.text} opens badly", of_status(response.status), expected)

    async def _see(self, page: "Page", number: int, action: See) -> None:
        wanted = " ".join(action.text.split())
        while wanted not in await _text(page):
            if self._left_ms <= LOOK_AGAIN_S * 1000:
                trouble = Trouble(Cause.WRONG_ANSWER, f"{action.text!r} isn't on the page")
                raise _Stopped(number, "see", trouble, f"{action.text!r} on the page")
            await asyncio.sleep(LOOK_AGAIN_S)

    def _failed(self, number: int, action: Open | Fill | Click | See, error: Exception) -> _Stopped:
        """A selector that nothing matches in time, or that is none."""
        assert isinstance(action, (Fill, Click))
        verb = "fill" if isinstance(action, Fill) else "click"
        if "Timeout" in type(error).__name__:
            trouble = Trouble(Cause.WRONG_ANSWER, f"nothing to {verb} at {action.selector!r} in time")
        else:
            trouble = Trouble(Cause.WRONG_ANSWER, f"can't {verb} {action.selector!r}")
        return _Stopped(number, verb, trouble, f"something to {verb} at {action.selector!r}")

    async def _result(self, page: "Page", stopped: _Stopped, took_ms: float) -> StepResult:
        trouble = stopped.trouble
        place = f"action {stopped.number} of {len(self._browse.actions)}, {stopped.words}: {trouble.words}"
        facts: dict[str, Any] = {"action": stopped.number, "page": _shown_url(page.url)}
        opened = [one.url for one in self._browse.actions[: stopped.number] if isinstance(one, Open)]
        tls = self._walk.tls
        if trouble.layer is Layer.TLS and tls is not None and tls.ca is not None:
            words = (
                f"{place}; Chromium knows no tls: {{ca}}, add the authority to its own store (~/.pki/nssdb)"
            )
            return StepResult(Outcome.UNKNOWN, words, took_ms=took_ms, facts=facts)
        title = await _within(END_S, page.title()) or ""
        text = await _within(END_S, _text(page)) or ""
        seen = printable(f"{title}: {text}" if title else text or "an empty page", SEEN_CHARS_MAX)
        return StepResult(
            Outcome.FAIL,
            place,
            trouble.cause,
            trouble.layer,
            expected=stopped.expected,
            seen=seen if trouble.layer is Layer.FUNCTION else trouble.words,
            address=opened[-1] if opened else None,
            took_ms=took_ms,
            facts=facts,
            screenshot=await self._screenshot(page),
        )

    async def _screenshot(self, page: "Page") -> bytes | None:
        """What was to be seen, with fields of passwords, and all that we filled in, covered."""
        filled = [one for one in self._browse.actions if isinstance(one, Fill)]
        covered = [page.locator("input[type=password]"), *(page.locator(one.selector) for one in filled)]
        words = [one.text.reveal() for one in filled if len(one.text.reveal()) >= WORD_CHARS_MIN]
        covered += [page.get_by_text(re.compile(re.escape(word))) for word in words]
        taking = page.screenshot(
            mask=covered, mask_color="#888", timeout=SHOT_S * 1000, animations="disabled"
        )
        taken = await _within(SHOT_S, taking)
        return taken if isinstance(taken, bytes) and len(taken) <= SCREENSHOT_BYTES_MAX else None


async def _text(page: "Page") -> str:
    """What can be read on it, any space as one; a page in the middle of a change has nothing."""
    from playwright.async_api import Error

    with contextlib.suppress(Error):
        return " ".join((await page.evaluate("document.body ? document.body.innerText : ''")).split())
    return ""


def _url(address: Address) -> str:
    """As the browser opens it; the login goes another way."""
    return f"{_origin(address)}{address.path or '/'}"


def _origin(address: Address) -> str:
    return f"{address.scheme}://{origin_of(address).name}"


def _shown_url(url: str) -> str:
    """Without query and fragment: they may hold a token."""
    return printable(url.partition("?")[0].partition("#")[0], 200)

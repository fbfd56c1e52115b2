"""The stream of changes."""

import asyncio
import json
from typing import Any

from tests.web.asking import HOST, ask, doorman, web
from tests.web.fake_accounts import READ, FakeAccounts
from tests.web.scripted import ScriptedMonitor, plain
from trueup.web.api import show_refusal
from trueup.web.events import event_gates
from trueup.web.gates import routes


async def listen(
    monitor: ScriptedMonitor,
    until: str,
    told: Any = None,
    accounts: FakeAccounts | None = None,
    **headers: str,
) -> str:
    """What the stream says until ``until`` is in it; ``told`` happens once somebody listens."""
    gate = doorman(accounts)
    app = routes(event_gates(monitor, gate, comment_every_s=0.02, again_s=0.05), gate, show_refusal)[0].app
    said, found, gone = bytearray(), asyncio.Event(), asyncio.Event()
    names = {"host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/v1/events",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in names.items()],
    }

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.extend(message.get("body", b""))
        if until.encode() in said:
            found.set()

    serving = asyncio.ensure_future(app(scope, receive, send))
    serving.add_done_callback(lambda _: found.set())
    async with asyncio.timeout(10):
        while told is not None and monitor.listeners == 0:  # noqa: ASYNC110 - the fake has no event for it
            await asyncio.sleep(0.001)
        if told is not None:
            told()
        await found.wait()
    gone.set()
    async with asyncio.timeout(10):
        await serving
    return said.decode()


def test_a_change_is_an_event_on_one_line() -> None:
    monitor = plain("up")
    said = asyncio.run(
        listen(monitor, '"x\\n\\ndata: y"', lambda: monitor.tell("t0", "down", summary="x\n\ndata: y"))
    )
    event = said.split("event: target\n")[1]
    assert event.startswith("id: ")
    shown = json.loads(event.partition("data: ")[2].partition("\n")[0])
    assert (shown["name"], shown["state"], shown["summary"]) == ("t0", "down", "x\n\ndata: y")


def test_silence_is_broken_by_comments_and_who_leaves_is_forgotten() -> None:
    monitor = plain("up")
    said = asyncio.run(listen(monitor, ": still here\n\n: still here"))
    assert said.startswith("retry: ")
    assert monitor.listeners == 0


def test_who_comes_back_is_told_that_they_missed_something() -> None:
    assert "event: missed" in asyncio.run(listen(plain("up"), "event: missed", last_event_id="abc\u00e9-9"))


def test_who_loses_the_right_to_read_hears_no_more() -> None:
    accounts, monitor = FakeAccounts(), plain("up")
    headers = {"host": "far.example", "authorization": f"Bearer {READ}"}
    said = asyncio.run(listen(monitor, "never", accounts.words.clear, accounts, **headers))
    assert said.startswith("retry: ")
    assert monitor.listeners == 0


def test_a_head_ends_at_once() -> None:
    assert ask(web(plain("up")), "/api/v1/events", "HEAD").status == 200

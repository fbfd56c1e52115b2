"""200 journeys of five HTTP steps each, begun all at once, beside checks that keep their time.

What counts is how late the checks begin, beside the same checks without any journey.
"""

import asyncio
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvloop

from tests.beds.nginx import nginx
from tests.beds.redis import redis
from trueup.app.clock import SystemClock
from trueup.checks.check import Check, check_address
from trueup.checks.look import look
from trueup.domain.address import parse_address
from trueup.domain.journey import HttpRequest, Journey, Save, SaveFrom, Step, StepKind
from trueup.domain.secret import Secret
from trueup.domain.states import Outcome
from trueup.domain.target import Kind, Target
from trueup.engine.engine import Engine
from trueup.journeys.perform import perform_journey
from trueup.monitor.schedule import Planned, Schedule
from trueup.probes.http_expect import Expect
from trueup.probes.registry import SCHEMES

JOURNEYS = 200
CHECKS = 400
EVERY_S = 1.0
BURST_EVERY_S = 5.0
LATE_MS_MOST = 250.0
"""At the 99th percentile: far below what any interval could notice."""
PAGES = """
location /login {
    default_type application/json;
    add_header Set-Cookie "session=abc";
    return 200 '{"token": "t-1234"}';
}
location / { return 200 'the total is 12'; }
"""


def run(scale: float) -> int:
    """1 where the checks lose their schedule."""
    lasts_s = max(6.0, 20.0 * scale)
    with servers() as (web, store):
        alone = uvloop.run(measured(web, store, lasts_s, journeys=0))
        beside = uvloop.run(measured(web, store, lasts_s, journeys=JOURNEYS))
    for name, (late_ms, looks, took_s) in (("checks alone", alone), (f"beside {JOURNEYS} journeys", beside)):
        middle, high = statistics.median(late_ms), percentile(late_ms, 99)
        line = f"{name:20} {looks:6} looks, late by {middle:5.1f} ms at the median, {high:6.1f} ms at p99"
        print(
            f"{line}, {max(late_ms):6.1f} ms at most" + (f"; a burst took {took_s:.1f} s" if took_s else "")
        )
    lost = 1 - beside[1] / alone[1]
    print(f"looks lost: {max(0.0, lost):.1%}; bound: p99 {LATE_MS_MOST:.0f} ms, 1% lost")
    return 0 if percentile(beside[0], 99) <= LATE_MS_MOST and lost <= 0.01 else 1


@contextmanager
def servers() -> Iterator[tuple[str, str]]:
    """Where the journeys go, and what the checks look at."""
    with nginx(PAGES, http="keepalive_timeout 5s;") as web, redis() as store:
        yield web.url, store.url


async def measured(web: str, store: str, lasts_s: float, *, journeys: int) -> tuple[list[float], int, float]:
    """How late each look began, in ms; how many looks there were; the median time of a burst in seconds."""
    schedule, clock = Schedule(), SystemClock()
    checks = {f"c{place}": _check(store, place) for place in range(CHECKS)}
    schedule.plan((Planned(name, EVERY_S, 2) for name in checks), time.monotonic())
    bursts: list[float] = []
    looks = 0
    async with Engine() as engine, asyncio.TaskGroup() as tasks:

        async def look_at(name: str) -> None:
            nonlocal looks
            seen = (await look(engine, checks[name], clock)).observations
            looks += all(one.outcome is Outcome.PASS for one in seen)
            schedule.finished(name)

        async def burst() -> None:
            began_s = time.monotonic()
            target, journey = Target("checkout", Kind.JOURNEY), _journey(web)
            done = await asyncio.gather(
                *(perform_journey(engine, target, journey, clock) for _ in range(journeys))
            )
            good = [one for one in done if all(seen.outcome is Outcome.PASS for seen in one.observations)]
            assert len(good) == journeys, f"{journeys - len(good)} journeys failed"
            bursts.append(time.monotonic() - began_s)

        ends_s = time.monotonic() + lasts_s
        next_burst_s = time.monotonic() + EVERY_S
        while (now_s := time.monotonic()) < ends_s:
            for name in schedule.due(now_s):
                tasks.create_task(look_at(name))
            if journeys and now_s >= next_burst_s:
                next_burst_s += BURST_EVERY_S
                tasks.create_task(burst())
            next_s = schedule.next_due_s()
            await asyncio.sleep(0.01 if next_s is None else max(0.0, min(0.01, next_s - now_s)))
    return [late_s * 1000 for late_s in schedule.late_s], looks, statistics.median(bursts or [0.0])


def _check(store: str, place: int) -> Check:
    """A port check and a service check, in turns."""
    text = store.replace("redis:", "tcp:") if place % 2 else store
    return check_address(parse_address(text, SCHEMES), 5.0)


def _journey(web: str) -> Journey:
    def step(method: str, path: str, *save: Save, **more: object) -> Step:
        headers = {"Authorization": Secret("Bearer ${token}")} if not save else {}
        url = parse_address(web + path, SCHEMES)
        action = HttpRequest(method, url, headers, **more)  # type: ignore[arg-type]
        return Step(StepKind.HTTP, action, Expect(status=200), save)

    return Journey(
        (
            step("POST", "/login", Save("token", SaveFrom.JSON, "token"), json={"password": "a-long-word"}),
            step("GET", "/cart"),
            step("POST", "/cart", json={"article": "umbrella"}),
            step("POST", "/orders", form={"pay": Secret("now-or-never")}),
            step("DELETE", "/cart"),
        )
    )


def percentile(values: list[float], rank: int) -> float:
    """That much of a hundred are at or below it."""
    return statistics.quantiles(values, n=100)[rank - 1]

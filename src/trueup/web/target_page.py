"""The page of one target: the verdict, what it stands on, how it was, and what can be done."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from trueup.domain.states import Layer
from trueup.domain.target import Target
from trueup.web.access import Need
from trueup.web.asked import queried
from trueup.web.days import DAYS, bars, days, percent, uptime
from trueup.web.found import target_of
from trueup.web.gates import Gate
from trueup.web.lamps import lamps
from trueup.web.plot import RANGES, plot
from trueup.web.quiet import quiets
from trueup.web.rendering import rendered
from trueup.web.shown import Document, Shown

_INCIDENTS: Final = 200
_POINTS: Final = 240


def target_page_gates(shown: Shown) -> list[Gate]:
    """One gate: the page."""

    async def page(request: Request) -> Response:
        target = target_of(shown, request)
        asked = queried(request)
        span = asked.one_of("range", *RANGES) or "day"
        asked.finish()
        now = datetime.now(UTC)
        one = shown.explained(target)
        incidents = await shown.incidents(limit=_INCIDENTS, target=target.name)
        daily = await shown.history(target.name, now - timedelta(days=DAYS), now, 86400)
        recent = days(daily["points"], incidents, now)
        step_s = max(60, round(RANGES[span].total_seconds() / _POINTS))
        history = await shown.history(target.name, now - RANGES[span], now, step_s)
        return rendered(
            request,
            "target.html",
            target=target,
            one=one,
            lamps=lamps(one["observations"]),
            grid=grid_of(one["observations"]),
            heartbeat=shown.heartbeat_path(target.name),
            needs=_states(shown, target.needs),
            needed_by=_states(shown, [other.name for other in shown.targets if target.name in other.needs]),
            incidents=incidents[:10],
            bars=bars(recent),
            uptimes=[
                ("today" if count == 1 else f"{count} days", percent(uptime(recent[-count:])))
                for count in (1, 7, 30, 90)
            ],
            certificate=certificate_of(one["observations"]),
            quiets=[one for one in quiets(shown) if one.is_of(target)],
            ranges=RANGES,
            span=span,
            plot=plot(history["points"]),
            steps=steps_of(one["observations"]),
            has_picture=shown.screenshot(target.name) is not None,
        )

    return [Gate("GET", "/targets/{name:path}", Need.READ, page, "One target", gives="text/html")]


def _states(shown: Shown, names: Sequence[str]) -> list[Document]:
    by_name: dict[str, Target] = {target.name: target for target in shown.targets}
    return [shown.document(by_name[name]) for name in names if name in by_name]


def grid_of(observations: Sequence[dict[str, Any]]) -> tuple[list[str], list[tuple[str, list[Any]]]]:
    """Who looked from where at which layer: the vantages, and for each layer what each of them saw last."""
    vantages = list(dict.fromkeys(one["vantage"] for one in observations))
    seen = {(one["layer"], one["vantage"]): one for one in observations}
    layers = [layer.value for layer in Layer if any(one["layer"] == layer for one in observations)]
    return vantages, [(layer, [seen.get((layer, vantage)) for vantage in vantages]) for layer in layers]


def certificate_of(observations: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """What was seen of a certificate: of the one that ends first."""
    found = [one["facts"] for one in observations if one["facts"].get("expires_at")]
    return min(found, key=lambda facts: str(facts["expires_at"]), default=None)


def steps_of(observations: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps of a journey with their place in its whole time: ``begin`` and ``width`` in percent."""
    steps = [one for one in observations if "step" in one["facts"]]
    total_ms = sum(one["latency_ms"] or 0 for one in steps) or 1
    found, begun_ms = [], 0.0
    for one in steps:
        took_ms = one["latency_ms"] or 0
        place = {
            "begin": round(begun_ms / total_ms * 100, 2),
            "width": max(0.5, round(took_ms / total_ms * 100, 2)),
        }
        found.append({**one, **place})
        begun_ms += took_ms
    return found

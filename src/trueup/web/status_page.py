"""The public page and its feed: open to all, and made of the public view alone."""

from email.utils import format_datetime
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from trueup.domain.printable import printable
from trueup.web.access import Doorman, Need
from trueup.web.gates import Gate
from trueup.web.rendering import rendered
from trueup.web.shown import Shown
from trueup.web.status_view import Statuses, StatusView, Trouble

_CHARS_MAX: Final = 2000


def status_gates(shown: Shown, doorman: Doorman) -> list[Gate]:
    """Two gates: the page and the feed."""
    statuses = Statuses(shown)

    async def page(request: Request) -> Response:
        return rendered(request, "status.html", view=await statuses.view())

    async def feed(request: Request) -> Response:
        scheme = "https" if doorman.is_secure(request) else "http"
        text = rss(await statuses.view(), f"{scheme}://{doorman.host(request)}/status")
        return Response(text, media_type="application/rss+xml")

    gives = "application/rss+xml"
    return [
        Gate("GET", "/status", Need.NOTHING, page, "The public status page", gives="text/html"),
        Gate("GET", "/status.rss", Need.NOTHING, feed, "Its incidents and maintenance", gives=gives),
    ]


def rss(view: StatusView, url: str) -> str:
    """RSS 2.0."""
    items = [*map(_trouble, view.troubles)]
    for work in view.works:
        title = f"Maintenance: {', '.join(work.targets)}"
        begins = format_datetime(work.from_at) if work.from_at else ""
        items.append(_item(title, work.note, begins, f"maintenance-{title}-{begins}"))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{_xml(view.title)}</title>'
        f"<link>{_xml(url)}</link><description>{_xml(view.says)}</description>{''.join(items)}</channel></rss>"
    )


def _trouble(one: Trouble) -> str:
    over = " – over" if one.closed_at else ""
    title = f"{one.target} is {one.state.value}{over}"
    notes = "\n".join(note.text for note in one.notes)
    newest_at = one.closed_at or one.opened_at
    guid = f"incident-{one.id}{'-over' if one.closed_at else ''}"
    return _item(title, notes, format_datetime(newest_at), guid)


def _item(title: str, text: str, at: str, guid: str) -> str:
    dated = f"<pubDate>{_xml(at)}</pubDate>" if at else ""
    return (
        f"<item><title>{_xml(title)}</title><description>{_xml(text)}</description>{dated}"
        f'<guid isPermaLink="false">{_xml(guid)}</guid></item>'
    )


def _xml(text: str) -> str:
    return escape(printable(text, _CHARS_MAX))

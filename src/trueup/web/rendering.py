"""Pages from their templates. Nothing of a target is trusted: every text is made printable, then escaped."""

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from trueup import __version__
from trueup.domain.duration import show_duration
from trueup.domain.printable import printable
from trueup.web.access import Need
from trueup.web.gates import asker_of
from trueup.web.static_files import static_url

TEXT_CHARS_MAX: Final = 4000


def rendered(request: Request, template: str, status: int = 200, **words: Any) -> HTMLResponse:
    """The page of a template, as who asks for it sees it."""
    raw_path: bytes = request.scope.get("raw_path") or b""
    path = raw_path.decode("ascii", "replace") or request.url.path  # as it was asked: a name may have a %
    path += f"?{request.url.query}" if request.url.query else ""
    page = _PAGES.get_template(template).render(
        asker=asker_of(request),
        may_write=asker_of(request).may(Need.WRITE),
        here=path,
        now=datetime.now(UTC),
        version=__version__,
        **words,
    )
    return HTMLResponse(page, status)


def _finalize(value: Any) -> Any:
    """What every ``{{ }}`` goes through before it's escaped."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return ""
    return printable(value, TEXT_CHARS_MAX) if isinstance(value, str) else value


def _moment(said: str | datetime | None) -> Markup:
    """A time that people read, with its whole self for scripts."""
    if not said:
        return Markup("–")
    at = said if isinstance(said, datetime) else parsed(said)
    if at is None:
        return Markup("{}").format(printable(str(said), 40))
    exact = at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}">{}</time>').format(exact, f"{at:%d %b %Y %H:%M:%S} UTC")


def parsed(said: str) -> datetime | None:
    """A time as documents have it, or None."""
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def lasting(seconds: float) -> str:
    """A length of time in its two largest units."""
    whole = max(0, round(seconds))
    parts: list[str] = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, whole = divmod(whole, size)
        if count or (not parts and size == 1):
            parts.append(f"{count}{unit}")
        if len(parts) == 2 or (parts and count == 0):
            break
    return " ".join(parts)


def _since(said: str | None, until: str | datetime | None = None) -> str:
    begun = parsed(said) if said else None
    ended = parsed(until) if isinstance(until, str) else until
    if begun is None:
        return "–"
    return lasting(((ended or datetime.now(UTC)) - begun).total_seconds())


def _milliseconds(value: float | None) -> str:
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value / 1000:.2f} s"
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms" if value >= 1 else f"{value:.2f} ms"


def said(fact: Any) -> str:
    """A fact as people read it."""
    if isinstance(fact, (list, tuple)):
        return ", ".join(said(one) for one in fact)
    if isinstance(fact, dict):
        return ", ".join(f"{name}: {said(one)}" for name, one in fact.items())
    return "–" if fact is None else f"{fact}"


def _is_not_told(line: str) -> bool:
    """Whether a line of a timeline says why somebody wasn't told."""
    return line.startswith(("not told", "nobody is told", "nobody was told"))


def _pages() -> Environment:
    pages = Environment(
        loader=PackageLoader("trueup.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(
        part=lambda name: quote(str(name), safe=""),
        moment=_moment,
        since=_since,
        ms=_milliseconds,
        lasting=lasting,
        duration=show_duration,
        said=said,
    )
    pages.tests.update(match_not_told=_is_not_told)
    pages.globals.update(static=static_url, page_of=_page_of)
    return pages


def _page_of(path: str) -> str:
    """Which page of the menu a path belongs to."""
    first = path.partition("?")[0].split("/")[1]
    return "/" if first in ("", "targets") else f"/{first}"


_PAGES: Final = _pages()

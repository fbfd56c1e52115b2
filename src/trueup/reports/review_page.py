"""A review as one page of HTML that needs nothing else: no script, no font, no request to anywhere."""

from collections.abc import Iterator
from html import escape
from typing import Final

from trueup.domain.printable import printable
from trueup.reports.reading import Line, headline, sections
from trueup.reports.review import Review
from trueup.reports.roots import Root

_WIDTH: Final = 240
_HEIGHT: Final = 36
_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2430; --pale: #64707f; --ground: #fff; --line: #dde2e8;
  --mark: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --pale: #9aa5b3; --ground: #14181e; --line: #2b333d; --mark: #ff8a80; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); margin: 2rem auto;
  max-width: 56rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin-bottom: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p.when, .more, .nothing { color: var(--pale); } ul { list-style: none; padding: 0; margin: 0; }
li { border-top: 1px solid var(--line); padding: .5rem 0; overflow-wrap: anywhere; }
code { display: block; background: color-mix(in srgb, var(--line) 45%, transparent); padding: .3rem .5rem;
  border-radius: 4px; margin-top: .3rem; }
svg { display: block; margin: .3rem 0; max-width: 100%; }
.bar { fill: var(--mark); } .path { fill: none; stroke: var(--mark); stroke-width: 1.5; }
text { fill: var(--ink); font: 12px system-ui, sans-serif; }
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def page(found: Review) -> str:
    """The page. Everything that came from targets is escaped, and printable."""
    return "".join(_parts(found))


def _shown(text: str, chars_max: int = 400) -> str:
    return escape(printable(text, chars_max))


def _parts(found: Review) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    yield f"<title>trueup review</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
    yield f"<h1>{_shown(headline(found))}</h1>\n"
    yield f'<p class="when">{found.since_at:%Y-%m-%d %H:%M} to {found.until_at:%Y-%m-%d %H:%M} UTC</p>\n'
    for place, section in enumerate(sections(found)):
        yield f"<h2>{_shown(section.title)}</h2>\n"
        if place == 0 and found.roots:
            yield bars(found.roots)
        if section.lines:
            yield "<ul>\n"
            yield from map(_line, section.lines)
            yield "</ul>\n"
        else:
            yield f'<p class="nothing">{_shown(section.nothing)}</p>\n'
    yield "</body>\n</html>\n"


def _line(line: Line) -> str:
    more = f' <span class="more">{_shown(line.more)}</span>' if line.more else ""
    plot = path(line.series) if line.series else ""
    code = f"<code>{_shown(line.code)}</code>" if line.code else ""
    return f"<li>{_shown(line.text)}{more}{plot}{code}</li>\n"


def path(series: tuple[float, ...]) -> str:
    """A line through the series, from zero up."""
    top = max(series) or 1.0
    step = _WIDTH / max(1, len(series) - 1)
    points = " ".join(
        f"{place * step:.1f},{_HEIGHT - 1 - value / top * (_HEIGHT - 2):.1f}"
        for place, value in enumerate(series)
    )
    says = f"from {series[0]:.1f} to {series[-1]:.1f} ms"
    return (
        f'<svg role="img" aria-label="{says}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f'<polyline class="path" points="{points}"/></svg>'
    )


def bars(roots: list[Root]) -> str:
    """How long each root was broken, the longest first."""
    shown = [root for root in roots if root.lasted][:10]
    if not shown:
        return ""
    top, row, label = shown[0].lasted.total_seconds(), 20, 260
    parts = [
        f'<text x="0" y="{place * row + 14}">{_shown(f"{root.target}: {root.cause}", 38)}</text>'
        f'<rect class="bar" x="{label}" y="{place * row + 4}" height="{row - 8}" '
        f'width="{max(1.0, root.lasted.total_seconds() / top * 400):.1f}"/>'
        for place, root in enumerate(shown)
    ]
    height = len(shown) * row
    return (
        f'<svg role="img" aria-label="Time broken, by root" width="{label + 400}" height="{height}" '
        f'viewBox="0 0 {label + 400} {height}">{"".join(parts)}</svg>\n'
    )

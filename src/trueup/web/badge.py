"""The last hard state of a target as a small picture."""

from html import escape
from typing import Final

from trueup.domain.printable import printable
from trueup.domain.states import State

_COLOURS: Final = {
    State.UP: "#1a7f4b",
    State.DEGRADED: "#8a5a00",
    State.DOWN: "#b3261e",
    State.UNKNOWN: "#5b6472",
}
_CHAR: Final = 6.6
"""How wide a character of 11 px is, about; the text is set to the width that was reckoned."""


def badge(name: str, state: State) -> str:
    """An SVG: the name, and the state as a word on its colour."""
    shown = printable(name, 60)
    left, right = round(len(shown) * _CHAR) + 16, round(len(state.value) * _CHAR) + 16
    width = left + right
    said = escape(shown)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" '
        f'aria-label="{said}: {state.value}"><title>{said}: {state.value}</title>'
        f'<clipPath id="r"><rect width="{width}" height="20" rx="4"/></clipPath><g clip-path="url(#r)">'
        f'<rect width="{left}" height="20" fill="#3b4048"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{_COLOURS[state]}"/></g>'
        '<g fill="#fff" font-family="system-ui,Verdana,sans-serif" font-size="11">'
        f'<text x="8" y="14" textLength="{left - 16}" lengthAdjust="spacingAndGlyphs">{said}</text>'
        f'<text x="{left + 8}" y="14" textLength="{right - 16}" lengthAdjust="spacingAndGlyphs">'
        f"{state.value}</text></g></svg>"
    )

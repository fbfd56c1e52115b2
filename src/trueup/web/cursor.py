"""Where the next page begins, as a word that is only handed back."""

import base64
import binascii

from trueup.web.asked import Asked


def cursor_of(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode()


def place_of(asked: Asked, name: str = "cursor") -> int | None:
    """The place that ``cursor_of`` was given; None without one. A wrong one is a problem of ``asked``."""
    said = asked.words.get(name)
    if said is None or said == "":
        return None
    try:
        place = int(base64.urlsafe_b64decode(str(said)))
    except (binascii.Error, UnicodeError, ValueError):
        place = -1
    if not 0 <= place < 2**53:
        asked.wrong(name, "it was never given out", "leave it out to begin at the first page")
        return None
    return place

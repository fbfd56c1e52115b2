"""The known word that a mistyped one was likely meant to be."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The closest known word, in whatever case, or None where nothing is close."""
    import difflib

    words = {one.lower(): one for one in known}
    found = difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    return words[found[0]] if found else None

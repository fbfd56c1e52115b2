"""What a peer says, made safe to show: on a terminal, in a log, in a page."""

import unicodedata
from typing import Final

_NAMED: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(said: str | bytes, chars_max: int = 200) -> str:
    r"""``said`` on one line, control and direction-changing characters escaped, cut to ``chars_max``.

    Bytes are read as UTF-8 where they are UTF-8; others show as ``\xNN``.
    """
    text = said.decode("utf-8", "backslashreplace") if isinstance(said, bytes) else said
    if len(text) <= chars_max and text.isascii() and text.isprintable():
        return text
    shown = "".join(map(_shown, text[: chars_max + 1]))
    return shown if len(text) <= chars_max and len(shown) <= chars_max else shown[: chars_max - 1] + "…"


def is_text(word: str) -> bool:
    """Whether it can be written in UTF-8: bytes of the command line or the environment that weren't can't."""
    if word.isascii():
        return True
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(char: str) -> str:
    if " " <= char <= "~":
        return char
    if char in _NAMED:
        return _NAMED[char]
    if unicodedata.category(char) not in _INVISIBLE:
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

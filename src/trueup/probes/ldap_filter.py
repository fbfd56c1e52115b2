"""LDAP's search filters: from the words of RFC 4515 to the bytes of RFC 4511, 4.5.1.7."""

import re
from typing import Final

from trueup.domain.address import AddressError
from trueup.domain.printable import printable
from trueup.probes import ber

DEPTH_MAX: Final = 20
EVERY_ENTRY: Final = ber.octets(b"objectClass", 0x87)
"""``(objectClass=*)``, which is true of any."""

_LISTS: Final = {"&": 0xA0, "|": 0xA1}
_NOT, _SUBSTRINGS, _PRESENT, _EXTENSIBLE = 0xA2, 0xA4, 0x87, 0xA9
_COMPARISONS: Final = {"=": 0xA3, ">=": 0xA5, "<=": 0xA6, "~=": 0xA8}
_INITIAL, _ANY, _FINAL = 0x80, 0x81, 0x82

_NAME: Final = r"(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)"
_TYPE: Final = rf"{_NAME}(?:;[A-Za-z0-9-]+)*"
_ITEM: Final = re.compile(rf"({_TYPE}) *(>=|<=|~=|=)([^()\0]*)", re.DOTALL)
_RULED: Final = re.compile(rf"({_TYPE})?(:dn)?(?::({_NAME}))?:=([^*()\0]*)", re.DOTALL)
_ESCAPED: Final = re.compile(r"[0-9A-Fa-f]{2}")


def parse_filter(text: str) -> bytes:
    """The filter as a request holds it. The outermost parentheses may be left out.

    Raises:
        AddressError: it isn't one; the problem says where.
    """
    text = text.strip(" ")
    whole = text if text.startswith("(") else f"({text})"
    found, end = _filter(whole, 0, 0)
    if end != len(whole):
        raise _wrong(whole, end, "it goes on after its last )")
    return found


def _filter(text: str, start: int, depth: int) -> tuple[bytes, int]:
    """What begins with the parenthesis at ``start``, and where the text goes on after it."""
    if text[start : start + 1] != "(":
        raise _wrong(text, start, "a filter begins with (")
    if depth > DEPTH_MAX:
        raise _wrong(text, start, f"it's over {DEPTH_MAX} parentheses deep")
    kind, place = text[start + 1 : start + 2], start + 1
    if kind in _LISTS:
        parts, place = _filters(text, start + 2, depth)
        found = ber.element(_LISTS[kind], *parts)
    elif kind == "!":
        part, place = _filter(text, _past_spaces(text, start + 2), depth + 1)
        found = ber.element(_NOT, part)
    else:
        place = min(filter(lambda at: at >= 0, (text.find(mark, place) for mark in "()")), default=len(text))
        found = _item(text, start + 1, place)
    place = _past_spaces(text, place)
    if text[place : place + 1] != ")":
        raise _wrong(text, start, "no ) closes what begins")
    return found, place + 1


def _filters(text: str, start: int, depth: int) -> tuple[list[bytes], int]:
    found: list[bytes] = []
    place = _past_spaces(text, start)
    while text[place : place + 1] == "(":
        part, place = _filter(text, place, depth + 1)
        found.append(part)
        place = _past_spaces(text, place)
    if not found:
        raise _wrong(text, start, f"nothing stands after {text[start - 1]}")
    return found, place


def _past_spaces(text: str, place: int) -> int:
    while text[place : place + 1] == " ":
        place += 1
    return place


def _item(text: str, start: int, end: int) -> bytes:
    """What stands between two parentheses and has none in it."""
    item = text[start:end]
    if (ruled := _RULED.fullmatch(item)) is not None and (ruled[1] or ruled[3]):
        return _extensible(text, start, ruled)
    match = _ITEM.fullmatch(item)
    if match is None:
        raise _wrong(text, start, "a comparison is NAME=VALUE, or with >=, <=, ~=")
    name, sign, value = match[1].encode(), match[2], match[3]
    if sign == "=" and "*" in value:
        return _with_stars(text, start, name, value)
    if "*" in value:
        raise _wrong(text, start, f"after {sign} a star is written \\2a")
    return ber.element(_COMPARISONS[sign], ber.octets(name), ber.octets(_value(text, start, value)))


def _with_stars(text: str, start: int, name: bytes, value: str) -> bytes:
    """Presence, which is a star alone; else the pieces between the stars."""
    if value == "*":
        return ber.octets(name, _PRESENT)
    initial, *middle, final = value.split("*")
    tagged = [(_INITIAL, initial), *((_ANY, piece) for piece in middle), (_FINAL, final)]
    pieces = [ber.octets(_value(text, start, piece), tag) for tag, piece in tagged if piece]
    if not pieces:
        raise _wrong(text, start, "one star is enough")
    return ber.element(_SUBSTRINGS, ber.octets(name), ber.element(ber.SEQUENCE, *pieces))


def _extensible(text: str, start: int, match: re.Match[str]) -> bytes:
    """By a rule that is named, as Active Directory's for single bits: MatchingRuleAssertion, 4.5.1.7.7."""
    name, of_dn, rule, value = match.groups()
    parts = [ber.octets(word.encode(), tag) for tag, word in ((0x81, rule), (0x82, name)) if word]
    parts.append(ber.octets(_value(text, start, value), 0x83))
    return ber.element(_EXTENSIBLE, *parts, *([ber.element(0x84, b"\xff")] if of_dn else []))


def _value(text: str, start: int, value: str) -> bytes:
    first, *escaped = value.split("\\")
    said = [first.encode()]
    for piece in escaped:
        if not _ESCAPED.match(piece):
            raise _wrong(text, start, "after a backslash come two hexadecimal digits, as in \\2a for a star")
        said += [bytes.fromhex(piece[:2]), piece[2:].encode()]
    return b"".join(said)


def _wrong(text: str, place: int, why: str) -> AddressError:
    shown = printable(text[place:] or text, 40)
    return AddressError(
        f"the filter can't be read at {shown!r}: {why}", "as in (&(uid=ann)(mail=*)), RFC 4515"
    )

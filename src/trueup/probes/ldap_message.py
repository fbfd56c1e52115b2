"""LDAP's messages, as far as a look needs them (RFC 4511)."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

from trueup.conversation import Ask, Frame, Garbled, Receive, Step
from trueup.probes import ber
from trueup.probes.ldap_filter import EVERY_ENTRY

MESSAGES_MAX: Final = 20
"""How many messages may come for one question about one entry."""

START_TLS: Final = b"1.3.6.1.4.1.1466.20037"
SCOPES: Final = {"base": 0, "one": 1, "sub": 2}
"""How far a search goes: the entry alone, those directly below it, or itself and all below (4.5.1.2)."""

NO_ATTRIBUTE: Final = b"1.1"
"""Asked for where the entry alone matters (4.5.1.8)."""

_BIND_REQUEST, _UNBIND_REQUEST, _SEARCH_REQUEST, _EXTENDED_REQUEST = 0x60, 0x42, 0x63, 0x77
_SEARCH_ENTRY, _SEARCH_REFERENCE = 0x64, 0x73
_RESULTS: Final = frozenset({0x61, 0x65, 0x78})
"""The answers to bind and extended requests, and the end of a search's."""

_UNSOLICITED: Final = 0

Attributes = dict[bytes, tuple[bytes, ...]]
"""Values by name, the names in lower case."""


@dataclass(frozen=True, slots=True)
class Result:
    """A result code, the server's own words for it, and the entries that came before."""

    code: int
    words: bytes = b""
    entries: tuple[Attributes, ...] = ()


def ask(message_id: int, request: bytes, *, secret: bool = False) -> Generator[Step, bytes, Result]:
    """Ask, and read on until the result. A notice of disconnection (4.4.1) is a result as well.

    Raises:
        Garbled: the answer is no LDAP, or answers another question.
    """
    frame = Frame(ber.measure, ber.MESSAGE_BYTES_MAX + 6)
    step: Step = Ask(_message(message_id, request), frame, secret=secret)
    entries: list[Attributes] = []
    for _ in range(MESSAGES_MAX):
        said = yield step
        number, operation = _opened(said)
        if number not in {message_id, _UNSOLICITED}:
            raise Garbled(said)
        if operation.tag in _RESULTS:
            code, _, words = _first(operation, 3)
            return Result(code.number(), words.content, tuple(entries))
        if operation.tag == _SEARCH_ENTRY:
            entries.append(_attributes(operation))
        elif operation.tag != _SEARCH_REFERENCE:
            raise Garbled(said)
        step = Receive(frame)
    raise Garbled(said)


def search(
    base: bytes,
    *attributes: bytes,
    scope: int = 0,
    filter_: bytes = EVERY_ENTRY,
    entries_max: int = 0,
    time_limit_s: int = 0,
) -> bytes:
    """Read one entry, which may be the root entry, or look for others (4.5.1). A limit of 0 is none."""
    return ber.element(
        _SEARCH_REQUEST,
        ber.octets(base),
        ber.number(scope, ber.ENUMERATED),
        ber.number(0, ber.ENUMERATED),  # aliases: not followed
        ber.number(entries_max),
        ber.number(time_limit_s),
        ber.element(ber.BOOLEAN, b"\0"),  # values as well as names
        filter_,
        ber.element(ber.SEQUENCE, *map(ber.octets, attributes)),
    )


def bind(name: bytes, password: bytes) -> bytes:
    """A simple bind (4.2)."""
    return ber.element(_BIND_REQUEST, ber.number(3), ber.octets(name), ber.octets(password, 0x80))


def start_tls() -> bytes:
    """4.14.1."""
    return ber.element(_EXTENDED_REQUEST, ber.octets(START_TLS, 0x80))


def unbind(message_id: int) -> bytes:
    """The whole message (4.3): the server answers it by closing."""
    return _message(message_id, ber.element(_UNBIND_REQUEST))


def _message(message_id: int, operation: bytes) -> bytes:
    return ber.element(ber.SEQUENCE, ber.number(message_id), operation)


def _opened(said: bytes) -> tuple[int, ber.Element]:
    number, operation = _first(ber.read(said), 2)
    return number.number(), operation


def _first(whole: ber.Element, count: int) -> tuple[ber.Element, ...]:
    """The first parts of ``whole``: more may follow, which newer versions add (4.1.1)."""
    parts = tuple(whole.parts())
    if len(parts) < count:
        raise Garbled(whole.content)
    return parts[:count]


def _attributes(entry: ber.Element) -> Attributes:
    """4.5.2: a name, then a sequence of attributes, each a name and a set of values."""
    _, listed = _first(entry, 2)
    found: Attributes = {}
    for attribute in listed.parts():
        name, values = _first(attribute, 2)
        found[name.content.lower()] = tuple(value.content for value in values.parts())
    return found

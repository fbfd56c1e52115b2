"""What an LDAP address asks for: ``/base?attributes?scope?filter`` (RFC 4516)."""

from dataclasses import dataclass
from typing import Final

from trueup.domain.address import AddressError, unquote
from trueup.domain.printable import printable
from trueup.probes.ldap_filter import EVERY_ENTRY, parse_filter
from trueup.probes.ldap_message import NO_ATTRIBUTE, SCOPES, search

ENTRIES_MAX: Final = 1
"""One that is found is enough."""

TIME_LIMIT_S: Final = 60
"""How long the directory may look: by then nobody waits."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search. ``words`` say what it is for, printably; ``filter`` is as a request holds it."""

    base: str
    attributes: tuple[str, ...]
    scope: str
    filter: bytes
    words: str

    def request(self) -> bytes:
        """The search for one such entry, with its attributes where some are named."""
        attributes = [name.encode() for name in self.attributes] or [NO_ATTRIBUTE]
        return search(
            self.base.encode(),
            *attributes,
            scope=SCOPES[self.scope],
            filter_=self.filter,
            entries_max=ENTRIES_MAX,
            time_limit_s=TIME_LIMIT_S,
        )


def wanted_of(path: str) -> Wanted | None:
    """What an address's path asks for; None for nothing.

    Raises:
        AddressError: it's no search that could be made.
    """
    fields = [unquote(field) for field in path.removeprefix("/").split("?")]
    if not any(fields):
        return None
    base, attributes, scope, text, extensions, *more = [*fields, "", "", "", "", ""]
    if any(more) or extensions:
        raise AddressError("an LDAP address has no more than four parts", "BASE?ATTRIBUTES?SCOPE?FILTER")
    scope = scope.lower() or "base"
    if scope not in SCOPES:
        raise AddressError(f"unknown scope {printable(scope)!r}", f"known: {', '.join(SCOPES)}")
    names = tuple(name for name in attributes.split(",") if name)
    where = printable(base, 80) or "the root entry"
    if scope == "base" and not text:
        words = where
    else:
        how = {"base": "at", "one": "directly below", "sub": "at or below"}[scope]
        words = f"{printable(text, 80) or 'an entry'} {how} {where}"
    return Wanted(base, names, scope, parse_filter(text) if text else EVERY_ENTRY, words)

"""A functional check of several steps, as it is written; performing it is another matter."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote

from trueup.domain.address import Address
from trueup.domain.http_settings import WEB, HttpSettings
from trueup.domain.limits import Schemes
from trueup.domain.secret import Secret
from trueup.domain.target import Login, TlsSettings

JOURNEY_TIMEOUT_S: Final = 60.0
_REFERENCE: Final = re.compile(r"\$\{([A-Za-z_]\w*)\}", re.ASCII)


T = TypeVar("T")


class StepKind(StrEnum):
    """What a step does; each is a key of the configuration."""

    HTTP = "http"
    REDIS = "redis"
    POSTGRES = "postgres"
    MYSQL = "mysql"
    MAIL = "mail"
    DNS = "dns"
    AMQP = "amqp"
    PROBE = "probe"
    COMMAND = "command"
    BROWSER = "browser"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. ``json``, ``form`` and ``body`` are the body; at most one of them is set."""

    method: str
    url: Annotated[Address, WEB]
    headers: Mapping[str, Secret] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, Secret] | None = None
    body: Secret | None = None
    redirects: bool = True


@dataclass(frozen=True, slots=True)
class ProbeLook:
    """One look at an address. ``options`` are the probe's own; None for a bare ``HOST:PORT``."""

    address: Address
    options: Any
    tls: TlsSettings | None = None


@dataclass(frozen=True, slots=True)
class MailRoundTrip:
    """A mail sent by ``send`` that must be found by ``receive`` ``within`` this long; then it's deleted.

    ``from``, ``to``: left out, they are the user of the login, at the host where it names none.
    ``login``: for both servers, where their addresses carry none. ``mailbox``: where it's looked for.
    """

    send: Annotated[Address, Schemes(("smtp", "smtps", "submission"))]
    receive: Annotated[Address, Schemes(("imap", "imaps", "pop3", "pop3s"))]
    within_s: float = 60.0
    from_: str | None = None
    to: str | None = None
    login: Login | None = None
    mailbox: str = "INBOX"


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments; no shell reads them."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CommandExpect:
    """``status``: exit statuses that are a success. ``contains``: what it must print."""

    status: tuple[int, ...] = (0,)
    contains: str | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """A page is opened."""

    url: Annotated[Address, WEB]


@dataclass(frozen=True, slots=True)
class Fill:
    """A field, named by a CSS selector, is filled."""

    selector: str
    text: Secret


@dataclass(frozen=True, slots=True)
class Click:
    """What a CSS selector names is clicked."""

    selector: str


@dataclass(frozen=True, slots=True)
class See:
    """A text must be on the page."""

    text: str


@dataclass(frozen=True, slots=True)
class Browse:
    """What a person would do in a browser, in order."""

    actions: tuple[Open | Fill | Click | See, ...]


class SaveFrom(StrEnum):
    """Where a saved value comes from."""

    JSON = "json"
    HEADER = "header"
    COOKIE = "cookie"
    REGEX = "regex"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Save:
    """Keeps a value for later steps as ``${name}``.

    ``what``: a path as in ``items.0.id`` for ``json``, a name for ``header`` and ``cookie``, an
    expression for ``regex`` (its first group, else all of it), empty for ``value`` (a query's first).
    """

    name: str
    source: SaveFrom
    what: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``expect`` is set for http (the probe's own) and command; a probe's is in its options.

    ``secrets`` are the words from the environment and from files that stand in it, beside those that
    are secret by their key: none of them may be shown.
    """

    kind: StepKind
    action: HttpRequest | ProbeLook | MailRoundTrip | Command | Browse
    expect: Any = None
    save: tuple[Save, ...] = ()
    always: bool = False
    timeout_s: float | None = None
    slow_s: float | None = None
    name: str | None = None
    secrets: tuple[Secret, ...] = ()


@dataclass(frozen=True, slots=True)
class Journey:
    """The steps in order; ``http`` and ``tls`` hold for each of them. The target has the deadline."""

    steps: tuple[Step, ...]
    http: HttpSettings | None = None
    tls: TlsSettings | None = None


def filled(value: T, saved: Mapping[str, str]) -> T:
    """A step, or a part of one, with ``${name}`` of each saved value in its place.

    Looks through dataclasses, mappings and sequences, into secrets and the paths of addresses too; an
    address keeps the text that is shown. What isn't saved stays as it is.
    """
    found: Any = _filled(value, saved) if saved else value
    return found  # type: ignore[no-any-return]  # of the type of what was given


def _filled(value: Any, saved: Mapping[str, str]) -> Any:
    if isinstance(value, str) and not isinstance(value, StrEnum):
        return _REFERENCE.sub(lambda match: saved.get(match[1], match[0]), value)
    if isinstance(value, Secret):
        return Secret(_filled(value.reveal(), saved))
    if isinstance(value, Address):
        return replace(value, path=_filled(value.path, {name: _in_url(word) for name, word in saved.items()}))
    if is_dataclass(value) and not isinstance(value, type):
        return _filled_fields(value, saved)
    if isinstance(value, Mapping):
        return {name: _filled(inner, saved) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_filled(inner, saved) for inner in value)
    return value


def _in_url(word: str) -> str:
    """What a URL can't hold, percent-encoded: a saved word comes from the target (RFC 3986, 2)."""
    return quote(word, safe="/?:@!$&'()*+,;=%~")


def _filled_fields(value: Any, saved: Mapping[str, str]) -> Any:
    return replace(value, **{one.name: _filled(getattr(value, one.name), saved) for one in fields(value)})


def references(text: str) -> Iterator[str]:
    """The names that a text refers to as ``${name}``."""
    return (match[1] for match in _REFERENCE.finditer(text))

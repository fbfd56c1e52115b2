"""What of a journey must never be shown, in each of the forms in which it travels."""

import base64
import html
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, quote_plus

from trueup.domain.address import Address
from trueup.domain.journey import Browse, Fill, HttpRequest, Journey, Save, SaveFrom, Step, references
from trueup.domain.secret import WORD_CHARS_MIN, Secret, secrets_in
from trueup.domain.target import Login

_SOUNDS_SECRET: Final = re.compile(
    "auth|cookie|token|key|secret|session|sess|pass|pw|pin|otp|code|credential|signature|sid|csrf|jwt",
    re.IGNORECASE,
)
_OPEN_HEADERS: Final = frozenset(
    {"accept", "accept-language", "accept-encoding", "cache-control", "content-type", "user-agent"}
)
"""Their values say nothing of who we are."""
_URL_SAFE: Final = "/?:@!$&'()*+,;=%~"
_HEX: Final = re.compile("%[0-9A-F]{2}")
_FOLDERS: Final = frozenset({"PWD", "OLDPWD"})
_HARMLESS: Final = frozenset({"true", "false", "none", "null"})


class Hidden:
    """What is to be hidden of one walk, in each form; it becomes more on the way."""

    def __init__(self) -> None:
        self._known: set[Secret] = set()
        self.forms: set[Secret] = set()

    def add(self, secrets: Iterable[Secret]) -> None:
        """These too."""
        for secret in secrets:
            if secret not in self._known:
                self._known.add(secret)
                self.forms |= _forms_of(secret.reveal())


def forms_of(secrets: Iterable[Secret]) -> set[Secret]:
    """Each of them in each form."""
    found = Hidden()
    found.add(secrets)
    return found.forms


def secrets_of(journey: Journey) -> set[Secret]:
    """All that is written in it and secret. What refers to saved values isn't known yet."""
    found = set(secrets_in(journey.http))
    found |= {Secret(form) for login in _logins(journey.http) for form in _login_forms(login)}
    return found.union(*map(secrets_of_step, journey.steps))


def secrets_of_step(step: Step) -> set[Secret]:
    """The secrets of one step, those apart that refer to saved values."""
    found = set(_of_step(step))
    found |= {Secret(form) for login in _logins(step.action) for form in _login_forms(login)}
    return {secret for secret in found if not any(references(secret.reveal()))}


def secrets_of_environment() -> frozenset[Secret]:
    """What our environment holds, and a program that we run may say: by what its variables are called."""
    words = (
        word for name, word in os.environ.items() if _SOUNDS_SECRET.search(name) and name not in _FOLDERS
    )
    return frozenset(Secret(word) for word in words if word not in _HARMLESS)


def _of_step(step: Step) -> Iterator[Secret]:
    yield from step.secrets
    action = step.action
    if isinstance(action, HttpRequest):
        yield from (value for name, value in action.headers.items() if name.lower() not in _OPEN_HEADERS)
        yield from (value for name, value in (action.form or {}).items() if _SOUNDS_SECRET.search(name))
        yield from _of_json(action.json)
        if action.body is not None:
            yield action.body
    elif isinstance(action, Browse):
        fills = [one for one in action.actions if isinstance(one, Fill)]
        yield from (one.text for one in fills if _SOUNDS_SECRET.search(one.selector))
    else:
        yield from secrets_in(action)
    yield from (address.password for address in _addresses(action) if address.password is not None)


def _of_json(document: Any) -> Iterator[Secret]:
    """Texts whose key sounds like a secret."""
    if isinstance(document, Mapping):
        for name, value in document.items():
            if isinstance(value, str) and _SOUNDS_SECRET.search(str(name)):
                yield Secret(value)
            else:
                yield from _of_json(value)
    elif isinstance(document, (list, tuple)):
        for inner in document:
            yield from _of_json(inner)


def _logins(value: Any) -> Iterator[tuple[str, str]]:
    """Each user with his password, wherever they stand."""
    if isinstance(value, Login):
        yield value.user or "", value.password.reveal()
    elif isinstance(value, Address):
        if value.password is not None:
            yield value.user or "", value.password.reveal()
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _logins(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _logins(inner)
    else:
        for name in getattr(value, "__dataclass_fields__", ()):
            yield from _logins(getattr(value, name))


def _addresses(value: Any) -> Iterator[Address]:
    if isinstance(value, Address):
        yield value
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _addresses(inner)
    else:
        for name in getattr(value, "__dataclass_fields__", ()):
            yield from _addresses(getattr(value, name))


def _login_forms(login: tuple[str, str]) -> Iterator[str]:
    """As Basic (RFC 7617) and SASL PLAIN (RFC 4616) carry it: nobody needs a key to read these."""
    user, password = login
    yield base64.b64encode(f"{user}:{password}".encode()).decode()
    yield base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def is_secret(save: Save) -> bool:
    """Whether a saved value is one to be hidden: whoever has a session's token may act as us."""
    if save.source is SaveFrom.COOKIE:
        return True
    return any(_SOUNDS_SECRET.search(word) for word in (save.name, save.what))


@lru_cache(maxsize=4096)
def _forms_of(word: str) -> frozenset[Secret]:
    """As it is, and as it stands in a URL, a form, a JSON text and a base64 word."""
    return frozenset(map(Secret, _forms(word)))


def _forms(word: str) -> Iterator[str]:
    for one in (word, word.strip(), *_after_scheme(word)):
        if len(one) < WORD_CHARS_MIN:
            continue
        yield one
        quoted = (quote(one, safe=""), quote_plus(one), quote(one), quote(one, safe=_URL_SAFE))
        yield from quoted
        yield from (_HEX.sub(lambda code: code[0].lower(), form) for form in quoted)
        for in_json in (json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1]):
            yield in_json
            yield json.dumps(in_json)[1:-1]  # an answer often quotes what it was sent
            yield json.dumps(in_json, ensure_ascii=False)[1:-1]
        yield html.escape(one)
        yield base64.b64encode(one.encode()).decode()


def _after_scheme(word: str) -> tuple[str, ...]:
    """The word of ``Bearer WORD``."""
    scheme, space, rest = word.partition(" ")
    return (rest.strip(),) if space and scheme.isalpha() else ()

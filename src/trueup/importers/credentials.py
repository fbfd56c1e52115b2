"""Secrets in what other monitors have: taken out, and referred to."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote, urlunsplit

from trueup.importers.carried import Carried, Reference, joined
from trueup.importers.placing import split_url

_TELLING: Final = re.compile(
    r"auth|token|secret|passw|passphrase|^pass$|pwd|^pw$|^pin$|cookie|session|signature|credential|api[-_]?key|private[-_]?key|"
    r"access[-_]?key|^key$|^sig$",
    re.IGNORECASE,
)
_HARMLESS: Final = re.compile(r"(author(s|ity)?|(token|auth)_?type)", re.IGNORECASE)

_TELLING_TEXT: Final = re.compile(
    r"passw|passphrase|\bpass\b|pwd|\bpw\b|secret|token|api[-_]?key", re.IGNORECASE
)


def is_telling(word: str) -> bool:
    """Whether what goes by this name is likely a secret."""
    return bool(_TELLING.search(word)) and not _HARMLESS.fullmatch(word)


def taken_out(carried: Carried, name: str, url: str) -> tuple[Reference, dict[str, Any] | None]:
    """A URL without its credentials and with its telling parameters referred to, and the login it had.

    A URL that is a reference keeps those that it has.
    """
    kind = type(url)
    parts = split_url(url)
    info, _, place = parts.netloc.rpartition("@")
    user, _, password = info.partition(":")
    login = None
    if password:
        meaning = f"the password in the address of {name}"
        known = bool(re.fullmatch(r"\$\{\w+\}", password))
        word = (
            Reference(password) if known else carried.secret(f"{name}_password", meaning, unquote(password))
        )
        login = login_of(unquote(user), word)
    elif user:
        place = f"{user}@{place}"
    before = urlunsplit((parts.scheme, place, parts.path, "", ""))
    query = [kind("?"), *_query(carried, name, parts.query, kind)] if parts.query else []
    return joined(kind(before), *query), login


def _query(carried: Carried, name: str, query: str, kind: type[str]) -> list[str]:
    parts: list[str] = []
    for place, pair in enumerate(query.split("&")):
        key, _, value = pair.partition("=")
        parts += [kind("&")] if place else []
        if value and is_telling(unquote(key)) and not value.startswith("${"):
            word = carried.secret(f"{name}_{key}", f"the parameter {key} of {name}", value)
            parts += [kind(f"{key}="), word]
        else:
            parts.append(kind(pair))
    return parts


def login_of(user: str | None, password: str | None) -> dict[str, Any] | None:
    """A login as it's configured."""
    if not password:
        return None
    return {"user": user, "password": password} if user else {"password": password}


def headers_into(carried: Carried, name: str, headers: Mapping[str, Any], keys: dict[str, Any]) -> None:
    """Put headers where they belong: telling ones where values are hidden, the others with the request."""
    plain: dict[str, Any] = {}
    for header, value in headers.items():
        text = value if isinstance(value, str) else json.dumps(value)
        if is_telling(header) and "${" not in text:
            word = carried.secret(f"{name}_{header}", f"the header {header} of {name}", text)
            keys.setdefault("http", {}).setdefault("headers", {})[header] = word
        elif is_telling(header):
            keys.setdefault("http", {}).setdefault("headers", {})[header] = text
        else:
            plain[header] = text
    if plain:
        keys.setdefault("send", {}).setdefault("headers", {}).update(plain)


def body_of(carried: Carried, name: str, body: Any) -> dict[str, Any]:
    """A request's body, as ``json`` where it's that, its secrets referred to; references in it stay."""
    text = body if isinstance(body, str) else json.dumps(body)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict | list):
        return {"json": _without(carried, name, document, type(text))}
    if "${" not in text and _TELLING_TEXT.search(text):
        return {"body": carried.secret(f"{name}_body", f"the body of the request of {name}", text)}
    return {"body": text}


def _without(carried: Carried, name: str, node: Any, kind: type[str], key: str = "") -> Any:
    if isinstance(node, list):
        return [_without(carried, name, inner, kind) for inner in node]
    if isinstance(node, dict):
        return {word: _without(carried, name, inner, kind, word) for word, inner in node.items()}
    if not isinstance(node, str):
        return node
    if node and is_telling(key) and not (kind is Reference and "${" in node):
        return carried.secret(f"{name}_{key}", f"{key} in the body of the request of {name}", node)
    return kind(node)


def encoded(word: str) -> str:
    """A word as it stands in a URL; references stay."""
    return word if isinstance(word, Reference) else quote(word, safe="@!#:+._~-")

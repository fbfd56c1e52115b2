"""The virtual hosts of nginx, from its configuration files: https://nginx.org/en/docs/. Pure.

What a directive leaves to variables or regular expressions isn't guessed at.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""\s+|\#[^\n]*|([{};])|"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|((?:\\.|\$\{[^}]*\}|[^\s{};"'])+)"""
)
_PASS: Final = re.compile(r"(?:http|https|grpc|grpcs)://([^/$\s]+)", re.ASCII)
_NO_NAMES: Final = frozenset({"_", "localhost", ""})
_GATEWAYS: Final = frozenset({"fastcgi_pass", "uwsgi_pass", "scgi_pass", "memcached_pass"})
_DEPTH_MAX: Final = 20
_DIRECTIVES_MAX: Final = 100_000
_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}

Include = Callable[[str], Sequence[str]]
"""The texts of the files that an ``include`` means."""


@dataclass(frozen=True, slots=True)
class Listen:
    """``address`` is empty for all."""

    address: str
    port: int
    tls: bool


@dataclass(frozen=True, slots=True)
class Site:
    """A ``server`` with names of its own. ``backends`` are hosts and ports that it passes requests on to."""

    names: tuple[str, ...]
    listens: tuple[Listen, ...]
    backends: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Directive:
    words: tuple[str, ...]
    block: tuple["Directive", ...] | None


def sites_of(text: str, include: Include) -> tuple[Site, ...]:
    """Every ``server`` within ``http``, also without a name; in the order of the files."""
    counted = [0]
    tree = _parsed(text, include, 0, counted)
    http = [one for top in tree if top.words[0] == "http" for one in top.block or ()]
    upstreams = {
        one.words[1]: tuple(_servers(one))
        for one in http
        if one.words[0] == "upstream" and len(one.words) > 1
    }
    return tuple(_site(one, upstreams) for one in http if one.words[0] == "server" and one.block is not None)


# ---- words, directives ----------------------------------------------------------------------------------


def _parsed(text: str, include: Include, depth: int, counted: list[int]) -> tuple[Directive, ...]:
    """``include`` is done where it stands. What ends too early ends there."""
    tokens = _tokens(text)
    return tuple(_block(tokens, include, depth, counted))


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Words and marks, and whether it's a mark."""
    for match in _TOKEN.finditer(text):
        if match[1]:
            yield match[1], True
        else:
            word = next((group for group in match.groups()[1:] if group is not None), None)
            if word is not None:
                yield word, False


def _block(
    tokens: Iterator[tuple[str, bool]], include: Include, depth: int, counted: list[int]
) -> Iterator[Directive]:
    words: list[str] = []
    for word, is_mark in tokens:
        if not is_mark:
            words.append(word)
            continue
        counted[0] += 1
        if word == "}" or counted[0] > _DIRECTIVES_MAX or depth > _DEPTH_MAX:
            return
        if word == "{":
            block = tuple(_block(tokens, include, depth + 1, counted))
            if words:
                yield Directive(tuple(words), block)
        elif words[:1] == ["include"] and len(words) == 2:
            for text in include(words[1]):
                yield from _parsed(text, include, depth + 1, counted)
        elif words:
            yield Directive(tuple(words), None)
        words = []


# ---- servers --------------------------------------------------------------------------------------------


def _site(server: Directive, upstreams: Mapping[str, tuple[tuple[str, int], ...]]) -> Site:
    block = server.block or ()
    ssl = any(one.words == ("ssl", "on") for one in block)
    listens = [_listen(one.words[1:], ssl=ssl) for one in block if one.words[0] == "listen"]
    names = [name for one in block if one.words[0] == "server_name" for name in one.words[1:]]
    passes = dict.fromkeys(place for one in _all(block) for place in _backends(one, upstreams))
    return Site(
        tuple(name for name in names if name not in _NO_NAMES and not set("*~$") & set(name)),
        tuple(one for one in listens if one is not None) or (Listen("", 80, tls=False),),
        tuple(passes),
    )


def _all(block: Sequence[Directive]) -> Iterator[Directive]:
    for one in block:
        yield one
        yield from _all(one.block or ())


def _listen(words: Sequence[str], *, ssl: bool) -> Listen | None:
    """``listen`` of an address, a port or both; None of a unix socket."""
    if not words or words[0].startswith("unix:"):
        return None
    address, port = _place(words[0], 80)
    return Listen("" if address == "*" else address, port, tls=ssl or "ssl" in words[1:])


def _place(text: str, default: int) -> tuple[str, int]:
    if text.isdecimal():
        return "", int(text)
    host, colon, port = text.rpartition(":")
    if colon and port.isdecimal() and (not text.startswith("[") or host.endswith("]")):
        return host.strip("[]"), int(port)
    return text.strip("[]"), default


def _servers(upstream: Directive) -> Iterator[tuple[str, int]]:
    for one in upstream.block or ():
        if one.words[0] == "server" and len(one.words) > 1 and not one.words[1].startswith("unix:"):
            yield _place(one.words[1], 80)


def _backends(
    directive: Directive, upstreams: Mapping[str, tuple[tuple[str, int], ...]]
) -> Iterator[tuple[str, int]]:
    if len(directive.words) != 2:
        return
    name, value = directive.words
    if name in ("proxy_pass", "grpc_pass"):
        match = _PASS.match(value)
        if match is None:
            return
        scheme = value.partition(":")[0]
        authority = match[1]
        default = _DEFAULT_PORTS[scheme]
    elif name in _GATEWAYS and not value.startswith("unix:") and "$" not in value:
        authority, default = value, 9000
    else:
        return
    if authority in upstreams:
        yield from upstreams[authority]
    elif not authority.startswith("unix"):
        yield _place(authority, default)

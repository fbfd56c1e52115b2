"""Monit's tests of ports and pings, in its words. https://mmonit.com/monit/documentation/monit.html"""

import re
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from trueup.importers.monit_statements import Statement
from trueup.importers.placing import split_url

_UNITS_S: Final = {
    "millisecond": 0.001,
    "second": 1.0,
    "minute": 60.0,
    "hour": 3600.0,
    "day": 86400.0,
    "month": 30 * 86400.0,
}
_SHORT_S: Final = {"ms": 0.001, "s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}


@dataclass(slots=True)
class PortTest:
    """One test. ``wanted`` is False where the test alerts when it succeeds.

    ``cycles``: so many failures, of so many looks, before the action.
    """

    wanted: bool = True
    ping: bool = False
    host: str = ""
    port: int | None = None
    socket: str = ""
    transport: str = "tcp"
    secure: bool = False
    verify: bool | None = None
    protocol: str = ""
    user: str = ""
    password: str = ""
    database: str = ""
    request: str = ""
    method: str = ""
    status: list[Any] = field(default_factory=list)
    contains: list[str] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    dialogue: list[tuple[str, str]] = field(default_factory=list)
    valid_s: float | None = None
    slow_s: float | None = None
    timeout_s: float | None = None
    cycles: tuple[int, int] = (1, 1)
    unsaid: list[str] = field(default_factory=list)
    """Parts of it for which trueup has no word."""


def port_test(statement: Statement) -> PortTest | None:
    """The test that a statement makes; None where it's about something else."""
    lowers = [word.lower for word in statement]
    test = PortTest(wanted="succeeded" not in lowers[:3])
    ends = lowers.index("then") if "then" in lowers else len(lowers)
    if not {"failed", "succeeded"} & {*lowers[:4]}:
        return None
    if {"ping", "ping4", "ping6", "icmp"} & {*lowers[:ends]}:
        test.ping = True
    elif not {"port", "unixsocket", "unix", "url"} & {*lowers[:ends]}:
        return None
    _Reader(test, statement[:ends]).read()
    return test


class _Reader:
    """Goes through a test word by word; words that mean nothing to it are Monit's noise."""

    def __init__(self, test: PortTest, words: Statement) -> None:
        self._test = test
        self._words = words
        self._place = 0

    def read(self) -> None:
        while self._place < len(self._words):
            word = self._words[self._place]
            take = getattr(self, f"_{word.lower.replace('-', '_')}", None) if word.lower.isascii() else None
            self._place += 1
            if take is not None and word.lower in _TAKEN:
                take()

    def _next(self, *, noise: frozenset[str] = frozenset({"=", "is", "to", "the"})) -> str:
        """The next word that isn't noise; nothing at the end."""
        while self._place < len(self._words):
            word = self._words[self._place]
            self._place += 1
            if word.quoted or word.lower not in noise:
                return word.text
        return ""

    def _peek(self) -> str:
        return self._words[self._place].text if self._place < len(self._words) else ""

    def _number(self) -> int:
        digits = re.match(r"\d+", self._next())
        return int(digits[0]) if digits else 0

    def _seconds(self) -> float | None:
        """``5 seconds``, ``5s``, ``200ms``."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([a-z]*)", self._next().lower())
        if match is None:
            return None
        unit = match[2] or self._peek().lower().rstrip("s")
        if not match[2] and unit in _UNITS_S:
            self._place += 1
        return float(match[1]) * (_UNITS_S.get(unit.rstrip("s")) or _SHORT_S.get(unit) or 1.0)

    def _host(self) -> None:
        self._test.host = self._next()

    def _port(self) -> None:
        self._test.port = self._number()

    def _unixsocket(self) -> None:
        self._test.socket = self._next()

    def _type(self) -> None:
        kind = self._next().lower()
        self._test.transport = "udp" if kind == "udp" else "tcp"
        self._test.secure |= kind in {"tcpssl", "ssl", "tls"}

    def _typeudp(self) -> None:
        self._test.transport = "udp"

    def _ssl(self) -> None:
        self._test.secure = True

    _tls = _ssl

    def _verify(self) -> None:
        self._test.verify = self._next(noise=frozenset({":", "="})).lower().strip(":") in {"enable", "true"}

    def _protocol(self) -> None:
        self._test.protocol = self._next().lower()

    _proto = _protocol

    def _username(self) -> None:
        self._test.user = self._next()

    def _password(self) -> None:
        self._test.password = self._next()

    def _database(self) -> None:
        self._test.database = self._next()

    def _url(self) -> None:
        """``url https://user:password@host:port/path?query``: all of it in one word."""
        parts = split_url(self._next())
        self._test.protocol, self._test.host = parts.scheme, parts.hostname or ""
        self._test.port = parts.port
        self._test.user, self._test.password = unquote(parts.username or ""), unquote(parts.password or "")
        self._test.request = f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _request(self) -> None:
        self._test.request = self._next()

    def _method(self) -> None:
        self._test.method = self._next().upper()

    def _hostheader(self) -> None:
        self._test.headers["Host"] = self._next()

    def _status(self) -> None:
        mark = self._peek()
        low = mark if mark in {"<", ">", "<=", ">=", "!=", "==", "="} else ""
        self._place += bool(low)
        code = self._number()
        if low == "<":
            self._test.status = [f"100-{code - 1}"]
        elif low == "<=":
            self._test.status = [f"100-{code}"]
        elif low in {"", "=", "=="}:
            self._test.status = [code]
        else:
            self._test.unsaid.append(f"status {low} {code}")

    def _content(self) -> None:
        mark = self._peek()
        self._place += mark in {"=", "==", "!="}
        text = self._next()
        (self._test.lacks if mark == "!=" else self._test.contains).append(text)

    def _send(self) -> None:
        self._test.dialogue.append(("send", self._next()))

    def _expect(self) -> None:
        self._test.dialogue.append(("expect", self._next()))

    def _http(self) -> None:
        if self._peek().lower() == "headers":
            self._headers()

    def _headers(self) -> None:
        """``http headers [Host: a.example, X-Probe: "monit"]``: the words up to the bracket."""
        while self._place < len(self._words) and self._words[self._place].text != "[":
            self._place += 1
        parts: list[str] = []
        while self._place < len(self._words) and self._words[self._place].text != "]":
            parts.append(self._words[self._place].text)
            self._place += 1
        for pair in " ".join(parts[1:]).split(" , "):
            name, colon, value = pair.partition(":")
            if colon:
                self._test.headers[name.strip()] = value.strip()

    def _certificate(self) -> None:
        while self._place < len(self._words) and not self._peek()[:1].isdecimal():
            self._place += 1
        self._test.secure = True
        self._test.valid_s = self._seconds()

    def _responsetime(self) -> None:
        self._place += self._peek() in {"<", ">"}
        self._test.slow_s = self._seconds()

    def _timeout(self) -> None:
        self._test.timeout_s = self._seconds()

    def _for(self) -> None:
        first = self._number()
        if self._peek().lower() == "times" and self._place + 2 < len(self._words):
            self._place += 2
            self._test.cycles = (first, self._number())
        else:
            self._test.cycles = (first, first)

    def _within(self) -> None:
        """``3 times within 5 cycles``, also without ``for``."""
        before = [word.text for word in self._words[: self._place - 1]]
        times = next((text for text in reversed(before) if text.isdecimal()), "1")
        self._test.cycles = (int(times), self._number())

    def _checksum(self) -> None:
        self._test.unsaid.append("checksum")


_TAKEN: Final = frozenset(
    {
        "certificate", "checksum", "content", "database", "expect", "for", "host", "hostheader", "http",
        "method", "password", "port", "proto", "protocol", "request", "responsetime", "send", "ssl", "status",
        "timeout", "tls", "type", "typeudp", "unixsocket", "url", "username", "verify", "within",
    }
)  # fmt: skip

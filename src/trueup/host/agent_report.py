"""What an agent sends: its machine's report, and how its own listeners answer when asked from the inside."""

import json
import operator
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.host.report import HostReport
from trueup.host.report_json import MalformedReport, decoded, encoded

SCHEMA: Final = 1
EVERY_S_MAX: Final = 3600.0


@dataclass(frozen=True, slots=True)
class LocalLook:
    """One layer of one listener, as the agent saw it on its own machine. ``speaks`` is a scheme."""

    address: str
    port: int
    layer: Layer
    outcome: Outcome
    observed_at: datetime
    cause: Cause | None = None
    detail: str = ""
    latency_ms: float | None = None
    speaks: str | None = None


@dataclass(frozen=True, slots=True)
class AgentReport:
    """``every_s``: the next one comes within this time."""

    report: HostReport
    every_s: float
    looks: tuple[LocalLook, ...] = ()
    schema: int = SCHEMA


_CHUNK: Final = 64
_MANY: Final = ("listeners", "processes", "units", "containers")
"""Fields of a report of which a machine has many, and which stay."""
_GZIP_HEAD: Final = b"\x1f\x8b\x08\0\0\0\0\0\x04\xff"
"""RFC 1952: deflate, no name, no time, fastest, made nowhere. The same report is the same bytes."""
_GZIP_TAIL: Final = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some nouns of a list, as they were written; ``packed`` is whole blocks of deflate."""

    nouns: tuple[Any, ...]
    texts: list[str]
    plain: bytes
    packed: bytes


class _List:
    """A list of nouns under its name, written one time after another.

    What is the very object of the time before is written as it was then, and a chunk of only
    such is packed as it was.
    """

    def __init__(self, name: str) -> None:
        self._open = f'"{name}":['
        self._nouns: tuple[Any, ...] | None = None
        self._chunks: list[_Chunk] = []

    def write(self, nouns: tuple[Any, ...]) -> list[_Chunk]:
        if nouns is not self._nouns:
            self._nouns, self._chunks = nouns, self._written(nouns)
        return self._chunks

    def _written(self, nouns: tuple[Any, ...]) -> list[_Chunk]:
        before, known = self._chunks, None
        chunks: list[_Chunk] = []
        for place in range(0, max(len(nouns), 1), _CHUNK):
            some = nouns[place : place + _CHUNK]
            was = before[len(chunks)] if len(chunks) < len(before) else None
            if was is None or not _are_same(was.nouns, some):
                if known is None:
                    known = {
                        id(one): text
                        for chunk in before
                        for one, text in zip(chunk.nouns, chunk.texts, strict=True)
                    }
                texts = [known.get(id(one)) or _text(encoded(one)) for one in some]
                was = _chunk(some, texts, "," if chunks else self._open)
            chunks.append(was)
        return chunks


class ReportWriter:
    """Writes one report after another, as JSON in UTF-8.

    A machine has thousands of listeners, and they stay: what the report before had is neither written nor
    packed again.
    """

    def __init__(self) -> None:
        self._lists = {name: _List(name) for name in (*_MANY, "looks")}

    def json(self, report: AgentReport) -> bytes:
        """The whole report."""
        return b"".join(plain for plain, _ in self._parts(report))

    def gzip(self, report: AgentReport) -> bytes:
        """The same, compressed."""
        sum_, length = 0, 0
        packed = [_GZIP_HEAD]
        for plain, part in self._parts(report):
            sum_, length = zlib.crc32(plain, sum_), length + len(plain)
            packed.append(part)
        return b"".join((*packed, _LAST_BLOCK, _GZIP_TAIL.pack(sum_, length & 0xFFFFFFFF)))

    def _parts(self, report: AgentReport) -> Iterator[tuple[bytes, bytes]]:
        """Plain and packed, in order."""
        of_report = report.report
        yield _OPEN
        for name in _MANY:
            for chunk in self._lists[name].write(getattr(of_report, name)):
                yield chunk.plain, chunk.packed
            yield _NEXT
        few = encoded(replace(of_report, listeners=(), processes=(), units=(), containers=()))
        yield _part(f"{_text(few | {'schema': of_report.schema})[1:]},")
        for chunk in self._lists["looks"].write(report.looks):
            yield chunk.plain, chunk.packed
        yield _NEXT
        yield _part(_text({"every_s": report.every_s, "schema": report.schema})[1:])


def _are_same(some: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    return len(some) == len(others) and all(map(operator.is_, some, others))


def _chunk(nouns: tuple[Any, ...], texts: list[str], begin: str) -> _Chunk:
    plain, packed = _part(begin + ",".join(texts))
    return _Chunk(nouns, texts, plain, packed)


def _part(text: str) -> tuple[bytes, bytes]:
    """Plain, and in blocks of deflate (RFC 1951) that refer to nothing before, and end on a byte."""
    plain = text.encode(errors="backslashreplace")
    deflate = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    return plain, deflate.compress(plain) + deflate.flush(zlib.Z_FULL_FLUSH)


def agent_report_json(report: AgentReport) -> bytes:
    """One report as JSON in UTF-8."""
    return ReportWriter().json(report)


def _text(plain: dict[str, Any]) -> str:
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)


_OPEN: Final = _part('{"report":{')
_NEXT: Final = _part("],")
_LAST_BLOCK: Final = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS).flush()
"""An empty one, which says that it's the last."""


def agent_report_from(body: bytes) -> AgentReport:
    """Raises:
    MalformedReport: not JSON, or not a report of this schema.
    """
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedReport("", f"not JSON: {error}") from error
    if isinstance(said, dict) and said.get("schema") != SCHEMA:
        raise MalformedReport("schema", f"{str(said.get('schema'))[:20]!r} isn't {SCHEMA}")
    report = decoded(AgentReport, said)
    if not 0 < report.every_s <= EVERY_S_MAX:
        raise MalformedReport("every_s", f"not between 0 and {EVERY_S_MAX:.0f}")
    return report

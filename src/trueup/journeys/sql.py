"""The value that a query gives, heard in passing: the probe says of rows only how many there are."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from trueup.conversation import Answer, Ask, Break, Conversation
from trueup.conversation import Step as Turn
from trueup.probes.mysqlwire import ServerError, parse_result
from trueup.probes.pgwire import parse, rows_of
from trueup.probes.probe import Probe
from trueup.probes.sql_expect import Row


def _postgres_rows(said: bytes) -> Sequence[Row]:
    return rows_of(parse(said))


def _mysql_rows(said: bytes) -> Sequence[Row]:
    found = parse_result(said)
    return () if isinstance(found, ServerError) else found.rows


_ROWS: Final[dict[str, Callable[[bytes], Sequence[Row]]]] = {
    "postgres": _postgres_rows,
    "mysql": _mysql_rows,
}


class Overheard:
    """A SQL probe whose query's answer is kept. ``rows`` are empty until it has come."""

    def __init__(self, probe: Probe, options: Any) -> None:
        self.rows: Sequence[Row] = ()
        self.probe = replace(probe, conversation=self._conversation)
        self._speak = probe.conversation
        self._parse = _ROWS[probe.name]
        self._statement: bytes = options.query.encode()

    def value(self) -> str | None:
        """The first column of the first row; None where there's none, or NULL."""
        first = self.rows[0] if self.rows else ()
        return first[0].decode("utf-8", "replace") if first and first[0] is not None else None

    def _conversation(self, options: Any) -> Conversation:
        talk = self._speak(options)
        try:
            turn = next(talk)
            while True:
                try:
                    said = yield turn
                except Break as broken:
                    turn = talk.throw(broken)
                else:
                    self._hear(turn, said)
                    turn = talk.send(said)
        except StopIteration as end:
            answer: Answer = end.value
        finally:
            talk.close()
        return answer

    def _hear(self, turn: Turn, said: bytes) -> None:
        if isinstance(turn, Ask) and self._statement in turn.data:
            self.rows = self._parse(said)

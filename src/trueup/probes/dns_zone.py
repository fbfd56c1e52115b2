"""Whether every name server of a zone says the same: those who ask are sent to any of them.

The server that is looked at tells who they are and where. Each is asked for itself; one that doesn't answer
is passed over by those who ask, so that it degrades the zone, and one that answers otherwise breaks it.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.conversation import (
    Answer,
    Ask,
    Astray,
    Beside,
    Datagram,
    Dial,
    Garbled,
    Nonce,
    Quiet,
    Receive,
    Step,
    Transport,
    degraded,
    fails,
    ready,
)
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.probes.dns_message import Asked, Question, Reply, ask, read

PORT: Final = 53
SERVERS_MAX: Final = 13
"""As many as fit in a reply of old, and as the root has."""

LABELS_MAX: Final = 8
WITHIN_S: Final = 0.7
TRIES: Final = 2
"""A datagram may get lost."""

STRAYS_MAX: Final = 20

Judge = Callable[[Reply], Answer]


@dataclass(slots=True)
class _Found:
    """What each server came to, by its name: ``as expected`` or what was wrong."""

    servers: dict[str, str] = field(default_factory=dict)
    wrong: Answer | None = None
    silent: list[str] = field(default_factory=list)


def ask_every_server(question: Question, judge: Judge) -> Generator[Step, bytes, Answer]:
    """The answer for the whole zone that ``question`` is in. ``judge`` says what a reply is worth."""
    names = yield from _name_servers(question.name)
    if names is None:
        return fails(Cause.SILENT, "asked for the zone's name servers, it says nothing")
    if not names:
        words = f"no name server of {printable(question.name, 80)} is known to it"
        return fails(Cause.WRONG_ANSWER, words)
    found = _Found()
    try:
        for name in names:
            yield from _look_at(name, question, judge, found)
    except Quiet:  # the end of our time
        if found.wrong is None:
            words = f"only {len(found.servers)} of its {len(names)} name servers could be asked in time"
            return fails(Cause.SLOW, words, servers=found.servers)
    return _conclude(question, found)


def _look_at(name: str, question: Question, judge: Judge, found: _Found) -> Generator[Step, bytes, None]:
    shown = printable(name, 80)
    host = (yield from _address_of(name)) or name.rstrip(".")
    try:
        reply = yield from _ask_at(host, question)
    except Astray as astray:
        found.servers[shown] = astray.cause.value
        found.silent.append(shown)
        return
    except Garbled:
        answer = fails(Cause.WRONG_ANSWER, "it answers with what is no DNS")
    else:
        answer = judge(reply)
        if answer.cause is None and not reply.authoritative:
            answer = fails(Cause.WRONG_ANSWER, "it isn't in charge of the name, and answers for others")
    found.servers[shown] = "as expected" if answer.cause is None else answer.cause.value
    if answer.cause is not None and found.wrong is None:
        found.wrong = fails(answer.cause, f"{shown}, one of its name servers: {answer.detail}")


def _conclude(question: Question, found: _Found) -> Answer:
    facts: dict[str, Any] = {"servers": found.servers}
    if found.wrong is not None:
        assert found.wrong.cause is not None
        return fails(found.wrong.cause, found.wrong.detail, **facts)
    count = len(found.servers)
    if found.silent:
        words = f"{len(found.silent)} of its {count} name servers don't answer: {', '.join(found.silent[:5])}"
        return (fails if len(found.silent) == count else degraded)(Cause.SILENT, words, **facts)
    return ready(f"{printable(question.name, 80)}: all of its {count} name servers say so", **facts)


def _name_servers(name: str) -> Generator[Step, bytes, list[str] | None]:
    """Those of the zone that the name is in: its own, else its parent's, and so on. None: it's silent."""
    labels = name.rstrip(".").split(".")[-LABELS_MAX:]
    for place in range(len(labels)):
        reply = yield from _ask_here(Question(".".join(labels[place:]), "NS"))
        if reply is None:
            return None
        if reply.records:
            return list(reply.records[:SERVERS_MAX])
    return []


def _address_of(name: str) -> Generator[Step, bytes, str | None]:
    """As the server that is looked at knows it; None where this machine has to find out."""
    for kind in ("A", "AAAA"):
        reply = yield from _ask_here(Question(name, kind))
        if reply is not None and reply.records:
            return reply.records[0]
    return None


def _ask_here(question: Question) -> Generator[Step, bytes, Reply | None]:
    """What the server that is looked at says to it; None where it says nothing."""
    asked = yield from _asked(question)
    for _ in range(TRIES):
        step: Step = Ask(asked.wire, Datagram(), within_s=WITHIN_S)
        try:
            for _ in range(STRAYS_MAX):
                reply = read((yield step), asked)
                if reply is not None:
                    return reply
                step = Receive(Datagram(), WITHIN_S)
        except Quiet as quiet:
            if quiet.final:
                raise
    return None


def _ask_at(host: str, question: Question) -> Generator[Step, bytes, Reply]:
    """What the server at ``host`` says.

    Raises:
        Astray: nothing.
        Garbled: no DNS, or to nothing that we asked.
    """
    asked = yield from _asked(question)
    dial = Dial(host, PORT, Transport.UDP)
    for last in (False, True):
        try:
            said = yield Beside(dial, asked.wire, Datagram(), within_s=WITHIN_S)
            break
        except Astray as astray:
            if last or astray.cause is not Cause.SILENT:
                raise
    reply = read(said, asked)
    if reply is None:
        raise Garbled(said)
    return reply


def _asked(question: Question) -> Generator[Step, bytes, Asked]:
    return ask(question, (yield Nonce(2)), edns=False)

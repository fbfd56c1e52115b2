"""DNS (``dns``): name servers and resolvers, over UDP, and over TCP where an answer is cut or it's asked for.

``dns://SERVER`` asks the server for its version, which it says of itself: any reply proves that it
lives, a refusal too. ``dns://SERVER/NAME`` asks for that name, of ``send: {type: MX}`` or
``dns://SERVER/NAME?type=MX``; an error, or an answer without such a record, is no health. When nothing
comes, the server is asked for its version as well: a resolver whose forwarders are dead is silent about
names, and lives. ``expect: {records: [...]}`` are records that must be in the answer, ``rcode`` is the
code it must have, and ``tcp: true`` wants the same answer over TCP. ``every_server: true`` wants it of each
name server of the zone too: one that doesn't answer is degraded, one that answers otherwise is down.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args
from urllib.parse import parse_qs

from trueup.conversation import (
    Answer,
    Ask,
    Conversation,
    Datagram,
    Dial,
    Frame,
    Garbled,
    Mark,
    Nonce,
    Quiet,
    Receive,
    Redial,
    Step,
    Transport,
    fails,
    ready,
    stranger,
)
from trueup.conversation import Send as Tell
from trueup.domain.address import Address, AddressError
from trueup.domain.causes import Cause
from trueup.domain.nearest import nearest
from trueup.domain.printable import printable
from trueup.domain.states import Outcome
from trueup.probes.dns_message import Asked, Question, Reply, ask, plain, read
from trueup.probes.dns_zone import ask_every_server
from trueup.probes.probe import Probe, Scheme

ERRORS: Final[dict[str, tuple[Cause, str]]] = {
    # Response codes (RFC 1035, 4.1.1; RFC 2136, 2.2; RFC 6891, 9), where a name is asked for.
    "FORMERR": (Cause.ERROR_ANSWER, "finds the question malformed"),
    "SERVFAIL": (Cause.ERROR_ANSWER, "can't find out: the servers it asks don't answer, or DNSSEC fails"),
    "NXDOMAIN": (Cause.ERROR_ANSWER, "says that the name doesn't exist"),
    "NOTIMP": (Cause.ERROR_ANSWER, "doesn't do such questions"),
    "REFUSED": (Cause.ERROR_ANSWER, "refuses to answer: a list of clients, or a name that it doesn't serve"),
    "NOTAUTH": (Cause.ERROR_ANSWER, "says that it isn't in charge of the name"),
    "BADVERS": (Cause.ERROR_ANSWER, "doesn't speak this version of EDNS"),
}
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.ERROR_ANSWER: (
        "Ask by hand: dig @{host} -p {port} {question}",
        "Ask each server on the way to the name: dig {question} +trace",
    ),
    Cause.WRONG_ANSWER: (
        "Compare with the name's own servers: dig @{host} -p {port} {question}; dig {question} +trace",
    ),
    Cause.SILENT: (
        "See whether it answers over TCP: dig @{host} -p {port} {question} +tcp",
        "{on}, see who listens: ss -Hlunp 'sport = :{port}'",
    ),
}
RecordType = Literal[
    "A", "AAAA", "CAA", "CNAME", "DNSKEY", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SRV", "SVCB",
    "TLSA", "TXT",
]  # fmt: skip
TYPES: Final[tuple[str, ...]] = get_args(RecordType)
Rcode = Literal["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "NOTAUTH"]
AGAIN_S: Final = 0.5
"""How long a datagram may take before it's sent once more: one of them may have got lost."""

STRAYS_MAX: Final = 50
VERSION: Final = Question("version.bind", "TXT", chaos=True)
"""BIND's own, and answered by Unbound, Knot, NSD, PowerDNS and dnsmasq; by any other with a refusal."""

ROOT: Final = Question(".", "NS")
WITHOUT_EDNS: Final = frozenset({"FORMERR", "NOTIMP", "BADVERS"})
"""What old servers say to a question with EDNS (RFC 6891, 7)."""


@dataclass(frozen=True, slots=True)
class Send:
    """``type`` of the records to ask for; A where neither this nor the address says."""

    type: RecordType | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """``records`` must be in the answer, among others; ``tcp``: it must come over TCP too.

    ``every_server``: each name server of the zone must answer so.
    """

    records: tuple[str, ...] = ()
    rcode: Rcode | None = None
    tcp: bool = False
    every_server: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for DNS."""

    address: Address
    send: Send = field(default_factory=Send)
    expect: Expect = field(default_factory=Expect)

    def __post_init__(self) -> None:
        """Raises: AddressError where it can't be asked, or something is expected of no name."""
        question = self.question
        of_name = self.expect.records or self.expect.rcode or self.expect.every_server
        if question is None and of_name:
            words = "expect: records, rcode and every_server are of a name"
            raise AddressError(words, "write dns://SERVER/NAME")
        try:
            ask(question or VERSION, b"\0\0", edns=False)  # dnspython is loaded now, and not while we look
        except ValueError as error:
            raise AddressError(str(error), "as in dns://SERVER/www.example.org") from None

    @property
    def question(self) -> Question | None:
        """What is asked for; None where it's only the server itself.

        Raises:
            AddressError: the address asks for a type that isn't known here.
        """
        name, _, query = self.address.part.partition("?")
        asked = parse_qs(query, separator=";" if ";" in query else "&").get("type", [])
        kind = self.send.type or (asked[-1].upper() if asked else "A")
        if kind not in TYPES:
            close = nearest(kind, TYPES)
            hint = f"did you mean {close}?" if close else f"known: {' '.join(TYPES)}"
            raise AddressError(f"{printable(kind, 40)!r} is no known type of record", hint)
        return Question(name, kind) if name else None


def conversation(options: Options) -> Conversation:
    """Ask over UDP, and over TCP where the answer is cut or TCP is expected."""
    question = options.question
    asked = ask(question or VERSION, (yield Nonce(2)), edns=question is not None)
    try:
        if question is None:
            return (yield from _ask_itself(options, asked))
        return (yield from _ask_for(question, options, asked))
    except Garbled as garbled:
        return stranger("dns", garbled.received)


def _ask_itself(options: Options, asked: Asked) -> Generator[Step, bytes, Answer]:
    """Any reply at all proves that it lives; to those that know no version, the root is shown."""
    root = ask(ROOT, (yield Nonce(2)), edns=False)
    seen = yield from _over_udp(asked, root, any_will_do=True)
    if not options.expect.tcp:
        return _lives(seen)
    yield Mark(_lives(seen))
    reply = yield from _over_tcp(options.address, seen.asked)
    return _lives(Seen(seen.asked, reply), tcp=True)


def _lives(seen: "Seen", **facts: Any) -> Answer:
    software = next(iter(seen.reply.records), None) if seen.asked.question is VERSION else None
    detail = (
        f"answers: {software}" if software else f"answers with {seen.reply.rcode}, which proves that it lives"
    )
    return ready(detail, rcode=seen.reply.rcode, software=software, **facts)


def _ask_for(question: Question, options: Options, asked: Asked) -> Generator[Step, bytes, Answer]:
    version = ask(VERSION, (yield Nonce(2)), edns=False)
    seen = yield from _over_udp(asked, version)
    if seen.reply.rcode in WITHOUT_EDNS and seen.asked is asked:
        asked = ask(question, (yield Nonce(2)), edns=False)
        seen = yield from _over_udp(asked, version)
    if seen.asked is version:
        name = printable(question.name, 80)
        problem = f"it lives, and doesn't answer for {name}: the servers that it asks may be dead"
        return fails(Cause.ERROR_ANSWER, problem, rcode=None)
    if not seen.reply.truncated:
        answer = _judge(question, seen.reply, options.expect)
        if answer.cause is None and options.expect.every_server:
            yield Mark(answer)
            answer = yield from ask_every_server(
                question, lambda reply: _judge(question, reply, options.expect, cut_short_will_do=True)
            )
        if answer.outcome is Outcome.FAIL or not options.expect.tcp:
            return answer
        yield Mark(answer)
    else:
        yield Mark(ready("answers over UDP, cut short", truncated=True))
    reply = yield from _over_tcp(options.address, asked)
    answer = _judge(question, reply, options.expect)
    return answer._replace(facts={**answer.facts, "tcp": True})


@dataclass(frozen=True, slots=True)
class Seen:
    """A reply, and the question that it is to."""

    asked: Asked
    reply: Reply


def _over_udp(asked: Asked, spare: Asked, *, any_will_do: bool = False) -> Generator[Step, bytes, Seen]:
    """The reply to ``asked``, sent twice if need be, the second time with ``spare``.

    The reply to ``spare`` counts if ``any_will_do``, else only where nothing else comes to the end.

    Raises:
        Quiet: nothing came to either.
        Garbled: what came is no message.
    """
    lives: Reply | None = None
    step: Step = Ask(asked.wire, Datagram(), within_s=AGAIN_S)
    for _ in range(STRAYS_MAX):  # anybody can send a datagram: what's no reply to us is passed over
        try:
            said = yield step
        except Quiet as quiet:
            if not quiet.final:
                yield Tell(asked.wire)
                step = Ask(spare.wire, Datagram())
                continue
            if lives is None:
                raise
            break
        if (reply := read(said, asked)) is not None:
            return Seen(asked, reply)
        lives = read(said, spare) or lives
        if lives is not None and any_will_do:
            break
        step = Receive(Datagram(), step.within_s if isinstance(step, Ask | Receive) else None)
    if lives is None:
        raise Garbled(said)
    return Seen(spare, lives)


def _over_tcp(address: Address, asked: Asked) -> Generator[Step, bytes, Reply]:
    """Two bytes of length, then the message (RFC 1035, 4.2.2)."""
    yield Redial(Dial(address.host, address.port or SCHEME.port or 0, Transport.TCP))
    said = yield Ask(len(asked.wire).to_bytes(2) + asked.wire, Frame(_measure, 65_537))
    reply = read(said[2:], asked)
    if reply is None:
        raise Garbled(said)
    return reply


def _measure(received: bytearray) -> int | None:
    size = 2 + int.from_bytes(received[:2])
    return size if len(received) >= max(size, 3) else None


def _judge(question: Question, reply: Reply, expect: Expect, *, cut_short_will_do: bool = False) -> Answer:
    """Whether the reply is what is expected: without more, a record of the type asked for."""
    facts: dict[str, Any] = {
        "rcode": reply.rcode,
        "records": list(reply.records),
        "authoritative": reply.authoritative,
    }
    name = f"{printable(question.name, 80)} {question.type}"
    because = f" ({reply.why})" if reply.why else ""
    if reply.rcode != (expect.rcode or "NOERROR"):
        unhoped = (Cause.WRONG_ANSWER, "says that it exists")
        other = (Cause.ERROR_ANSWER, "answers with an error")
        cause, meaning = unhoped if reply.rcode == "NOERROR" else ERRORS.get(reply.rcode, other)
        wanted = f", and {expect.rcode} is expected" if expect.rcode else ""
        return fails(cause, f"{name}: it {meaning}: {reply.rcode}{because}{wanted}", **facts)
    if reply.rcode != "NOERROR":
        return ready(f"{name}: {reply.rcode}, as expected", **facts)
    if reply.truncated and cut_short_will_do:
        return ready(f"{name}: it answers over UDP, cut short", **facts)
    if not reply.records:
        instead = reply.leads_to or "no such record"
        return fails(Cause.WRONG_ANSWER, f"{name}: it answers with {instead}", **facts)
    has = {plain(record, question.type) for record in reply.records}
    missing = [record for record in expect.records if plain(record, question.type) not in has]
    if missing:
        seen = ", ".join(reply.records[:5])
        problem = f"{name}: {', '.join(missing)} expected, and it says {printable(seen)}"
        return fails(Cause.WRONG_ANSWER, problem, **facts)
    return ready(f"{name}: {printable(reply.records[0], 80)}", **facts)


SCHEME: Final = Scheme(53, transport=Transport.UDP)
PROBE = Probe(
    name="dns",
    title="DNS",
    schemes={"dns": SCHEME},
    options=Options,
    conversation=conversation,
    next_steps=NEXT,
)

"""Every probe of the registry against peers that mean no good, through the real engine.

Whatever they do: one transcript, in time, with an answer or a fault that has a name; nothing that isn't
there is called up; no more bytes taken than bounded; no control character let through; and no password
told to anybody who hasn't shown that he speaks the protocol.
"""

import asyncio
import dataclasses
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.beds.certificates import Authority
from tests.playbook import address
from tests.probes.hostile_peers import DATAGRAMS, GARBAGE, GREETINGS, LIES, Door, hostile
from tests.probes.performing import begin, names_of_options
from trueup.conversation import Answer, Transport
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.secret import Secret
from trueup.domain.states import Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.engine.engine import Engine
from trueup.engine.faults import Fault, Stage, endless_fault
from trueup.engine.transcript import Transcript
from trueup.probes.registry import by_scheme

CANARY = "canary-4f1c"
USER = "monitor"
TIMEOUT_S = 0.5
MARGIN = 2.0
"""How much longer than its timeout a conversation may take, our own lag apart, as a factor."""

IN_FLIGHT_MAX = 150
RECEIVED_BYTES_MAX = 1_048_576
"""What one hostile peer can make us read: no probe needs that much of an answer."""

MEMORY_BYTES_MAX = 50_000_000
"""What all of them together can make us keep: a third of a megabyte for each that is under way."""

TRIES = 3
"""A machine too busy to judge says so, and is asked again."""

PATHS = {"dns": "/example.org", "mysql": "/shop", "mariadb": "/shop"}
"""What must stand in an address for all that can be configured."""

ANYBODY = frozenset({"tcp", "udp", "tls"})
"""Content with a connection, an answer, a handshake, whoever it is."""


@dataclass(frozen=True, eq=False)
class Attack:
    """One scheme, as configured, at one door."""

    scheme: str
    configured: str
    door: Door
    inside_tls: bool = False

    def __str__(self) -> str:
        inside = ", inside TLS" if self.inside_tls else ""
        return f"{self.scheme} ({self.configured}) at {self.door.name!r}{inside}"


def configurations(scheme: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Without anything, with a login, and with all that goes deeper."""
    names = names_of_options(by_scheme()[scheme])
    yield "bare", {}
    deeper: dict[str, Any] = {"roundtrip": True} if "roundtrip" in names and scheme != "ssh" else {}
    if "query" in names:
        deeper["query"] = "select 1"
    if "queue" in names:
        deeper["queue"] = "jobs"
    if "queues" in names:
        deeper["queues"] = {"jobs": 10, "mails": 10}
    if "login" in names:
        login = {"login": Login(Secret(CANARY), USER)}
        yield "login", login
        if deeper:
            yield "all", login | deeper


def attacks(doors: Sequence[Door], *, inside_tls: bool = False) -> list[Attack]:
    return [
        Attack(scheme, configured, door, inside_tls)
        for door in doors
        for scheme, probe in by_scheme().items()
        if _fits(scheme, door, inside_tls=inside_tls)
        for configured, _ in configurations(scheme)
        if probe.schemes[scheme].transport is not Transport.ICMP
    ]


def _fits(scheme: str, door: Door, *, inside_tls: bool) -> bool:
    how = by_scheme()[scheme].schemes[scheme]
    return (how.transport is Transport.UDP) == door.udp and (how.tls or not inside_tls)


async def _perform(engine: Engine, attack: Attack) -> Transcript:
    options = dict(configurations(attack.scheme))[attack.configured]
    tls = TlsSettings(verify=False) if attack.inside_tls else None
    url = f"{attack.scheme}://127.0.0.1:{attack.door.port}{PATHS.get(attack.scheme, '')}"
    return await begin(engine, url, timeout_s=TIMEOUT_S, tls=tls, **options)


def perform_all(chosen: Sequence[Attack]) -> list[Transcript]:
    """Together; and those that a machine too busy couldn't judge again, fewer at a time."""

    async def together(some: Sequence[Attack], in_flight_max: int) -> list[Transcript]:
        async with Engine(in_flight_max) as engine:
            return list(await asyncio.gather(*(_perform(engine, attack) for attack in some)))

    found = dict(zip(chosen, asyncio.run(together(chosen, IN_FLIGHT_MAX)), strict=True))
    for _ in range(TRIES):
        again = [attack for attack, transcript in found.items() if _is_starved(transcript.fault)]
        if not again:
            break
        found |= zip(again, asyncio.run(together(again, IN_FLIGHT_MAX // 10)), strict=True)
    return list(found.values())


def _is_starved(fault: Fault | None) -> bool:
    return fault is not None and fault.cause is Cause.MONITOR_STARVED


def storm(
    doors: Sequence[Door], *, credentials: tuple[str, str] | None = None, may_pass: bool = False
) -> None:
    """All the attacks at all these doors. Raises AssertionError that lists every problem."""
    fresh = [dataclasses.replace(door, heard=[]) for door in doors]
    chosen = attacks(fresh, inside_tls=credentials is not None)
    with hostile(fresh, credentials):
        transcripts = perform_all(chosen)
    problems = [
        f"{attack}: {problem}"
        for attack, transcript in zip(chosen, transcripts, strict=True)
        for problem in problems_of(attack, transcript, may_pass=may_pass)
    ]
    problems += [f"{door.name!r} heard the password: {heard!r}" for door, heard in _told(fresh)]
    assert not problems, f"{len(problems)} of {len(chosen)}:\n" + "\n".join(problems)


def problems_of(attack: Attack, transcript: Transcript, *, may_pass: bool = False) -> Iterator[str]:
    """What is wrong with what came of an attack."""
    if (transcript.answer is None) == (transcript.fault is None):
        yield "neither an answer nor a fault, or both"
        return
    came_to = transcript.answer or transcript.fault
    assert came_to is not None
    if transcript.total_ms - transcript.lag_ms > TIMEOUT_S * 1000 * MARGIN:
        yield f"took {transcript.total_ms:.0f} ms"
    if transcript.received_bytes > RECEIVED_BYTES_MAX:
        yield f"took {transcript.received_bytes} bytes"
    yield from unsound_in(came_to)
    if came_to.cause is Cause.MONITOR_STARVED:
        return
    believes = attack.scheme in attack.door.owners | ANYBODY or (may_pass and attack.door.owners)
    if came_to.outcome is not Outcome.FAIL and not believes:
        yield f"{came_to.outcome}, {came_to.detail!r}"
    yield from unprintable_in(came_to)
    if any(CANARY.encode() in said.data for said in transcript.said):
        yield "the password is in the transcript"
    if CANARY in repr(came_to):
        yield "the password is in what is told"


def unsound_in(came_to: Answer | Fault) -> Iterator[str]:
    """A failure has a cause of its layer; a peer can't bring trueup itself to fail."""
    if came_to.outcome is Outcome.PASS and came_to.cause is not None:
        yield f"passes with cause {came_to.cause}"
    if came_to.outcome in (Outcome.FAIL, Outcome.SLOW) and (
        came_to.cause is None or came_to.layer not in came_to.cause.layers
    ):
        yield f"cause {came_to.cause} on layer {came_to.layer}"
    if came_to.outcome is Outcome.UNKNOWN and isinstance(came_to, Fault) and not _is_starved(came_to):
        yield f"unknown: {came_to.detail}"
    if (
        came_to.cause is Cause.WRONG_SERVICE
        and isinstance(came_to, Answer)
        and "expected" not in came_to.facts
    ):
        yield "a wrong service without saying who was expected"


def unprintable_in(came_to: Answer | Fault) -> Iterator[str]:
    for text in texts_of([came_to.detail, came_to.facts]):
        if printable(text, len(text) + 1) != text:
            yield f"not printable: {text!r}"


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from texts_of([name, inner])
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_of(inner)
    else:
        assert value is None or isinstance(value, bool | int | float), f"no JSON value: {value!r}"


def _told(doors: Sequence[Door]) -> Iterator[tuple[Door, bytes]]:
    """Where the password arrived, in the clear or as mail and the web encode it."""
    for door in doors:
        if not door.owners:
            for heard in door.heard:
                if any(word in heard for word in SPELLINGS):
                    yield door, heard


def _spellings() -> list[bytes]:
    import base64

    plain = CANARY.encode()
    pairs = (f"\0{USER}\0{CANARY}", f"{USER}:{CANARY}", CANARY)
    return [plain, *(base64.b64encode(pair.encode()) for pair in pairs)]


SPELLINGS = _spellings()


def test_every_scheme_is_attacked() -> None:
    """Or the registry knows one that this file doesn't see."""
    at_all = {attack.scheme for attack in attacks([*GARBAGE, *DATAGRAMS])}
    assert at_all == set(by_scheme()) - {"icmp"}


@pytest.mark.parametrize("slow", [False, True], ids=["garbage", "floods"])
def test_what_is_nobodys_protocol(slow: bool) -> None:
    storm([door for door in GARBAGE if (door.does in ("floods", "drips")) is slow])


def test_floods_take_no_memory() -> None:
    """Every scheme at once, at a peer that never ends."""
    doors = [
        door for door in [*GARBAGE, *LIES] if door.name in ("endless zeros", "endless lines", "http body")
    ]
    assert len(doors) == 3
    with hostile(doors):
        tracemalloc.start()
        perform_all(attacks(doors))
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak_bytes < MEMORY_BYTES_MAX


def test_how_others_begin() -> None:
    storm(GREETINGS)


@pytest.mark.parametrize("slow", [False, True], ids=["lies", "floods"])
def test_lies_in_the_right_dialect(slow: bool) -> None:
    storm([door for door in LIES if (door.does == "floods") is slow])


def test_datagrams() -> None:
    storm(DATAGRAMS)


@pytest.mark.parametrize("doors", [GARBAGE, GREETINGS, LIES], ids=["garbage", "greetings", "lies"])
def test_inside_tls(doors: list[Door], authority: Authority) -> None:
    own = authority.valid()
    storm(doors, credentials=(str(own.certificate), str(own.key)), may_pass=True)


def test_the_harness_sees_what_it_looks_for() -> None:
    """Each guard, seen to fail."""
    door = Door("test")
    attack = Attack("redis", "bare", door)
    dial = by_scheme()["redis"].dial(address("redis://127.0.0.1"), None)
    wrong = {
        "neither": Transcript(dial),
        "took 99999 ms": Transcript(dial, Answer(Outcome.FAIL, Cause.SILENT), total_ms=99_999),
        "bytes": Transcript(dial, Answer(Outcome.FAIL, Cause.SILENT), received_bytes=10**8),
        "passes with": Transcript(dial, Answer(Outcome.PASS, Cause.SILENT)),
        "cause None": Transcript(dial, Answer(Outcome.FAIL)),
        "on layer": Transcript(dial, Answer(Outcome.FAIL, Cause.REFUSED)),
        "unknown:": Transcript(dial, fault=endless_fault(Stage.TALKING)),
        "pass, ": Transcript(dial, Answer(Outcome.PASS)),
        "not printable": Transcript(dial, Answer(Outcome.FAIL, Cause.SILENT, "", {"a": ["\x1b[31m"]})),
        "what is told": Transcript(dial, Answer(Outcome.FAIL, Cause.SILENT, CANARY)),
        "wrong service without": Transcript(dial, Answer(Outcome.FAIL, Cause.WRONG_SERVICE)),
    }
    for words, transcript in wrong.items():
        found = list(problems_of(attack, transcript))
        assert any(words in problem for problem in found), (words, found)
    door.heard = [b"AUTH " + CANARY.encode()]
    assert len(list(_told([door]))) == 1

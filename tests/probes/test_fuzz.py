"""Every probe's conversation, fed with anything at all: it never raises but a break, and it comes to an end.

The short form runs with all tests and is the same each time. A long run, another each time:

    FUZZ_EXAMPLES=5000 pytest tests/probes/test_fuzz.py
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.playbook import address, play
from tests.probes import sampled
from tests.probes.hostile_peers import DATAGRAMS, GARBAGE, GREETINGS, LIES
from tests.probes.test_hostile import (
    CANARY,
    PATHS,
    SPELLINGS,
    configurations,
    texts_of,
    unprintable_in,
    unsound_in,
)
from trueup.conversation import Break, Closed, Conversation, Quiet, Step
from trueup.probes.dns import Expect
from trueup.probes.registry import by_scheme

EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "40"))
STEPS_MAX: Final = 20_000
"""More than any conversation takes, whatever is said: HTTP's and FTP's longest read line by line."""

PHASES = [Phase.explicit, Phase.generate] + ([Phase.shrink] if EXAMPLES > 1000 else [])


@dataclass
class Counted:
    """A conversation that may not go on for ever."""

    inner: Conversation
    steps: int = 0

    def send(self, value: Any) -> Step:
        self._count()
        return self.inner.send(value)

    def throw(self, error: Break) -> Step:
        self._count()
        return self.inner.throw(error)

    def _count(self) -> None:
        self.steps += 1
        assert self.steps < STEPS_MAX, "the conversation doesn't end"


def cases() -> Iterator[Any]:
    for scheme in sorted(by_scheme()):
        configured = dict(configurations(scheme))
        if scheme in sampled.OPTIONS:
            configured["as sampled"] = sampled.OPTIONS[scheme]
        if scheme == "dns":
            configured["every server"] = {"expect": Expect(every_server=True, tcp=True)}
        for name, options in configured.items():
            yield pytest.param(scheme, options, id=f"{scheme}-{name.replace(' ', '-')}")


FRAGMENTS = [
    *{
        piece
        for door in [*GARBAGE, *GREETINGS, *LIES, *DATAGRAMS]
        for piece in door.said
        if len(piece) < 1000
    },
    *{data[:200] for name in sampled.names() for _, data in sampled.turns_of(name)},
]
"""How protocols begin, and lies in them."""


def peers(scheme: str) -> st.SearchStrategy[list[bytes | Break]]:
    """What a peer may say: noise, pieces of protocols, or a healthy conversation with a flaw."""
    pieces: list[st.SearchStrategy[bytes]] = [st.binary(max_size=80), st.sampled_from(FRAGMENTS)]
    says: st.SearchStrategy[list[bytes]] = st.lists(st.one_of(pieces), max_size=6)
    name = by_scheme()[scheme].name
    if name in sampled.names():
        healthy = [data for _, data in sampled.turns_of(name)]
        flawed = st.builds(_flaw, st.just(healthy), st.integers(0, 10_000), st.binary(max_size=8), _FLAWS)
        says = st.one_of(says, flawed, flawed)
    end: st.SearchStrategy[list[Break]] = st.sampled_from(
        [[], [Closed()], [Closed(reset=True)], [Quiet()], [Quiet(final=True)]]
    )
    return st.builds(lambda said, last: [*said, *last], says, end)


_FLAWS = st.sampled_from(["overwrite", "insert", "cut", "drop a turn", "twice", "one more"])


def _flaw(healthy: list[bytes], place: int, what: bytes, how: str) -> list[bytes]:
    """One byte or turn of it is another."""
    turn = 0
    while turn < len(healthy) - 1 and place >= len(healthy[turn]):
        place -= len(healthy[turn])
        turn += 1
    said = healthy[turn]
    place %= len(said) + 1
    changed = {
        "overwrite": [said[:place] + what + said[place + len(what) :]],
        "insert": [said[:place] + what + said[place:]],
        "cut": [said[:place]],
        "drop a turn": [],
        "twice": [said, said],
        "one more": [said + what],
    }[how]
    return [*healthy[:turn], *changed, *healthy[turn + 1 :]]


@pytest.mark.parametrize(("scheme", "options"), list(cases()))
def test_anything_may_be_said(scheme: str, options: dict[str, Any]) -> None:
    probe = by_scheme()[scheme]
    at = address(f"{scheme}://127.0.0.1:1{PATHS.get(scheme, '/')}")

    @settings(
        max_examples=EXAMPLES,
        derandomize=EXAMPLES <= 1000,
        database=None,
        deadline=None,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
    )
    @given(says=peers(scheme), chunk=st.sampled_from([None, 1, 7, 100]))
    def say(says: list[bytes | Break], chunk: int | None) -> None:
        played = play(Counted(probe.conversation(probe.options(at, **options))), says, chunk=chunk)  # type: ignore[arg-type]  # as far as it's played
        for answer in [*played.marks, *([played.answer] if played.answer else [])]:
            problems = [*unsound_in(answer), *unprintable_in(answer)]
            assert not problems, (problems, answer)
            assert not any(CANARY in text for text in texts_of([answer.detail, answer.facts]))
        for word in SPELLINGS:
            assert played.sent.count(word) == played.said_secretly.count(word), "a password sent openly"

    say()

"""Healthy conversations, cut off after each of their bytes: early close at every step.

A sample is replayed by a real peer on loopback; each connection gets to hear one byte more than the one
before, and then the peer closes, resets, or says no more.
"""

import asyncio
import dataclasses

import pytest

from tests.probes import sampled
from tests.probes.hostile_peers import Door, hostile
from tests.probes.performing import begin
from tests.probes.test_hostile import IN_FLIGHT_MAX, PATHS, TIMEOUT_S, Attack, problems_of
from trueup.domain.states import Outcome
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript
from trueup.probes.registry import all_probes

NOT_SAMPLED = {"dns", "icmp", "udp", "tcp", "tls"}
"""They speak in datagrams, or say nothing of their own."""

SIZE_MAX = 2000
"""Of longer samples not each byte is the last: every second up to twice that, and so on."""

MUTE_EVERY = 16
"""Waiting for a peer that says no more takes the whole timeout: not after each byte."""


def test_there_is_a_sample_of_every_protocol() -> None:
    assert set(sampled.names()) == {probe.name for probe in all_probes()} - NOT_SAMPLED


def perform_all(door: Door, scheme: str) -> list[Transcript]:
    options = sampled.OPTIONS.get(scheme, {})
    path = PATHS.get(scheme, "/")

    async def together() -> list[Transcript]:
        async with Engine(IN_FLIGHT_MAX) as engine:
            url = f"{scheme}://127.0.0.1:{door.port}{path}"
            calls = (begin(engine, url, timeout_s=TIMEOUT_S, **options) for _ in door.cuts)
            return list(await asyncio.gather(*calls))

    return asyncio.run(together())


@pytest.mark.parametrize("scheme", sampled.names())
def test_cut_after_each_byte(scheme: str) -> None:
    turns = sampled.turns_of(scheme)
    size = sum(len(data) for _, data in turns)
    cuts = tuple(range(0, size, 1 + size // SIZE_MAX))
    whole = Door(scheme, "replays", turns=turns, cuts=cuts, owners=frozenset({scheme}))
    doors = [
        dataclasses.replace(whole, name=f"{scheme}, then closes", ends="closes", heard=[]),
        dataclasses.replace(whole, name=f"{scheme}, then resets", ends="resets", heard=[]),
        dataclasses.replace(whole, cuts=tuple(range(0, size, MUTE_EVERY)), heard=[]),
    ]
    with hostile(doors):
        transcripts = {door.name: perform_all(door, scheme) for door in doors}
    problems = []
    for door in doors:
        attack = Attack(scheme, "as sampled", door)
        for transcript in transcripts[door.name]:
            problems += [f"{attack}: {problem}" for problem in problems_of(attack, transcript)]
        if all(_passes(transcript) for transcript in transcripts[door.name]):
            problems.append(f"{attack}: passes wherever it's cut")
    assert not problems, f"{len(problems)}:\n" + "\n".join(sorted(set(problems)))


def _passes(transcript: Transcript) -> bool:
    return transcript.answer is not None and transcript.answer.outcome is not Outcome.FAIL

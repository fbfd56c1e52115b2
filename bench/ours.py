"""The CPU of one of trueup's checks: ``python -m bench.ours ADDRESS COUNT IN_FLIGHT`` prints µs."""

import argparse
import asyncio
import gc
import resource

import uvloop

from bench.exchanges import options_of
from trueup.domain.address import parse_address
from trueup.domain.target import TlsSettings
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript
from trueup.probes.registry import SCHEMES, probe_for


def cpu_us() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1e6


async def measure(
    text: str, count: int, in_flight: int, ca: str | None, says: str | None
) -> tuple[float, int]:
    """CPU per check in µs, and how many didn't come to a good answer."""
    address = parse_address(text, SCHEMES)
    probe = probe_for(address.scheme)
    options = options_of(probe, address, says)
    dial = probe.dial(address, TlsSettings(ca=ca) if ca else None)
    polite = probe.farewell.value == "polite"
    over = asyncio.Event()
    begun = ended = bad = 0
    async with Engine() as engine:

        def on_end(transcript: Transcript) -> None:
            nonlocal ended, bad
            ended += 1
            bad += transcript.answer is None or transcript.answer.cause is not None
            if begun < count:
                begin()
            elif ended == count:
                over.set()

        def begin() -> None:
            nonlocal begun
            begun += 1
            engine.begin(dial, probe.conversation(options), 5.0, on_end, polite=polite)

        before_us = cpu_us()
        for _ in range(min(in_flight, count)):
            begin()
        await over.wait()
        return (cpu_us() - before_us) / count, bad


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("count", type=int)
    parser.add_argument("in_flight", type=int)
    parser.add_argument("--ca")
    parser.add_argument("--says")
    asked = parser.parse_args()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # as `trueup run` has it
    measured = measure(asked.address, asked.count, asked.in_flight, asked.ca, asked.says)
    cost_us, failures = uvloop.run(measured)
    print(f"{cost_us:.2f} {failures}")

"""``make bench``: every figure beside what it's compared with, in turns.

The median of the pairs is what counts: absolute times are this machine's, ratios travel. ``ARGS="who agent"``
chooses some; ``--scale 0.1`` measures less, and less well.
"""

import argparse
import importlib
import sys

BENCHES = {
    "checks": "CPU per check, beside a C client and blackbox_exporter",
    "cold": "trueup check from cold, beside a bare interpreter",
    "memory": "memory with 10,000 targets",
    "monitor": "the whole monitor with 10,000 targets",
    "journeys": "checks that keep their time beside 200 journeys at once",
    "verdict": "from kill -9 to a confirmed, explained verdict",
    "sweep": "a sweep that identifies, beside nmap's connect scan with version detection",
    "who": "2,000 listeners listed",
    "store": "the history: bytes a look, a plot of 30 days, beside bare SQLite",
    "agent": "the agent at rest on a busy machine, beside a psutil loop",
}
"""Each is a module here with ``run(scale) -> int``: how many of its bounds were missed."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--scale", type=float, default=1.0, help="how much of the full measurement")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in BENCHES]
    if unknown:
        parser.error(f"no such bench: {' '.join(unknown)}; there are {' '.join(BENCHES)}")
    missed = 0
    for name in chosen.names or BENCHES:
        print(f"\n== {name}: {BENCHES[name]}", flush=True)
        missed += importlib.import_module(f"bench.{name}").run(chosen.scale)
    print("\nall within their bounds" if not missed else f"\n{missed} out of bounds")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

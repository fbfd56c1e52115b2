"""``make ghosts``: makes real faults with real software and says who finds them."""

import argparse
import sys
import traceback
from contextlib import ExitStack

from bench.ghosts.catalogue import CONTROLS, GHOSTS
from bench.ghosts.ghost import Asked, Ghost, verdict_on
from bench.ghosts.peers import Peers, peers
from tests.beds import processes
from tests.beds.server import ServerFailedError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only ghosts with one of these words in their names")
    parser.add_argument("--alone", action="store_true", help="without blackbox_exporter and Monit")
    chosen = parser.parse_args()
    processes.adopt_orphans()
    print(f"{'ghost':52}{'right cause':22}{'trueup says':22}{'':8}{'blackbox':>10}{'monit':>8}")
    tally = Tally()
    with ExitStack() as stack:
        beside = stack.enter_context(peers()) if not chosen.alone else None
        for ghost in [*GHOSTS, *CONTROLS]:
            if not chosen.words or any(word in ghost.name for word in chosen.words):
                tally.add(ghost, *_meet(ghost, beside))
    print(tally)
    return 0 if tally.perfect else 1


def _meet(ghost: Ghost, beside: Peers | None) -> tuple[str, str | None, bool | None, bool | None]:
    """State and cause by trueup, and whether each peer says that something is wrong (None: can't ask)."""
    try:
        with ghost.make() as asked:
            verdict = verdict_on(asked)
            found = _peers_on(asked, beside)
    except Exception:  # noqa: BLE001 - one ghost that can't be made leaves the others
        traceback.print_exc()
        return "not made", None, None, None
    return verdict.state.value, verdict.cause.value if verdict.cause else None, *found


def _peers_on(asked: Asked, beside: Peers | None) -> tuple[bool | None, bool | None]:
    if beside is None or asked.elsewhere:
        return None, None
    try:
        return beside.blackbox_on(asked.at), beside.monit_on(asked.at)
    except (OSError, ServerFailedError):  # a peer that can't be asked leaves the others
        traceback.print_exc()
        return None, None


class Tally:
    """Counts who found what."""

    def __init__(self) -> None:
        self.ghosts = self.controls = self.found = self.right = self.false_alarms = 0
        self.peers: dict[str, list[int]] = {"blackbox_exporter": [0, 0, 0], "Monit": [0, 0, 0]}

    def add(
        self, ghost: Ghost, state: str, cause: str | None, blackbox: bool | None, monit: bool | None
    ) -> None:
        """Count one and print its line."""
        if ghost.causes:
            self.ghosts += 1
            self.found += state in ("down", "degraded", "unknown")
            good = cause in ghost.causes
            self.right += good
        else:
            self.controls += 1
            good = state == "up"
            self.false_alarms += not good
        for place, said in zip(self.peers.values(), (blackbox, monit), strict=True):
            if said is not None:
                place[0 if ghost.causes else 2] += said
                place[1] += bool(ghost.causes)
        wanted = " or ".join(ghost.causes) or "up"
        mark = "" if good else "WRONG"
        says = f"{state}/{cause}" if cause and not ghost.causes else cause or state
        print(
            f"{ghost.name:52}{wanted:22}{says:22}{mark:8}{_word(blackbox):>10}{_word(monit):>8}", flush=True
        )

    @property
    def perfect(self) -> bool:
        """All found, all named right, no control disturbed."""
        return self.right == self.found == self.ghosts and not self.false_alarms

    def __str__(self) -> str:
        own = f"trueup: found {self.found} of {self.ghosts}, right cause {self.right}"
        lines = [f"\n{own}, false alarms {self.false_alarms} of {self.controls} controls"]
        for name, (found, asked, alarms) in self.peers.items():
            lines.append(f"{name}: found {found} of {asked} asked, names no cause, false alarms {alarms}")
        return "\n".join(lines)


def _word(found: bool | None) -> str:
    return "-" if found is None else "found" if found else "up"


if __name__ == "__main__":
    sys.exit(main())

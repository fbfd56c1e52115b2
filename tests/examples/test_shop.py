"""The demonstration shop, opened once; each breakage is found at its step and blamed on its part."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.beds.requirements import PROJECT, require, require_root
from trueup.app.one_look import look_once
from trueup.cli.configured import plan_of
from trueup.domain.states import State
from trueup.domain.verdict import Verdict

SCRIPTS = PROJECT / "examples" / "shop"
PROGRAMS = ("nginx", "postgres", "redis-server", "rabbitmq-server", "postfix", "dovecot")


@dataclass(frozen=True, slots=True)
class OpenShop:
    folder: Path

    def say(self, *words: str) -> str:
        """What break.py answers."""
        argv = [sys.executable, str(SCRIPTS / "break.py"), "--folder", str(self.folder), *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def look(self) -> dict[str, Verdict]:
        plan = plan_of(self.folder / "trueup.yaml", ())
        looked = asyncio.run(look_once(plan.checks, plan.targets, journeys=plan.journeys, ask_host=False))
        return {one.target.name: one.verdict for one in looked}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenShop]:
    require_root("the shop's Postfix")
    for program in PROGRAMS:
        require(program)
    folder = tmp_path_factory.mktemp("shop")
    argv = [sys.executable, str(SCRIPTS / "start.py"), "--free-ports", "--folder", str(folder)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if line.startswith("Ctrl-C"):
                break
        else:
            pytest.fail("".join(said))
        yield OpenShop(folder)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        finally:
            process.kill()
            process.stdout.close()


def test_all_is_well(shop: OpenShop) -> None:
    verdicts = shop.look()
    assert {verdict.state for verdict in verdicts.values()} == {State.UP}, verdicts
    steps = [seen.facts["step"] for seen in verdicts["checkout"].observations]
    assert steps[0] == "log in"
    assert steps[-1] == "empty the cart"


@pytest.mark.parametrize(
    ("name", "step", "inner_cause", "cause", "blame"),
    [
        ("web", "log in", "refused", "needs", "web"),
        ("app", "log in", "bad-upstream", "needs", "app"),
        ("db", "fill the cart", "error-answer", "needs", "db"),
        ("read-only", "fill the cart", "error-answer", "needs", "db"),
        ("sessions", "log in", "error-answer", "needs", "sessions"),
        ("queue", "order", "error-answer", "needs", "queue"),
        ("outbox", "get the confirmation", "refused", "needs", "outbox"),
        ("mailbox", "get the confirmation", "refused", "needs", "mailbox"),
        ("lost-mail", "get the confirmation", "silent", "step-failed", "checkout"),
        ("prices", "see the total", "wrong-answer", "step-failed", "checkout"),
    ],
)
def test_each_breakage_names_its_step_and_blames_its_part(
    shop: OpenShop, name: str, step: str, inner_cause: str, cause: str, blame: str
) -> None:
    shop.say("--leave", name)
    try:
        checkout = shop.look()["checkout"]
    finally:
        shop.say("--mend", name)
    failed = next(seen for seen in checkout.observations if seen.outcome.value == "fail")
    assert (failed.facts["step"], failed.facts["inner_cause"]) == (step, inner_cause)
    assert failed.facts["expected"]
    assert failed.facts["seen"]
    assert (checkout.state, checkout.layer) == (State.DOWN, "function")
    assert (checkout.cause, checkout.blame) == (cause, blame)


def test_mended_it_is_well_again(shop: OpenShop) -> None:
    deadline_s = time.monotonic() + 20
    while True:
        states = {name: verdict.state for name, verdict in shop.look().items()}
        if set(states.values()) == {State.UP}:
            return
        assert time.monotonic() < deadline_s, states


def test_break_mends_by_itself_and_says_what_isnt_there(shop: OpenShop, tmp_path: Path) -> None:
    assert shop.say("--for", "0", "prices").splitlines() == [
        "ok: the shop adds up wrongly",
        "ok: prices is whole",
    ]
    argv = [sys.executable, str(SCRIPTS / "break.py"), "--folder", str(tmp_path), "--leave", "web"]
    nobody = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert nobody.returncode == 1
    assert "no shop is open" in nobody.stdout

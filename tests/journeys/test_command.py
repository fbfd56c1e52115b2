"""A command: what is run, how long, what of it is seen, and what is left of it."""

import sys
import time
from pathlib import Path

import pytest

from tests.journeys.performed import Performed, perform
from trueup.domain.states import State


def run(command: str, more: str = "") -> Performed:
    return perform(f"- command: {command}\n{more}", allow_commands=True)


def test_a_command_and_what_is_kept_of_it() -> None:
    done = perform(
        """
        - command: [echo, '{"order": {"id": "A 7"}}, $(id) *']
          expect: {contains: "$(id) *"}
          save: {id: 'regex.A \\d'}
        - command: [echo, "${id}"]
          expect: {contains: "A 7"}
        """,
        allow_commands=True,
    )
    assert done.verdict.state is State.UP, done.verdict.summary
    assert done.look.observations[0].detail == "1 command: echo: it ends with status 0"


def test_statuses() -> None:
    assert run("[sh, -c, exit 3]", "  expect: {status: [0, 3]}").verdict.state is State.UP
    done = run("[sh, -c, 'echo out; echo no such order >&2; exit 3']")
    assert done.inner == ("1 command", "error-answer")
    assert done.failed.facts["expected"] == "status 0"
    assert done.failed.facts["seen"] == "ends with status 3: no such order"
    killed = run("[sh, -c, kill -9 $$$$]")
    assert killed.failed.facts["seen"] == "is ended by SIGKILL"


@pytest.mark.parametrize("name", ["DB_PASSWORD", "SMTP_PASS", "ROOT_PW"])
def test_what_the_environment_holds_of_secrets_is_hidden(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "hunter2 sesame")
    monkeypatch.setenv("PWD", str(Path.cwd()))
    done = run(f'[sh, -c, \'printf "%s in %s" "$${name}" "$$PWD"; exit 3\']')
    assert "hunter2" not in f"{done.failed} {done.verdict}"
    assert str(done.failed.facts["seen"]).startswith("ends with status 3: *** in /")


def test_output_that_isnt_as_expected() -> None:
    done = run("[echo, closed]", "  expect: {contains: open}")
    assert done.inner == ("1 command", "wrong-answer")
    assert done.failed.facts["seen"] == "ends with status 0: closed"


def test_it_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 60 & echo $$! $$$$ > {pids}; wait"
    began_s = time.monotonic()
    done = run(f"[sh, -c, '{script}']", "  timeout: 500ms")
    assert done.inner == ("1 command", "silent")
    assert time.monotonic() - began_s < 20
    for pid in map(int, pids.read_text().split()):
        deadline_s = time.monotonic() + 10
        while _is_alive(pid):
            assert time.monotonic() < deadline_s, f"{pid} lives on"
            time.sleep(0.01)


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_a_child_that_is_left_behind_is_not_waited_for() -> None:
    began_s = time.monotonic()
    assert run("[sh, -c, 'sleep 60 & echo done']", "  expect: {contains: done}").verdict.state is State.UP
    assert time.monotonic() - began_s < 20


def test_a_flood_is_bounded() -> None:
    flood = "import sys; sys.stdout.write('x' * 5_000_000); sys.exit(1)"
    done = run(f'[{sys.executable}, -c, "{flood}"]')
    assert done.inner == ("1 command", "error-answer")
    assert len(str(done.failed.facts["seen"])) <= 300


@pytest.mark.parametrize("command", ["[/no/such/program]", "[/etc/passwd]"])
def test_what_cant_be_run_is_our_own_trouble(command: str) -> None:
    done = run(command)
    assert (done.verdict.state, done.verdict.blame) == (State.UNKNOWN, None)
    assert "trueup can't run" in done.verdict.summary

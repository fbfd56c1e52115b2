import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.beds import processes, server, wire
from tests.beds.deadline import wait_until
from tests.beds.requirements import PROJECT
from tests.beds.server import Server, ServerFailedError, free_port, is_free, serving


def listening(program: str) -> contextlib.AbstractContextManager[Server]:
    """A server in Python: `program` has a listening socket, `listener`."""

    def configure(bed: Server) -> Sequence[str]:
        listen = f"import socket, subprocess; listener = socket.create_server(('{bed.address}', {bed.port}))"
        return [sys.executable, "-c", f"{listen}\nprint('listening', flush=True)\n{program}"]

    def answers(bed: Server) -> bool:
        with wire.connection(bed):
            return True

    return serving("python", configure, answers, timeout_s=20)


SLEEPY = "import time; time.sleep(600)"


def test_it_runs_on_a_port_of_its_own_and_is_gone_afterwards() -> None:
    with listening(SLEEPY) as one, listening(SLEEPY) as other:
        assert one.port != other.port
        assert processes.read(one.pid)
        assert "listening" in one.log()
    assert not processes.read(one.pid)
    assert not one.folder.exists()
    assert is_free(one.address, one.port)


def test_what_it_started_goes_with_it_even_when_it_ignores_the_signal() -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    with listening(deaf + "subprocess.Popen(['sleep', '600'])\n" + SLEEPY) as bed:
        wait_until(bed.children, "its child runs")
        family = [processes.read(pid) for pid in (bed.pid, *bed.children())]
        assert len(family) == 2
        bed.stop(timeout_s=0.2)
        assert not any(member.alive for member in family if member)


def test_stopped_and_started_it_keeps_its_port_and_files() -> None:
    with listening(SLEEPY) as bed:
        port, pid = bed.port, bed.pid
        bed.write("kept", "kept")
        bed.stop()
        bed.start()
        assert bed.log().count("listening") == 2
        assert bed.log_since_start().count("listening") == 1
        assert (bed.port, (bed.folder / "kept").read_text()) == (port, "kept")
        assert bed.pid != pid


def test_paused_and_resumed() -> None:
    with listening("subprocess.Popen(['sleep', '600'])\n" + SLEEPY) as bed:
        wait_until(bed.children, "its child runs")
        both = (bed.pid, *bed.children())

        def states() -> set[str]:
            return {process.state for pid in both if (process := processes.read(pid))}

        with bed.paused():
            wait_until(lambda: states() == {"T"}, "both are stopped")
        wait_until(lambda: "T" not in states(), "both run")


def test_one_that_ends_at_once_is_told_with_its_log() -> None:
    with (
        pytest.raises(ServerFailedError, match=r"(?s)ended instead.*broken configuration"),
        serving("python", lambda _: [sys.executable, "-c", "exit('broken configuration')"], lambda _: False),
    ):
        pass


def test_one_that_never_answers_is_given_up() -> None:
    seen: list[Server] = []

    def configure(bed: Server) -> Sequence[str]:
        seen.append(bed)
        return ["sleep", "600"]

    def answers(_: Server) -> bool:
        raise ConnectionRefusedError

    with (
        pytest.raises(ServerFailedError, match=r"doesn't answer after 0\.1 s"),
        serving("sleep", configure, answers, timeout_s=0.1),
    ):
        pass
    (bed,) = seen
    assert not bed.alive
    assert not bed.folder.exists()


def test_another_port_is_taken_when_somebody_was_quicker(monkeypatch: pytest.MonkeyPatch) -> None:
    free = free_port()
    with socket.socket() as quicker:  # somebody's connection outwards: bound, not listening
        quicker.bind(("127.0.0.1", 0))
        ports = [quicker.getsockname()[1], free]
        monkeypatch.setattr(server, "free_port", lambda _: ports.pop(0))
        with listening("listener.accept()\n" + SLEEPY) as bed:
            assert bed.port == free


def test_a_failing_test_sees_the_log() -> None:
    with pytest.raises(ZeroDivisionError) as failure, listening(SLEEPY):
        raise ZeroDivisionError
    assert "listening" in failure.value.__notes__[0]


FOREVER = """
import time
from tests.beds.redis import redis

def test_forever():
    with redis() as bed:
        print(bed.pid, "runs", flush=True)
        time.sleep(600)
"""


def test_it_ends_with_the_tests_even_when_these_are_killed(tmp_path: Path) -> None:
    with running_pytest(tmp_path, FOREVER) as run:
        pid = first_number(run)
        run.kill()
        wait_until(lambda: not alive(pid), "the server is gone")


def test_a_run_that_is_told_to_end_tidies_up(tmp_path: Path) -> None:
    with running_pytest(tmp_path, FOREVER) as run:
        pid = first_number(run)
        run.send_signal(signal.SIGTERM)
        assert run.wait(30) == 143
        assert not alive(pid)


def test_a_process_left_behind_fails_the_run_and_is_ended(tmp_path: Path) -> None:
    # The middle one ends, and nobody but the run's own process inherits its child.
    test = "def test_leaking():\n os.system('sleep 600 & echo $!')\n"
    with running_pytest(tmp_path, f"import os\n{test}") as run:
        pid = first_number(run)
        assert run.stdout is not None
        said = run.stdout.read()
        assert run.wait(30) == 1
        assert re.search(rf"left behind by a test: (sleep|sh) \({pid}\)", said)
        assert not alive(pid)


def alive(pid: int) -> bool:
    process = processes.read(pid)
    return process is not None and process.alive


@contextlib.contextmanager
def running_pytest(folder: Path, text: str) -> Iterator["subprocess.Popen[str]"]:
    (folder / "test_it.py").write_text(text)
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-q", "-s"]
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "TMPDIR": str(folder)},
    ) as run:
        try:
            yield run
        finally:
            run.kill()


def first_number(run: "subprocess.Popen[str]") -> int:
    assert run.stdout is not None
    for line in run.stdout:
        word = line.split(" ")[0].strip()
        if word.isdigit():
            return int(word)
    raise AssertionError("it said no number")

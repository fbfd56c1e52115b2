"""A real agent and a real monitor: enrolled, heard, buffered, explained."""

import contextlib
import json
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.beds.commands import stop
from tests.beds.redis import redis
from tests.beds.server import free_port
from tests.cli.monitor import Monitor, monitor
from tests.cli.trueup import trueup


@contextlib.contextmanager
def agent(to: str, token_file: Path, *more: str) -> "Iterator[subprocess.Popen[str]]":
    words = ["agent", "--to", to, "--token-file", str(token_file), *more]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "trueup", *words], stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()
        stop(process)


def token_for(host: str, data: Path, folder: Path) -> Path:
    made = trueup("token", "create", "--scope", f"agent:{host}", "--data", str(data))
    file = folder / "token"
    file.write_text(made.stdout)
    return file


def until(seen: Callable[[], bool], timeout_s: float = 30) -> None:
    ends_s = time.monotonic() + timeout_s
    while not seen():
        assert time.monotonic() < ends_s
        time.sleep(0.05)


def target(ran: Monitor) -> Any:
    return json.loads(ran.get("/api/v1/targets/cache")[1])


def vantages(ran: Monitor) -> dict[str, Any]:
    return {seen["vantage"]: seen for seen in target(ran)["observations"]}


def test_a_remote_failure_is_explained_by_the_agent_there(tmp_path: Path) -> None:
    with redis() as server:
        config = f"services:\n  cache: {{at: {server.url}, host: db-1, every: 2s, timeout: 1s}}\n"
        with monitor(tmp_path, config) as ran:
            assert vantages(ran)["agent:db-1"]["cause"] == "agent-silent"
            assert target(ran)["state"] == "up"
            token = token_for("db-1", ran.data, tmp_path)
            with agent(ran.url, token, "--host", "db-1") as process:
                until(lambda: "agent:db-1" not in vantages(ran))
                key = token.with_name("token.key")
                assert stat.S_IMODE(key.stat().st_mode) == 0o600
                with server.paused():
                    until(lambda: target(ran)["cause"] == "paused", 60)
                    shown = target(ran)
                    assert shown["layer"] == "host"
                    assert f"kill -CONT {server.pid}" in " ".join(shown["next"])
                assert process.poll() is None
                # It asks, and never listens.
                done = trueup("who", "--json")
                pids = [one["pid"] for one in json.loads(done.stdout)["listeners"]]
                assert process.pid not in pids
            with agent(ran.url, token, "--host", "db-1") as process:  # with its key; the token is used up
                until(lambda: target(ran)["state"] == "up")
                assert process.poll() is None


def test_an_agent_whose_token_is_another_host_s_says_so_and_ends(tmp_path: Path) -> None:
    with redis() as server, monitor(tmp_path, f"services:\n  cache: {server.url}\n") as ran:
        token = token_for("db-2", ran.data, tmp_path)
        done = trueup("agent", "--to", ran.url, "--token-file", str(token), "--host", "db-1")
        assert done.returncode == 70
        assert "403" in done.stderr
        assert not token.with_name("token.key").exists()


def test_without_a_monitor_it_goes_on_trying(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("tu_x")
    with agent(f"http://127.0.0.1:{free_port()}", file) as process:
        assert process.stderr is not None
        assert "can't be reached" in process.stderr.readline()
        assert process.poll() is None


def test_a_token_that_is_not_there_and_an_address_that_is_none(tmp_path: Path) -> None:
    done = trueup("agent", "--to", "http://127.0.0.1:1", "--token-file", str(tmp_path / "none"))
    assert (done.returncode, "can't be read: No such file or directory\n" in done.stderr) == (70, True)
    done = trueup("agent", "--to", "nonsense", "--token-file", str(tmp_path / "none"))
    assert done.returncode == 64

"""What all commands share: help, and an exit status that nothing takes away."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.beds.server import free_port
from tests.cli.trueup import trueup
from tests.importers.imported import SAMPLES

COMMANDS = ("check", "who", "run", "validate", "schema")
TRUEUP = f"{sys.executable} -W error -m trueup"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    done = trueup(command, "--help")
    assert done.returncode == 0
    assert f"Example: trueup {command}" in done.stdout
    assert done.stderr == ""


def test_no_word_at_all_is_wrong_usage() -> None:
    assert trueup().returncode == 64


def test_a_closed_output_takes_nothing_from_the_exit_status() -> None:
    down = f"{TRUEUP} check tcp://127.0.0.1:{free_port()} --no-host"
    assert (shell(f"{down} >&-").returncode, shell(f"{down} --json >&-").returncode) == (2, 2)
    done = shell(f"{TRUEUP} check redsi://h 2>&-")
    assert (done.returncode, done.stdout) == (64, "")


def test_a_reader_that_leaves_takes_nothing_from_the_exit_status() -> None:
    words = " ".join([f"tcp://127.0.0.1:{free_port()}" for _ in range(3)])
    done = shell(f"{{ sleep 0.1; {TRUEUP} check {words} --no-host; }} | true")
    assert (done.returncode, done.stderr) == (2, "")


def unread(*words: str) -> subprocess.CompletedProcess[str]:
    """What becomes of a command whose reader has left before it says anything."""
    code = (
        "import os, sys\n"
        "reader, writer = os.pipe(); os.close(reader); os.dup2(writer, 1)\n"
        "sys.argv = ['trueup', *sys.argv[1:]]\n"
        "from trueup.cli import main; main()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_reader_that_leaves_early_makes_no_failure(tmp_path: Path) -> None:
    done = unread("who", "1")
    assert (done.returncode, done.stderr) == (0, "")
    config, before = tmp_path / "trueup.yaml", tmp_path / "before.json"
    with socket.create_server(("127.0.0.1", 0)) as server:
        config.write_text(f"services:\n  a: tcp://127.0.0.1:{server.getsockname()[1]}\n")
        assert trueup("snapshot", "-o", str(before), "-c", str(config)).returncode == 0
    assert unread("verify", "--against", str(before)).returncode == 2


def test_a_full_disk_is_a_failure_of_our_own() -> None:
    done = shell(f"{TRUEUP} check tcp://127.0.0.1:{free_port()} --no-host > /dev/full")
    assert (done.returncode, done.stderr) == (70, "trueup can't go on: No space left on device\n")


def test_a_bug_is_one_sentence_and_70() -> None:
    code = (
        "import sys, trueup.app.one_look as look\n"
        "def broken(*_a, **_k): raise RuntimeError('odd\\x1b[2J')\n"
        "look.look_once = broken\n"
        "sys.argv = ['trueup', 'check', 'tcp://127.0.0.1:1']\n"
        "from trueup.cli import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ},
    )
    assert done.returncode == 70
    assert "which is a bug in it: RuntimeError at <string>:2: odd\\x1b[2J" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_list_of_commands_says_whole_sentences() -> None:
    listed = " ".join(trueup("--help").stdout.partition("Commands:")[2].split())
    assert "..." not in listed
    assert "all problems at once, as FILE:LINE: PATH: problem; hint verify" in listed


def test_a_locale_without_a_letter_takes_nothing_from_the_exit_status(tmp_path: Path) -> None:
    file = tmp_path / "trueup.yaml"
    file.write_text(f"services:\n  a→b: tcp://127.0.0.1:{free_port()}\n", encoding="utf-8")
    done = trueup("check", "-c", str(file), env={"PYTHONIOENCODING": "iso-8859-1"})
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.startswith("DOWN     a\\u2192b  [refused, port]")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["validate", "-c"], 64),
        (["check", "-c"], 64),
        (["import", "gatus"], 64),
        (["import", "kuma"], 64),
        (["import", "monit"], 64),
        (["import", "blackbox"], 64),
        (["verify", "--against"], 64),
        (["token", "list", "--data"], 64),
        (["snapshot", "-o"], 70),
        (["discover", "127.0.0.1", "--ports", "1", "-o"], 70),
        (["import", "gatus", str(SAMPLES / "gatus"), "-o"], 70),
    ],
)
def test_a_path_that_cannot_be_looked_at_is_no_bug(words: list[str], status: int, tmp_path: Path) -> None:
    """As one in a folder that we may not search, which root always may."""
    done = trueup(*words, "x" * 300, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (status, "")
    assert "which is a bug" not in done.stderr
    assert "File name too long" in done.stderr or "no data of a monitor" in done.stderr


def test_a_certificate_that_cannot_be_looked_at_is_no_bug(tmp_path: Path) -> None:
    file = tmp_path / "trueup.yaml"
    file.write_text(f"services:\n  a: {{at: https://h, tls: {{ca: /{'x' * 300}}}}}\n")
    done = trueup("validate", "-c", str(file))
    assert done.returncode == 0, done.stderr
    assert "without it nobody will know about a" in done.stderr

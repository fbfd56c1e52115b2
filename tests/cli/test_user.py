import json
import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.cli.trueup import trueup

PASSWORD = "correct horse battery"


def test_a_user_is_made_listed_and_removed(tmp_path: Path) -> None:
    data = ["--data", str(tmp_path / "data")]
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\nanother line\n")
    given = ["--password-file", str(file)]
    assert (
        trueup("user", "set-password", "ann", *given, *data).stdout == "ann is admin and has a new password\n"
    )
    assert trueup("user", "set-password", "bob", *given, *data).stdout.startswith("bob is viewer")
    assert trueup("user", "set-password", "bob", "--role", "editor", *given, *data).returncode == 0
    assert trueup("user", "set-password", "bob", *given, *data).stdout.startswith("bob is editor")
    listed = trueup("user", "list", "--json", *data)
    assert json.loads(listed.stdout)["users"] == [
        {"name": "ann", "role": "admin"},
        {"name": "bob", "role": "editor"},
    ]
    assert trueup("user", "remove", "bob", *data).returncode == 0
    assert trueup("user", "remove", "bob", *data).returncode == 64
    assert trueup("user", "list", *data).stdout.split() == ["ann", "admin"]


def test_a_password_or_name_that_cannot_be_taken_is_wrong_usage(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("short\n")
    data = ["--data", str(tmp_path / "data"), "--password-file", str(file)]
    done = trueup("user", "set-password", "ann", *data)
    assert (done.returncode, "8 to 1024 characters" in done.stderr) == (64, True)
    file.write_text(PASSWORD)
    assert trueup("user", "set-password", "a b", *data).returncode == 64


def test_where_nobody_can_be_asked_the_password_is_the_first_line_of_the_input(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "trueup", "user", "set-password", "ann", "--data", str(tmp_path)]
    done = subprocess.run(words, input=f"{PASSWORD}\n", capture_output=True, text=True, check=True)
    assert done.stdout.startswith("ann is admin")


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "trueup", "user", "set-password", "ann", "--data", str(tmp_path)]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(words[0], words)
    seen = b""
    while chunk := _read(terminal):
        seen += chunk
        if chunk.rstrip().endswith(b":"):
            os.write(terminal, f"{PASSWORD}\n".encode())
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)
    assert b"ann is admin" in seen
    assert PASSWORD.encode() not in seen


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is gone
        return b""

"""The line that says how far a command is, on terminals of every width."""

import fcntl
import os
import pty
import struct
import sys
import termios

import pytest

from trueup.cli.progress import Progress


@pytest.mark.parametrize(("columns", "width"), [(20, 19), (200, 78), (0, 78)])
def test_the_line_never_wraps(columns: int, width: int) -> None:
    reader, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(terminal, "w") as stream, Progress(stream) as progress:
        progress.say("x" * 100)
        shown = os.read(reader, 1000)
    os.close(reader)
    assert shown == b"\r" + b"x" * width + b"\r"


def test_nothing_is_shown_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(sys.stderr) as progress:
        progress.of("tried", 5)(1, 0)
    assert capsys.readouterr().err == ""

"""One file a command; thin. A command's file is loaded when it's called."""

import gc
import io
import os
import sys


def main() -> None:
    """Run the command line and leave the process with its exit status.

    Most commands live for a moment: there's no garbage worth collecting while they load, and nothing to
    take apart at their end. That is a third of a quick command's time; ``run`` and ``agent`` collect again.
    """
    gc.disable()
    _open_standard_files()
    _escape_what_cannot_be_shown()
    from trueup.cli.commands import Commands

    status = Commands.run(sys.argv[1:])
    os._exit(status)


def _open_standard_files() -> None:
    """Where a standard file is closed, the first socket would take its place, and be printed into."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - as long as the process lives


def _escape_what_cannot_be_shown() -> None:
    """A locale that lacks a letter takes nothing from the sentence, nor from the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

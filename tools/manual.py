"""Writes packaging/trueup.1, the man page, from the commands: ``python -m tools.reference`` does it too."""

from collections.abc import Iterator
from pathlib import Path

import click

from trueup import __version__
from trueup.cli.commands import trueup_command

PAGE = Path(__file__).parents[1] / "packaging" / "trueup.1"
_NOTE = '.\\" Written by tools/manual.py from the code: change it there.'
_STATUSES = (
    ("0", "up; or, of commands that look at nothing, done"),
    ("1", "degraded: it works, but slowly, or not for long, or short of something"),
    ("2", "down"),
    ("3", "unknown: nobody could look"),
    ("64", "wrong usage, or an invalid configuration"),
    ("70", "a failure of trueup's own"),
)
_ENVIRONMENT = (
    ("TRUEUP_URL", "where the monitor is that is asked"),
    ("TRUEUP_TOKEN", "the token that is sent to it"),
    ("NO_COLOR", "no colours, where it's set"),
    ("SSL_CERT_FILE", "the authorities that certificates are verified with"),
)


def manual() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _NOTE
    yield f'.TH TRUEUP 1 "" "trueup {__version__}" "User commands"'
    yield from (".SH NAME", "trueup \\- the monitor in which up means up")
    yield from (".SH SYNOPSIS", ".B trueup", ".RI COMMAND\\  [ options ]\\  [ arguments ]")
    yield ".SH DESCRIPTION"
    yield _text(
        "Looks at services in their own protocols, layer by layer, and says in one sentence what is broken,"
    )
    yield _text("at which layer, why, and what to do next.")
    yield ".SH COMMANDS"
    with click.Context(trueup_command, info_name="trueup") as context:
        for name in trueup_command.list_commands(context):
            command = trueup_command.get_command(context, name)
            assert command is not None
            yield from _command(command, name, context)
    for title, rows in (("EXIT STATUS", _STATUSES), ("ENVIRONMENT", _ENVIRONMENT)):
        yield f".SH {title}"
        for word, meaning in rows:
            yield from (".TP", f".B {word}", _text(meaning))
    yield from (".SH FILES", ".TP", ".I trueup.yaml", "the configuration, where no other is named")
    yield from (".TP", ".I trueup-data/", "what the monitor remembers, where no other folder is named")


def _command(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    with click.Context(command, info_name=name, parent=parent) as context:
        usage = " ".join(command.collect_usage_pieces(context))
        yield f".SS trueup {_text(name)} {_text(usage)}"
        yield from _prose(command.help or "")
        for parameter in command.get_params(context):
            record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
            if record is not None:
                yield from (".TP", f".B {_text(record[0])}", _text(record[1] or ""))
        if command.epilog:
            yield from (".PP", _text(command.epilog))
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                found = command.get_command(context, inner)
                assert found is not None
                yield from _command(found, f"{name} {inner}", parent)


def _prose(text: str) -> Iterator[str]:
    for place, paragraph in enumerate(text.replace("\b", "").split("\n\n")):
        if place:
            yield ".PP"
        yield from (_text(line.strip()) for line in paragraph.strip().splitlines())


def _text(text: str) -> str:
    r"""Text that roff takes for nothing else: dashes to copy, no dot or quote that begins a request."""
    shown = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace("\N{EN DASH}", "\\-")
    return f"\\&{shown}" if shown[:1] in {".", "'"} else shown


def main() -> None:
    PAGE.write_text(manual())
    print("wrote packaging/trueup.1")


if __name__ == "__main__":
    main()

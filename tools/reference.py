"""Writes docs/reference/ and the man page from the code: ``python -m tools.reference``.

Tests keep them true.
"""

import importlib
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from tools.manual import PAGE, manual
from trueup.alerts.channels.registry import all_kinds
from trueup.cli.commands import trueup_command
from trueup.config.reference import reference
from trueup.domain.causes import CAUSES, Cause
from trueup.domain.printable import printable
from trueup.domain.states import Layer
from trueup.probes.probe import Probe
from trueup.probes.registry import all_probes

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
NOTE = "<!-- Written by tools/reference.py from the code: change it there. -->\n"


def pages() -> dict[str, str]:
    """Each page by its file name."""
    return {
        "causes.md": NOTE + _causes(),
        "channels.md": NOTE + "\n".join(_channels()),
        "commands.md": NOTE + _commands(),
        "configuration.md": NOTE + reference(),
        "probes.md": NOTE + "\n".join(_probes()),
    }


def _causes() -> str:
    rows = [f"| `{cause}` | {_layers(cause)} | {meaning.says} |" for cause, meaning in CAUSES.items()]
    words = (
        "Why a target isn't up: a closed list, in the order in which causes of one layer outrank each other."
    )
    return "\n".join(["# Causes\n", f"{words}\n", "| cause | layer | says |", "|---|---|---|", *rows, ""])


def _layers(cause: Cause) -> str:
    return (
        "any" if cause.layers == frozenset(Layer) else ", ".join(one for one in Layer if one in cause.layers)
    )


def _commands() -> str:
    parts = ["# Commands\n", "`trueup` is the command; `python -m trueup` is the same.\n"]
    with click.Context(
        trueup_command, info_name="trueup", terminal_width=90, max_content_width=90
    ) as context:
        for name in trueup_command.list_commands(context):
            command = trueup_command.get_command(context, name)
            assert command is not None
            with click.Context(command, info_name=name, parent=context, max_content_width=90) as inner:
                inner.terminal_width = 90
                parts.append(f"## trueup {name}\n\n```\n{command.get_help(inner)}\n```\n")
    return "\n".join(parts)


def _channels() -> Iterator[str]:
    yield "# Channels\n"
    yield "Where alerts go, by the scheme of the URL. [How to send alerts](../how-to/send-alerts.md).\n"
    for kind in all_kinds():
        yield f"## {kind.title}\n"
        if kind.schemes:
            form = "" if kind.form == "trueup" else f", with `form: {kind.form}`"
            yield ", ".join(f"`{scheme}://`" for scheme in kind.schemes) + f"{form}.\n"
        module = importlib.import_module(kind.make.__module__)
        yield f"{inspect.cleandoc(module.__doc__ or '')}\n"


def _probes() -> Iterator[str]:
    yield "# Probes\n"
    yield "What each protocol is asked, and what its error answers mean.\n"
    for probe in all_probes():
        yield f"## {probe.title}\n"
        schemes = (
            f"`{name}` (port {how.port})" if how.port else f"`{name}`" for name, how in probe.schemes.items()
        )
        yield ", ".join(schemes) + f". The whole look's deadline is {probe.timeout_s:g} s.\n"
        module = importlib.import_module(probe.conversation.__module__)
        yield f"{inspect.cleandoc(module.__doc__ or '')}\n"
        yield from _tables(module.__dict__, probe)


def _tables(names: Mapping[str, object], probe: Probe) -> Iterator[str]:
    rows = [row for value in names.values() if isinstance(value, Mapping) for row in _rows(value)]
    if rows:
        yield "| answer | cause | says |"
        yield "|---|---|---|"
        yield from dict.fromkeys(rows)
        yield ""
    for cause, steps in probe.next_steps.items():
        yield f"- `{cause}`: {'; '.join(steps)}"
    yield ""


def _rows(table: Mapping[object, object]) -> Iterator[str]:
    """Rows of a table of error answers: a code, and a cause with its meaning."""
    for answer, row in table.items():
        match row:
            case (Cause() | None as cause, str(meaning)):
                word = f"`{cause}`" if cause else "up"
                yield f"| `{_shown(answer)}` | {word} | {_shown(meaning)} |"


def _shown(answer: object) -> str:
    text = answer if isinstance(answer, bytes | str) else str(answer)
    return printable(text).replace("|", r"\|")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text.rstrip() + "\n")
        print(f"wrote docs/reference/{name}")
    PAGE.write_text(manual())
    print(f"wrote packaging/{PAGE.name}")


if __name__ == "__main__":
    main()

"""The ``trueup`` command: finds its subcommands by their files, and turns errors into exit statuses."""

import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import click

import trueup.cli
from trueup import __version__
from trueup.domain.printable import printable

OK: Final = 0
WRONG_USAGE: Final = 64
FAILED: Final = 70
_NOT_COMMANDS: Final = frozenset(
    {
        "commands",
        "completing",
        "configured",
        "data_folder",
        "files_named",
        "monitor_api",
        "muted",
        "progress",
        "report",
    }
)


class Failed(click.ClickException):
    """The command can't do what it's for, and whoever called it did nothing wrong. The sentence says why."""

    def show(self, file: object = None) -> None:
        click.echo(self.format_message(), err=True)


class Commands(click.Group):
    """The group of all commands; each is ``COMMAND`` in the file of its name."""

    @classmethod
    def run(cls, arguments: Sequence[str]) -> int:
        """Run one command and return its exit status: sysexits(3) for wrong usage and our own failures."""
        try:
            status = trueup_command.main(list(arguments), prog_name="trueup", standalone_mode=False)
            sys.stdout.flush()
        except Failed as error:
            return _say_and(FAILED, error.show)
        except click.ClickException as error:
            return _say_and(WRONG_USAGE, error.show)
        except (click.Abort, KeyboardInterrupt):
            return _say_and(130, lambda: click.echo("stopped", err=True))
        except (BrokenPipeError, SystemExit):  # click leaves with SystemExit(1) where the reader has left
            leave_unread()
            return OK
        except Exception as error:  # noqa: BLE001 - the last place where it can become an exit status
            sentence = _own_failure(error)
            return _say_and(FAILED, lambda: click.echo(sentence, err=True))
        return status if isinstance(status, int) else OK

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = (module.name for module in pkgutil.iter_modules(trueup.cli.__path__))
        return sorted(name.removesuffix("_") for name in names if name not in _NOT_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for name in (cmd_name, f"{cmd_name}_"):  # import_.py: the word is Python's
            try:
                module = importlib.import_module(f"trueup.cli.{name}")
            except ModuleNotFoundError as error:
                if error.name != f"trueup.cli.{name}":
                    raise
                continue
            command = getattr(module, "COMMAND", None)
            return command if isinstance(command, click.Command) else None
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The first sentence of each, whole: click cuts it in the middle."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_sentence(one.help or "")) for name, one in found if one])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from trueup.domain.nearest import nearest

        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            close = nearest(args[0], self.list_commands(ctx))
            raise click.UsageError(
                f"no such command {args[0]!r}" + (f"; did you mean {close!r}?" if close else ""), ctx
            )
        return super().resolve_command(ctx, args)


def _first_sentence(text: str) -> str:
    words = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    return words.split(". ")[0].rstrip(".")


def say(text: str, *, coloured: bool = False) -> None:
    """All at once: a reader that has had enough doesn't change the exit status."""
    try:
        click.echo(text, color=coloured)
        sys.stdout.flush()
    except BrokenPipeError:
        leave_unread()


def leave_unread() -> None:
    """Whoever read our output has left: what else is written there goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say_and(status: int, say: Callable[[], object]) -> int:
    """``status``, also where nobody can be told why."""
    with suppress(OSError):
        say()
    return status


def _own_failure(error: Exception) -> str:
    if isinstance(error, OSError):  # the machine's word, and no bug
        what = f": {printable(str(error.filename), 200)}" if error.filename is not None else ""
        return f"trueup can't go on: {error.strerror or error}{what}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(frame.filename)}:{frame.lineno}"  # noqa: PTH119 - a name to print
    return f"trueup failed, which is a bug in it: {type(error).__name__} at {where}: {printable(str(error))}"


trueup_command = Commands(
    name="trueup",
    help="trueup: the monitor in which up means up.\n\nTry: trueup check redis://127.0.0.1 https://example.org",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
click.version_option(__version__, prog_name="trueup")(trueup_command)

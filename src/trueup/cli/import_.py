"""``trueup import``: a configuration from another monitor's."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from trueup.cli.commands import Failed
from trueup.domain.printable import printable
from trueup.host.paths import is_there

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from trueup.importers.carried import Carried


_FOLDER: Final = "trueup-secrets"


def _source(_ctx: click.Context, param: click.Parameter, value: str) -> str:
    """The name of an importer; they're found when one is asked for."""
    from trueup.domain.nearest import nearest
    from trueup.importers.registry import importers

    if value not in importers():
        close = nearest(value, importers())
        hint = f"did you mean {close}?" if close else f"known: {' '.join(importers())}"
        raise click.BadParameter(f"nothing is imported from {printable(value)!r}; {hint}", param=param)
    return value


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    from trueup.importers.registry import importers

    return [CompletionItem(name) for name in importers() if name.startswith(incomplete)]


@click.command(epilog="Example: trueup import kuma backup.json -o trueup.yaml --secrets trueup.env")
@click.argument("source", callback=_source, shell_complete=_complete, metavar="kuma|gatus|blackbox|monit")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it there.")
@click.option(
    "--secrets",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Have the secrets as variables, and write those that were found as NAME=VALUE there.",
)
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the configuration, and what isn't in it, as JSON."
)
def COMMAND(  # noqa: N802 - what a command's file exports
    source: str,
    files: tuple[Path, ...],
    output: Path | None,
    secrets: Path | None,
    *,
    force: bool,
    as_json: bool,
) -> int:
    """Write a configuration from what another monitor has: checks, intervals, retries, alerts.

    kuma: a backup of 1.x, or kuma.db. gatus: its configuration, or the folder of it. blackbox: prometheus.yml
    with blackbox.yml, in any order. monit: its control file; files that it includes are read too.

    Checks of one address become one service. What can't be carried over is listed with its reason, on
    standard error and at the top of the configuration. Secrets aren't written into it: each goes into a file
    of its own in trueup-secrets, for its owner alone, that the configuration refers to. With --secrets or
    --json they are ${NAME}, and the variables to set are listed.
    """
    from trueup.importers.composing import composed
    from trueup.importers.importer import Malformed
    from trueup.importers.proving import proven
    from trueup.importers.registry import importers
    from trueup.importers.writing import comment_of, counted, referring, written

    output = None if output == Path("-") else output
    for path in (output, secrets):
        if path is not None and not force and is_there(path) and path.stat().st_size:
            raise click.UsageError(f"{path} is there already; name another file, or add --force")
    importer = importers()[source]
    try:
        carried = importer.read(files, os.environ)
    except Malformed as error:
        raise _Unreadable(str(error)) from error
    tree = proven(carried, composed(carried), os.environ)
    try:
        kept = {} if secrets is not None or as_json else _keep(carried, output, force=force)
        for name in kept:
            del carried.variables[name]
        if secrets is not None:
            _write_secrets(secrets, carried)
        if as_json:
            text = json.dumps(_document(carried, tree), indent=2) + "\n"
        else:
            comment = comment_of(carried, importer.title, " ".join(map(str, files)), tree)
            text = written(referring(tree, {name: f"file:{path}" for name, path in kept.items()}), comment)
        if output is not None:
            output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failed(f"can't write {printable(str(error.filename), 200)}: {error.strerror}") from error
    if output is None:
        click.echo(text, nl=False)
    else:
        click.echo(f"wrote {output}: {counted(carried, tree)}")
    _say(carried, secrets)
    if kept:
        click.echo(f"the secrets are in {next(iter(kept.values())).parent}, for your eyes alone", err=True)
    return 0


class _Unreadable(click.ClickException):
    """A file that isn't what it should be, as ``FILE:LINE: problem; hint``."""

    def show(self, file: Any = None) -> None:
        click.echo(self.format_message(), err=True)


def _say(carried: "Carried", secrets: Path | None) -> None:
    """What isn't carried over and what is to be set, for who runs it."""
    for note in carried.notes:
        click.echo(f"note: {note}", err=True)
    for one in carried.left_out:
        click.echo(f"not carried over: {one.what}: {one.why}", err=True)
    unset = [one for one in carried.variables.values() if secrets is None or one.value is None]
    if unset:
        click.echo("set these before it's used; secrets aren't written into it:", err=True)
    for variable in unset:
        click.echo(f"  {variable.name}: {variable.meaning}", err=True)
    if secrets is not None:
        click.echo(
            f"the secrets are in {secrets}: set -a; . {_sourced(secrets)}; or EnvironmentFile= of systemd",
            err=True,
        )


def _sourced(path: Path) -> str:
    """As a shell reads it: a name alone it would look for in PATH."""
    import shlex

    return shlex.quote(str(path) if path.is_absolute() else f"./{path}")


def _document(carried: "Carried", tree: dict[str, Any]) -> dict[str, Any]:
    return {
        "configuration": tree,
        "variables": [{"name": one.name, "meaning": one.meaning} for one in carried.variables.values()],
        "notes": carried.notes,
        "left_out": [{"what": one.what, "why": one.why} for one in carried.left_out],
    }


def _keep(carried: "Carried", output: Path | None, *, force: bool) -> dict[str, Path]:
    """The files that hold the secrets that were found, by the names of their variables.

    Raises:
        click.UsageError: one is there and holds something else, or its path can't be referred to.
    """
    found = {name: one.value for name, one in carried.variables.items() if one.value is not None}
    folder = (output.parent if output is not None else Path()).resolve() / _FOLDER
    if found and ("}" in str(folder) or not str(folder).isprintable()):
        raise click.UsageError(
            f"{printable(str(folder), 200)} can't be referred to as a file; add --secrets FILE for variables"
        )
    for name, value in found.items():
        if not force and is_there(folder / name) and (folder / name).read_text(encoding="utf-8") != value:
            raise click.UsageError(f"{folder / name} is there and holds something else; add --force")
    if found:
        folder.mkdir(mode=0o700, exist_ok=True)
    kept = {}
    for name, value in found.items():
        kept[name] = folder / name
        with _for_the_owner(kept[name]) as file:
            file.write(value)
    return kept


def _for_the_owner(path: Path) -> TextIO:
    """The file, emptied or made, that nobody else may read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(handle, 0o600)
    return os.fdopen(handle, "w", encoding="utf-8")


def _write_secrets(path: Path, carried: "Carried") -> None:
    lines = [
        f"{one.name}={_quoted(one.value)}\n" for one in carried.variables.values() if one.value is not None
    ]
    with _for_the_owner(path) as file:
        file.writelines(lines)


def _quoted(value: str) -> str:
    """As a shell reads it, and systemd too."""
    if "'" not in value:
        return f"'{value}'"
    return '"' + "".join(f"\\{char}" if char in '\\"$`' else char for char in value) + '"'

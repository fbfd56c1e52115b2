"""``trueup verify``: what isn't as it was."""

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trueup.cli.commands import Failed, say
from trueup.cli.configured import InvalidConfigurationError
from trueup.cli.report import is_coloured, state_word
from trueup.domain.duration import DurationError, parse_duration
from trueup.domain.printable import printable

if TYPE_CHECKING:
    from trueup.app.snapshots import Subject
    from trueup.reports.differences import Differences


def _duration(_context: click.Context, param: click.Parameter, value: str | None) -> float:
    try:
        return parse_duration(value) if value is not None else 0.0
    except DurationError as error:
        raise click.BadParameter(str(error), param=param) from error


@click.command(epilog="Example: trueup verify --against before.json --wait 60s --junit verify.xml")
@click.option(
    "--against",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The snapshot that trueup snapshot wrote.",
)
@click.option("--wait", callback=_duration, metavar="60s", help="Look again until all is as before, so long.")
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration, where it isn't the snapshot's own.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write it as JUnit XML too.")
def COMMAND(  # noqa: N802 - what a command's file exports
    against: Path, wait: float, config: Path | None, *, as_json: bool, junit: Path | None
) -> int:
    """Compare what is with a snapshot: listeners, units, containers, certificates, verdicts, latencies.

    Exit status: 0 all is as before, 1 something is new, changed or slower, 2 something is lost or worse,
    3 something could not be looked at, 64 wrong usage.
    """
    from trueup.app.verifying import verify

    before = _read(against)
    if before.get("host") != socket.gethostname():
        of = printable(str(before.get("host")), 100)
        click.echo(f"{against} is of {of}, and this is {socket.gethostname()}", err=True)
    subject = _subject(before, config)
    teller = _Teller()
    differences = asyncio.run(verify(before, subject, wait, teller.waiting))
    if junit is not None:
        _write_junit(junit, before, differences)
    if as_json:
        say(json.dumps(differences.document(), indent=2, ensure_ascii=True))
    else:
        say("\n".join(_lines(differences, against)), coloured=is_coloured())
    return differences.state.exit_status


def _read(path: Path) -> dict[str, Any]:
    """Raises: click.UsageError: it's no snapshot, or can't be read."""
    from trueup.reports.snapshot import SnapshotError, read_snapshot

    try:
        return read_snapshot(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise click.UsageError(
            f"can't read {path}: {error.strerror}; trueup snapshot -o {path} writes one"
        ) from error
    except (SnapshotError, UnicodeDecodeError) as error:
        words = str(error) if isinstance(error, SnapshotError) else "it isn't text"
        raise click.UsageError(f"{path}: {words}") from error


def _subject(before: dict[str, Any], config: Path | None) -> "Subject":
    """Raises: InvalidConfigurationError, click.UsageError: what was looked at can't be looked at again."""
    from trueup.app.snapshots import Subject
    from trueup.config import ConfigurationError

    source = before["configuration"]
    try:
        if config is not None:
            return Subject.of_file(config)
        if isinstance(source.get("file"), str):
            return Subject.of_file(Path(source["file"]))
        return Subject.of_text(str(source.get("text", "")))
    except ConfigurationError as error:
        raise InvalidConfigurationError(error) from error


class _Teller:
    """Says what is waited for, each time that it's something else."""

    def __init__(self) -> None:
        self._said = ""

    def waiting(self, differences: "Differences", left_s: float) -> None:
        first = next((one.says for _, one in differences.by_kind()), "")
        words = first or next(iter(differences.unknown), "")
        if words != self._said:
            self._said = words
            click.echo(f"waiting, {left_s:.0f} s at most: {printable(words, 200)}", err=True)


def _lines(differences: "Differences", against: Path) -> Iterator[str]:
    yield f"{state_word(differences.state)} {_sentence(differences)} ({against})"
    for kind, one in differences.by_kind():
        yield f"  {kind:8} {printable(one.says, 500)}"
        if one.listeners:
            yield f"           and with it {printable(', '.join(one.listeners), 300)}"
        for step in one.next:
            yield f"  next     {printable(step, 300)}"
    for words in differences.unknown:
        yield f"  unknown  {printable(words, 500)}"


def _sentence(differences: "Differences") -> str:
    kinds = ("lost", "worse", "changed", "new", "slower", "unknown")
    counts = [f"{count} {kind}" for kind in kinds if (count := len(getattr(differences, kind)))]
    return ", ".join(counts) if counts else "all is as it was"


def _write_junit(path: Path, before: dict[str, Any], differences: "Differences") -> None:
    from trueup.reports.junit import junit

    try:
        path.write_text(junit(before, differences), encoding="utf-8")
    except OSError as error:
        raise Failed(f"can't write {path}: {error.strerror}") from error

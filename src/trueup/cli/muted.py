"""Silences and planned maintenance, said on the command line alike."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import click

from trueup.cli.commands import say
from trueup.cli.monitor_api import MonitorApi, whose_word
from trueup.domain.printable import printable

LIST: Final = "list"
END: Final = "end"


def mute_or_list(
    api: MonitorApi, kind: str, words: Sequence[str], told: dict[str, str | None], *, as_json: bool
) -> int:
    """What ``silence`` and ``maintenance`` do, by their words: ``list``, ``end ID``, or the targets meant.

    ``kind`` is the last part of the API's path, ``told`` what is said besides the targets.

    Raises:
        click.UsageError: that's no way to say it, or the monitor doesn't understand it.
        Unreachable: no monitor answers.
        NotAllowed: it doesn't let us.
    """
    path = f"/api/v1/{kind}"
    if not words or list(words) == [LIST]:
        found = api.read(path)
        _say(found, _lines(found[kind], kind), as_json=as_json)
    elif words[0] == END:
        if len(words) != 2 or not words[1].isdecimal():
            raise click.UsageError(
                f"name the number, as in: end 3; trueup {kind.removesuffix('s')} list has them"
            )
        found = api.change("DELETE", f"{path}/{words[1]}", {})
        _say(found, [f"{words[1]} is over"], as_json=as_json)
    else:
        if told.get("for") is None and told.get("until") is None:
            raise click.UsageError("say how long, as in --for 2h, or --until a time")
        body = {name: said for name, said in told.items() if said is not None}
        found = api.change("POST", path, {"targets": list(words), "by": whose_word(), **body})
        _say(found, _lines([found], kind), as_json=as_json)
    return 0


def _say(document: dict[str, Any], lines: Iterator[str] | list[str], *, as_json: bool) -> None:
    say(json.dumps(document, indent=2) if as_json else "\n".join(lines))


def _lines(found: Sequence[dict[str, Any]], kind: str) -> Iterator[str]:
    if not found:
        yield f"No {kind}"
    for one in found:
        number = str(one["id"]) if one["id"] is not None else "-"
        targets = " ".join(printable(word, 200) for word in one["targets"])
        window = f"{printable(one['from'])} to {printable(one['until'])}" if one["from"] else "over"
        why = one.get("why") or one.get("note") or ""
        by = f" by {printable(one['author'], 100)}" if one["author"] else ""
        yield f"{number:>5}  {window}  {targets}{by}" + (f": {printable(why, 300)}" if why else "")

"""What was composed is loaded as any configuration; what it refuses is left out, and said."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from trueup.config import ConfigurationError, Problem, load
from trueup.importers.carried import Carried
from trueup.importers.writing import written

_ROUNDS_MAX: Final = 12
_STAND_IN: Final = "1"
"""For a variable that isn't set: it will do for a host, a port and a password."""
_OF_NAMES: Final = ("services", "journeys", "heartbeats", "channels")
_WHOLE: Final = frozenset({"at", "steps", "every", "cron", "to"})
"""Keys without which a target or a channel is none."""


def proven(carried: Carried, tree: dict[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    """The tree without what doesn't hold; then, in another round, without names that were of what is gone.

    Of the variables those are kept that something still refers to.
    """
    stand_ins = {name: one.value or env.get(name) or _STAND_IN for name, one in carried.variables.items()}
    for _ in range(_ROUNDS_MAX):
        problems = _problems(tree, {**env, **stand_ins})
        if not problems:
            text = written(tree)
            carried.variables = {
                name: one for name, one in carried.variables.items() if "${" + name + "}" in text
            }
            return tree
        for problem in problems:
            _without(carried, tree, problem)
        tree["maintenance"] = [one for one in tree.get("maintenance", ()) if one is not None]
        tree = {section: value for section, value in tree.items() if value}
    raise AssertionError(f"it doesn't hold: {_problems(tree, stand_ins)}")


def _problems(tree: Mapping[str, Any], env: Mapping[str, str]) -> tuple[Problem, ...]:
    handle, name = tempfile.mkstemp(suffix=".yaml")
    path = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(written(tree) or "{}\n")
        load(path, env)
    except ConfigurationError as error:
        return error.problems
    finally:
        path.unlink()
    return ()


def _without(carried: Carried, tree: dict[str, Any], problem: Problem) -> None:
    """Take out what the problem is about: a key, where the rest stands without it, else the whole."""
    section, _, rest = problem.path.partition(".")
    section = section.partition("[")[0]
    known = tree.get(section)
    if known is None:
        return
    why = f"{problem.problem}; {problem.hint}"
    if section == "maintenance":
        place = int(problem.path.partition("[")[2].partition("]")[0] or 0)
        if place < len(known) and known[place] is not None:
            carried.leave(f"maintenance {place + 1}", why)
            known[place] = None
        return
    if section not in _OF_NAMES:
        carried.leave(section, why)
        del tree[section]
        return
    name = max(
        (one for one in known if rest == one or rest.startswith((f"{one}.", f"{one}["))), key=len, default=""
    )
    if not name:
        return
    key = rest[len(name) + 1 :].partition(".")[0].partition("[")[0]
    keys = known[name]
    if not isinstance(keys, dict) or not key or key in _WHOLE or key not in keys:
        carried.leave(f'"{name}"', why)
        del known[name]
    else:
        carried.leave(f'{key} of "{name}"', why)
        del keys[key]

"""What a ghost is, and how it's asked."""

import asyncio
import json
import os
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trueup.app.one_look import look_once
from trueup.config import load
from trueup.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Asked:
    """A ghost that is there. ``settings`` are keys of the configured service beside ``at``.

    ``elsewhere``: it's in a network of its own, where the peers can't ask.
    """

    at: str
    settings: dict[str, Any] = field(default_factory=dict)
    elsewhere: bool = False


Make = Callable[[], AbstractContextManager[Asked]]


@dataclass(frozen=True, slots=True)
class Ghost:
    """``causes`` are the right ones from outside; none for a control, which is up."""

    name: str
    causes: tuple[str, ...]
    make: Make


class Catalogue(list[Ghost]):
    """Ghosts by their makers: ``@catalogue.ghost("name", "cause")`` above each."""

    def ghost(self, name: str, *causes: str) -> Callable[[Make], Make]:
        def add(make: Make) -> Make:
            self.append(Ghost(name, causes, make))
            return make

        return add

    control = ghost


def verdict_on(asked: Asked) -> Verdict:
    """What ``trueup check --no-host`` says of it."""
    service = {"at": asked.at, "timeout": "3s", **asked.settings}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trueup.yaml"
        path.write_text(json.dumps({"services": {"ghost": service}}))  # JSON is YAML too
        checks = [check for found in load(path, os.environ).checks.values() for check in found]
    (looked,) = asyncio.run(look_once(checks, ask_host=False))
    return looked.verdict

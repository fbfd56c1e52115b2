"""What an importer makes of a file, as the command would write it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trueup.config import Configuration, load
from trueup.importers.carried import Carried
from trueup.importers.composing import composed
from trueup.importers.proving import proven
from trueup.importers.registry import importers
from trueup.importers.writing import comment_of, written

SAMPLES = Path(__file__).parent / "samples"


@dataclass(frozen=True, slots=True)
class Imported:
    carried: Carried
    tree: dict[str, Any]
    text: str
    configuration: Configuration

    def service(self, name: str) -> Any:
        return self.tree["services"][name]

    def why(self, what: str) -> str:
        """Why something isn't there."""
        return next(one.why for one in self.carried.left_out if what in one.what)


def imported(folder: Path, source: str, *files: Path, env: Mapping[str, str] | None = None) -> Imported:
    """Reads the files, writes the configuration, and loads it as ``trueup validate`` does."""
    carried = importers()[source].read(files, env or {})
    tree = proven(carried, composed(carried), env or {})
    text = written(tree, comment_of(carried, source, "it", tree))
    path = folder / "imported.yaml"
    path.write_text(text)
    variables = {one.name: one.value or "1" for one in carried.variables.values()}
    return Imported(carried, tree, text, load(path, {**variables, **(env or {})}))

"""Whatever is in a file, it's a configuration that holds or it's malformed; it's never a failure of ours."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.importers.imported import SAMPLES, imported
from trueup.importers.importer import Malformed

ROUNDS = 8
_ODD: tuple[Any, ...] = (
    None,
    "",
    "x",
    -1,
    10**12,
    True,
    [],
    {},
    [None],
    {"a": {"b": 1}},
    "${",
    "$$",
    "\x1b[31m",
    "ä" * 300,
)


def mangled(node: Any, chance: random.Random) -> Any:
    """A document in which something is gone, or something else."""
    if chance.random() < 0.03:
        return chance.choice(_ODD)
    if isinstance(node, dict):
        return {key: mangled(value, chance) for key, value in node.items() if chance.random() > 0.03}
    if isinstance(node, list):
        return [mangled(value, chance) for value in node if chance.random() > 0.03]
    return node


def cut(text: str, chance: random.Random) -> str:
    """A text in which words or lines are gone, doubled or swapped."""
    parts = text.splitlines(keepends=True)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(parts))
        words = parts[at].split(" ")
        chance.shuffle(words)
        parts[at] = chance.choice(("", parts[at] * 2, parts[at][: len(parts[at]) // 2], " ".join(words)))
    return "".join(parts)


def holds_or_is_malformed(folder: Path, source: str, *files: Path) -> None:
    try:
        imported(folder, source, *files)
    except Malformed:
        return


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_any_backup_of_kuma(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    path = tmp_path / "backup.json"
    path.write_text(json.dumps(mangled(json.loads((SAMPLES / "kuma-backup.json").read_text()), chance)))
    holds_or_is_malformed(tmp_path, "kuma", path)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_any_configuration_of_gatus(seed: int, tmp_path: Path) -> None:
    import yaml

    chance = random.Random(seed)
    path = tmp_path / "config.yaml"
    name = chance.choice(("core.yaml", "more.yaml"))
    text = (SAMPLES / "gatus" / name).read_text()
    path.write_text(cut(text, chance) if seed % 2 else json.dumps(mangled(yaml.safe_load(text), chance)))
    holds_or_is_malformed(tmp_path, "gatus", path)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_any_configuration_of_prometheus_and_blackbox(seed: int, tmp_path: Path) -> None:
    import yaml

    chance = random.Random(seed)
    for name in ("prometheus.yml", "blackbox.yml", "rules.yml"):
        text = (SAMPLES / "prometheus" / name).read_text()
        (tmp_path / name).write_text(json.dumps(mangled(yaml.safe_load(text), chance)))
    holds_or_is_malformed(tmp_path, "blackbox", tmp_path / "prometheus.yml", tmp_path / "blackbox.yml")


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_any_control_file_of_monit(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    names = ("monitrc", "conf.d/app", "conf.d/hosts")
    whole = "".join((SAMPLES / "monit" / name).read_text() for name in names)
    path = tmp_path / "monitrc"
    path.write_text(cut(whole.replace("include conf.d/*", ""), chance))
    holds_or_is_malformed(tmp_path, "monit", path)

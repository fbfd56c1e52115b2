"""Pages on moving in and fitting in tell what the code does."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.trueup import trueup
from tests.importers.imported import SAMPLES

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
MOVE_IN = PAGES / "move-in.md"
_SHOWN = re.compile(
    r"<!-- (\w+) ([^>]*) -->\n```\n(.*?)```\n<!-- the file -->\n```yaml\n(.*?)```\n", re.DOTALL
)


def shown_by(folder: Path, source: str, files: str) -> tuple[str, Any]:
    """What the command prints, and what is in its file, as if in ``/etc/trueup``.

    As YAML and not as text: what stands on one line depends on how long the folder's name is.
    """
    shutil.copytree(SAMPLES / "move-in", folder, dirs_exist_ok=True)
    command = ["import", source, *files.split(), "-o", "trueup.yaml"]
    done = trueup(*command, cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = [f"$ trueup {' '.join(command)}", *done.stdout.splitlines(), *done.stderr.splitlines()]
    here, there = str(folder.resolve()), "/etc/trueup"
    text = (folder / "trueup.yaml").read_text().replace(here, there)
    return "\n".join(lines).replace(here, there) + "\n", yaml.safe_load(text)


@pytest.mark.parametrize("source", ["kuma", "gatus", "blackbox", "monit"])
def test_moving_in_shows_real_output(source: str, tmp_path: Path) -> None:
    shown = {match[1]: match for match in _SHOWN.finditer(MOVE_IN.read_text())}
    printed, written = shown_by(tmp_path, source, shown[source][2])
    assert (shown[source][3], yaml.safe_load(shown[source][4])) == (printed, written)


def test_the_yaml_of_the_pages_is_yaml() -> None:
    for name in ("move-in.md", "fit-into-prometheus.md", "use-as-a-nagios-plugin.md", "install.md"):
        for block in re.findall(r"```yaml\n(.*?)```", (PAGES / name).read_text(), re.DOTALL):
            assert yaml.safe_load(block)


def test_the_metrics_of_the_page_are_those_of_the_monitor() -> None:
    source = "".join(path.read_text() for path in (PAGES.parents[1] / "src" / "trueup").rglob("*.py"))
    named = set(re.findall(r"\btrueup_[a-z_]+", (PAGES / "fit-into-prometheus.md").read_text()))
    assert named
    assert {name for name in named if f'"{name}"' not in source} == set()


def test_files_that_the_pages_name_are_there() -> None:
    for name in ("fit-into-prometheus.md", "install.md"):
        for path in re.findall(r"`(packaging/[^`]+)`", (PAGES / name).read_text()):
            assert (PAGES.parents[1] / path).exists(), path

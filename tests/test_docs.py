"""The documents and the code tell the same."""

import re
import tomllib
from pathlib import Path

import pytest
from click import Context

from tools.manual import PAGE, manual
from tools.reference import FOLDER, pages
from trueup.cli.commands import trueup_command
from trueup.domain.causes import Cause
from trueup.probes.registry import SCHEMES

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_reference_is_as_the_code_has_it(name: str) -> None:
    written = (FOLDER / name).read_text()
    assert written == pages()[name].rstrip() + "\n", "run: python -m tools.reference"


def test_the_man_page_is_as_the_code_has_it() -> None:
    assert PAGE.read_text() == manual(), "run: python -m tools.reference"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_named_exists(path: Path) -> None:
    known = set(trueup_command.list_commands(Context(trueup_command)))
    named = set(re.findall(r"(?:^|[`$ ])trueup ([a-z]+)(?=[ `\n])", path.read_text(), re.MULTILINE))
    prose = {
        "speaks",
        "asks",
        "would",
        "that",
        "is",
        "itself",
        "says",
        "knows",
        "and",
        "names",
        "at",
        "makes",
    }
    assert named - prose <= known


def test_the_front_page_names_every_scheme_and_no_other() -> None:
    block = re.search(r"## What it speaks\n\n`([^`]+)`", README)
    assert block is not None
    assert set(block[1].split()) == set(SCHEMES) - {"mariadb", "postgresql"}


def test_the_front_page_has_the_two_commands() -> None:
    assert "make run" in README
    assert "make test" in README


def test_the_floors_are_those_that_are_kept() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = " > ".join(re.sub(r"[()]", "", one) for one in contracts[0]["layers"])
    assert f"`{floors}`" in " ".join((ROOT / "CONTRIBUTING.md").read_text().split())


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_that_is_named_exists(path: Path) -> None:
    """By its place below the package; a file alone may be the reader's."""
    for name in re.findall(r"`((?:\w+/)+\w+\.py)`", path.read_text()):
        assert (ROOT / name).exists() or (ROOT / "src" / "trueup" / name).exists(), name


def test_the_glossary_is_in_order() -> None:
    words = re.findall(r"^\*\*([^*]+)\*\*", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    assert words == sorted(words, key=str.lower)


def test_causes_in_code_blocks_of_the_documents_are_real() -> None:
    for path in DOCUMENTS:
        for cause in re.findall(r"\[([a-z-]+), (?:port|tls|service|function|host)\]", path.read_text()):
            assert cause in {one.value for one in Cause}, f"{path.name}: {cause}"

"""The unit files are understood by systemd, and call commands that exist."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest
from click import Context

from tests.beds.requirements import require
from trueup.cli.commands import trueup_command

UNITS = sorted((Path(__file__).parents[2] / "packaging").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_every_line(unit: Path, tmp_path: Path) -> None:
    program = require("systemd-analyze")
    made = tmp_path / unit.name
    made.write_text(unit.read_text().replace("/usr/bin/trueup", str(shutil.which("true"))))
    done = subprocess.run(
        [program, "verify", str(made)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if unit.name in line]) == (0, [])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_its_command_exists_with_its_options(unit: Path) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read(unit)
    _, name, *words = parser["Service"]["ExecStart"].split()
    command = trueup_command.get_command(Context(trueup_command), name)
    assert command is not None
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known


def test_there_are_two() -> None:
    assert [unit.name for unit in UNITS] == ["trueup-agent.service", "trueup.service"]

"""The unit files are understood by systemd, and call commands that exist."""

import configparser
import re
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


def test_a_reload_tells_the_monitor_to_read_its_configuration() -> None:
    unit = UNITS[1].read_text()
    assert "\nExecReload=/bin/kill -HUP $MAINPID\n" in unit


def test_what_a_browser_needs_is_what_the_unit_forbids() -> None:
    page = (UNITS[0].parents[1] / "docs" / "how-to" / "write-a-journey.md").read_text()
    (dropped,) = re.findall(r"```ini\n\[Service\]\n(.*?)```", page, re.DOTALL)
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read(UNITS[1])
    for line in dropped.splitlines():
        assert line.partition("=")[0].lower() in parser["Service"]
        assert line in UNITS[1].read_text(), "the unit itself says so too"


def test_there_are_two() -> None:
    assert [unit.name for unit in UNITS] == ["trueup-agent.service", "trueup.service"]

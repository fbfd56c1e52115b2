"""The container file names what is there. It is built where images can be had, which isn't here."""

import json
import re
import shlex
from pathlib import Path

from click import Context

from trueup.cli.commands import trueup_command

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "packaging" / "Containerfile").read_text()
LINES = [line for line in re.sub(r"\\\n", " ", TEXT).splitlines() if line and not line.startswith("#")]


def of(instruction: str) -> list[str]:
    return [line.partition(" ")[2].strip() for line in LINES if line.startswith(f"{instruction} ")]


def test_what_it_copies_is_there() -> None:
    copied = [word for line in of("COPY") if "--from" not in line for word in line.split()[:-1]]
    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_all_that_the_build_reads_is_copied() -> None:
    copied = {word for line in of("COPY") if "--from" not in line for word in line.split()[:-1]}
    assert {"pyproject.toml", "README.md", "LICENSE", "src", "packaging"} <= copied


def test_it_runs_as_nobody_in_particular() -> None:
    assert of("USER") == ["trueup"]
    last_stage = LINES[max(place for place, line in enumerate(LINES) if line.startswith("FROM ")) :]
    users = [place for place, line in enumerate(last_stage) if line.startswith("USER ")]
    runs = [place for place, line in enumerate(last_stage) if line.startswith("RUN ")]
    assert users[0] > max(runs)


def test_its_command_exists_with_its_options() -> None:
    assert json.loads(of("ENTRYPOINT")[0]) == ["trueup"]
    name, *words = json.loads(of("CMD")[0])
    command = trueup_command.get_command(Context(trueup_command), name)
    assert command is not None
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known
    assert any(words[words.index("--data") + 1] in line for line in of("VOLUME"))


def test_its_health_is_asked_without_a_shell() -> None:
    health = of("HEALTHCHECK")[0]
    program, flag, code = json.loads(health.partition("CMD ")[2])
    assert (program, flag) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    assert ":8642/health'" in code


def test_the_example_in_it_can_be_typed() -> None:
    for line in re.findall(r"^#   (podman .*)$", TEXT, re.MULTILINE):
        assert shlex.split(line)[0] == "podman"

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.beds.requirements import require
from tests.cli.trueup import trueup


def completed(folder: Path, line: str) -> list[str]:
    """What bash offers for the last word of a line, by the script that we print."""
    program = folder / "bin" / "trueup"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m trueup "$@"\n')
    program.chmod(0o755)
    script = folder / "completion"
    script.write_text(trueup("completion", "bash").stdout)
    words = line.split(" ")
    told = " ".join(f"'{word}'" for word in words)
    ask = (
        f"source {script}; COMP_WORDS=({told}); COMP_CWORD={len(words) - 1}; "
        '_trueup_completion trueup; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        [require("bash"), "--norc", "-c", ask],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=folder,
        env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"},
    )
    return done.stdout.split()


def test_commands(tmp_path: Path) -> None:
    assert completed(tmp_path, "trueup im") == ["import"]


def test_sources_of_imports(tmp_path: Path) -> None:
    assert completed(tmp_path, "trueup import ga") == ["gatus"]


def test_schemes(tmp_path: Path) -> None:
    assert completed(tmp_path, "trueup check post") == ["postgres://", "postgresql://"]


def test_names_of_a_configuration_whose_secrets_are_not_set(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(
        "services:\n  shop-db: {at: 'postgres://a', login: {password: '${NOT_SET_HERE}'}}\n  cache: redis://a\n"
    )
    assert completed(tmp_path, "trueup check -c shop.yaml sh") == ["shop-db"]


def test_files_are_left_to_the_shell(tmp_path: Path) -> None:
    done = trueup(
        env={"_TRUEUP_COMPLETE": "bash_complete", "COMP_WORDS": "trueup check -c sh", "COMP_CWORD": "3"}
    )
    assert done.stdout.split(",")[0] == "file"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str) -> None:
    done = trueup("completion", shell)
    assert done.returncode == 0
    assert f"_TRUEUP_COMPLETE={shell}_complete" in done.stdout


def test_another_shell_is_wrong_usage() -> None:
    assert trueup("completion", "tcsh").returncode == 64

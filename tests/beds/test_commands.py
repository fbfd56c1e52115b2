import subprocess
from pathlib import Path

import pytest

from tests.beds.commands import run, stop


def test_a_failure_notes_what_was_said() -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(["sh", "-c", "echo one; echo two >&2; exit 4"])
    assert caught.value.__notes__ == ["one\ntwo"]
    assert run(["sh", "-c", "exit 4"], check=False).returncode == 4


def test_input_folder_and_environment_are_passed(tmp_path: Path) -> None:
    done = run(["sh", "-c", "cat; pwd; echo $WORD"], stdin="heard ", cwd=tmp_path, env={"WORD": "said"})
    assert done.stdout == f"heard {tmp_path}\nsaid\n"


def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run(["sleep", "1000000"], timeout_s=0.1)


@pytest.mark.parametrize(
    ("script", "status"), [("trap '' TERM", -9), ("trap 'exit 5' TERM", 5), ("true", -15)]
)
def test_a_process_is_asked_then_made_to_end(script: str, status: int) -> None:
    command = ["sh", "-c", f"{script}; echo up; read -r nothing"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    assert stop(process, timeout_s=0.5) == status
    assert process.stdout.closed
    assert stop(process) == status

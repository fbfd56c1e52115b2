import subprocess
from pathlib import Path

import pytest

from tests.beds.capabilities import cgroup_mounts, require_capability
from tests.beds.cgroup import cgroups, joining, kill, remove
from tests.beds.commands import run


@pytest.fixture(autouse=True)
def needs_cgroups() -> None:
    require_capability("cgroups")


def test_a_command_joins_and_the_rest_is_removed() -> None:
    with cgroups("test") as made:
        inner = [cgroup / "a" / "b" for cgroup in made]
        said = run([*joining(inner), "cat", "/proc/self/cgroup"]).stdout
        assert said.count(f"/{made[0].name}/a/b\n") == len(made)
    assert not any((mount / made[0].name).exists() for mount in cgroup_mounts())


def test_a_kill_ends_all_below() -> None:
    with cgroups("test") as made:
        script = "sleep 1000000 & sleep 1000000"
        process = subprocess.Popen(
            [*joining([made[0] / "a"]), "sh", "-c", f"echo up; {script}"], stdout=subprocess.PIPE, text=True
        )
        with process:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            assert not remove(made[0])
            kill(made[0])


def test_a_folder_that_is_not_there_is_gone(tmp_path: Path) -> None:
    assert remove(tmp_path / "never")

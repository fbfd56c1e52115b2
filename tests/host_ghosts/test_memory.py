"""The kernel's own kills for memory. What Docker says of them is in test_containers."""

import shutil
import subprocess
from pathlib import Path

from tests.beds.capabilities import program, require_capability
from tests.beds.cgroup import cgroups, limit_memory_v1
from tests.host_ghosts.stage import PYTHON, Stage, look_until_judged, seen_in

EATS = (
    "[Service]\n"
    "ExecStart=/bin/sh -c 'until test -e /run/eat; do sleep 0.05; done; exec tail -n 1 /dev/zero'\n"
)


def test_the_kernel_s_log_names_the_process(tmp_path: Path) -> None:
    """Of a process that no unit and no container keeps: by its configured name."""
    require_capability("memory_limits", "cgroups")
    tail = program("tail")
    assert tail is not None
    hungry = shutil.copy(tail, tmp_path / "hungry-shop")
    with (
        cgroups("hungry") as own,
        subprocess.Popen(["sh", "-c", f"sleep 0.5; exec {hungry} -n 1 /dev/zero"]) as eater,
    ):
        assert limit_memory_v1(own[0].name, [eater.pid], 16 << 20) or _limit_v2(own[0], eater.pid)
        assert eater.wait(30) == -9
    config = tmp_path / "trueup.yaml"
    config.write_text("services:\n  shop: {at: 'tcp://127.0.0.1:1', process: hungry-shop}\n")
    command = [PYTHON, "-m", "trueup", "check", "--json", "-c", str(config)]
    done = look_until_judged(
        lambda: seen_in(subprocess.run(command, capture_output=True, text=True, timeout=60, check=False))
    )
    assert done[0].verdict == ("down", "host", "out-of-memory")
    assert "hungry-shop (pid " in done[0].summary


def _limit_v2(cgroup: Path, pid: int) -> bool:
    (cgroup.parent / "cgroup.subtree_control").write_text("+memory")
    (cgroup / "memory.max").write_text(str(16 << 20))
    (cgroup / "cgroup.procs").write_text(str(pid))
    return True


def test_a_unit_killed_for_memory(stage: Stage) -> None:
    """Where the memory controller is v1's, a container's systemd hears of the signal and of no more."""
    require_capability("memory_limits")
    stage.unit("hungry.service", EATS)
    stage.start("hungry")
    stage.machine.limit_memory("hungry", 16 << 20)
    stage.machine.run("touch", "/run/eat")
    stage.machine.wait_for("hungry", ActiveState="failed")
    seen = stage.check_configured(shop="at: tcp://127.0.0.1:5999, unit: hungry")["shop"]
    told = stage.machine.show("hungry", "Result")["Result"] == "oom-kill"
    assert seen.verdict == ("down", "host", "out-of-memory" if told else "crashed")
    assert told or seen.facts["signal"] == "SIGKILL"

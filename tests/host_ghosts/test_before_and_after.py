"""``trueup snapshot`` and ``trueup verify`` on a real machine: a deployment, a reboot, what was forgotten."""

import json
from subprocess import PIPE
from typing import Any, Final

from tests.host_ghosts.stage import PYTHON, Stage

BEFORE: Final = "/root/before.json"
_WEB: Final = """
[Service]
ExecStart=/usr/bin/python3 -m http.server {} --bind {}
[Install]
WantedBy=multi-user.target
"""


def snapshot(stage: Stage, *words: str) -> None:
    done = stage.machine.trueup("snapshot", "-o", BEFORE, *words)
    assert done.returncode == 0, done.stderr


def verify(stage: Stage, *words: str) -> tuple[int, dict[str, Any]]:
    done = stage.machine.trueup("verify", "--against", BEFORE, "--json", *words)
    assert done.stdout.startswith("{"), done.stderr
    return done.returncode, json.loads(done.stdout)


def names(differences: dict[str, Any]) -> dict[str, list[str]]:
    kinds = ("lost", "changed", "new", "slower", "worse")
    return {kind: [one["name"] for one in differences[kind]] for kind in kinds if differences[kind]}


def test_after_a_reboot_the_unit_that_nobody_enabled_is_named_and_nothing_else(stage: Stage) -> None:
    stage.unit("web.service", _WEB.format(8099, "127.0.0.1"))
    stage.machine.systemctl("enable", "--now", "web")
    stage.start("redis-server")
    snapshot(stage)
    assert verify(stage, "--wait", "30s")[0] == 0
    stage.machine.reboot()
    status, differences = verify(stage)
    stage.machine.systemctl("disable", "--now", "web")
    (lost,) = differences["lost"]
    assert (lost["what"], lost["name"]) == ("unit", "redis-server.service")
    assert lost["says"] == "redis-server.service is not running: not enabled at boot"
    assert lost["next"] == ["systemctl enable --now redis-server.service"]
    assert lost["listeners"] == ["tcp 127.0.0.1:6379"]
    assert names(differences) == {"lost": ["redis-server.service"], "worse": ["redis"]}
    assert (status, differences["state"]) == (2, "down")


def test_a_deployment_that_went_well_but_for_what_is_said(stage: Stage) -> None:
    """One machine, step by step: each look is a second or two."""
    stage.unit("web.service", _WEB.format(8099, "127.0.0.1"))
    stage.machine.systemctl("enable", "--now", "web")
    stage.start("redis-server")
    stage.write("/etc/trueup.yaml", "services: {cache: 'redis://127.0.0.1:6379'}\n")
    snapshot(stage, "-c", "/etc/trueup.yaml")

    stage.machine.systemctl("disable", "web")
    status, differences = verify(stage)
    assert (status, names(differences)) == (1, {"changed": ["web.service"]})
    assert "no longer enabled at boot" in differences["changed"][0]["says"]
    stage.machine.systemctl("enable", "web")

    stage.unit("web.service", _WEB.format(8099, "0.0.0.0"))
    stage.machine.systemctl("restart", "web")
    stage.unit("other.service", _WEB.format(8098, "127.0.0.1"))
    stage.start("other")
    stage.wait_for_port(8098)
    status, differences = verify(stage)
    stage.machine.systemctl("disable", "--now", "web")
    assert (status, differences["state"]) == (1, "degraded")
    assert names(differences) == {"changed": ["tcp 127.0.0.1:8099"], "new": ["other.service"]}
    assert differences["changed"][0]["says"].endswith("moved from tcp 127.0.0.1:8099 to tcp 0.0.0.0:8099")
    assert differences["new"][0]["listeners"] == ["tcp 127.0.0.1:8098"]


def test_waiting_ends_when_all_is_as_before(stage: Stage) -> None:
    stage.start("redis-server")
    snapshot(stage)
    stage.machine.systemctl("stop", "redis-server")
    words = ("verify", "--against", BEFORE, "--wait", "100s", "--junit", "/root/verify.xml")
    verifying = stage.machine.popen(PYTHON, "-m", "trueup", *words, stdout=PIPE, stderr=PIPE)
    assert verifying.entry.stderr is not None
    waiting = verifying.entry.stderr.readline()
    stage.machine.systemctl("start", "redis-server")
    said, _ = verifying.entry.communicate(timeout=100)
    assert waiting.endswith(" s at most: redis-server.service is not running: stopped\n")
    assert said == f"UP       all is as it was ({BEFORE})\n"
    assert verifying.entry.returncode == 0
    assert 'failures="0"' in (stage.machine.root / "root/verify.xml").read_text()

"""``trueup check -c FILE``: what a configuration names, and what that needs."""

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.beds.redis import redis
from tests.beds.server import free_port
from tests.cli.trueup import trueup


def written(folder: Path, text: str) -> str:
    file = folder / "trueup.yaml"
    file.write_text(dedent(text))
    return str(file)


def looked(file: str, *words: str) -> tuple[int, dict[str, Any]]:
    done = trueup("check", "-c", file, "--json", "--no-host", *words)
    assert done.stderr == ""
    return done.returncode, {target["name"]: target for target in json.loads(done.stdout)["targets"]}


@pytest.fixture
def chain(tmp_path: Path) -> str:
    """web needs api needs db; all are down."""
    dead = free_port()
    return written(
        tmp_path,
        f"""
        services:
          web: {{at: "http://127.0.0.1:{dead}", needs: [api]}}
          api: {{at: "http://127.0.0.1:{dead}", needs: [db]}}
          db: tcp://127.0.0.1:{dead}
          other: tcp://127.0.0.1:{dead}
        """,
    )


def test_the_target_named_is_shown_and_what_it_needs_is_blamed(chain: str) -> None:
    status, targets = looked(chain, "web")
    assert status == 2
    assert list(targets) == ["web"]
    assert (targets["web"]["cause"], targets["web"]["blame"]) == ("needs", "db")
    assert targets["web"]["layer"] == "port"
    assert targets["web"]["next"][0] == "Mend db first"


def test_all_targets_are_shown_in_their_order_where_none_is_named(chain: str) -> None:
    _, targets = looked(chain)
    assert list(targets) == ["web", "api", "db", "other"]


def test_what_is_needed_and_fine_takes_no_part_in_the_exit_status(tmp_path: Path) -> None:
    with redis() as server:
        file = written(
            tmp_path,
            f"""
            services:
              cache: {{at: "{server.url}", needs: [dead]}}
              dead: tcp://127.0.0.1:{free_port()}
            """,
        )
        status, targets = looked(file, "cache")
    assert (status, list(targets)) == (0, ["cache"])


JOURNEY = """
    services:
      cache: {server}
      idle: {{at: "{server}", enabled: false}}
    journeys:
      checkout:
        needs: [cache]
        steps: [{{redis: {{at: "{server}"}}}}]
    heartbeats:
      backup: {{every: 24h, grace: 1h}}
"""


def test_a_journey_is_performed_and_what_is_not_looked_at_is_left_out(tmp_path: Path) -> None:
    with redis() as server:
        file = written(tmp_path, JOURNEY.format(server=server.url))
        status, targets = looked(file)
        said = trueup("check", "-c", file, "checkout", "--transcript").stdout
    assert status == 0
    assert list(targets) == ["cache", "checkout"]
    journey = targets["checkout"]
    assert (journey["kind"], journey["at"], journey["state"]) == ("journey", None, "up")
    (seen,) = journey["observations"]
    assert (seen["layer"], seen["facts"]["step"]) == ("function", "1 redis")
    assert "== 1 redis" in said
    assert "PING" in said


def test_a_journey_fails_for_want_of_what_it_needs(tmp_path: Path) -> None:
    file = written(tmp_path, JOURNEY.format(server=f"redis://127.0.0.1:{free_port()}"))
    status, targets = looked(file, "checkout", "--timeout", "5s")
    journey = targets["checkout"]
    assert (status, journey["layer"], journey["cause"], journey["blame"]) == (2, "function", "needs", "cache")
    (seen,) = journey["observations"]
    assert (seen["cause"], seen["facts"]["inner_cause"]) == ("step-failed", "refused")


@pytest.mark.parametrize(
    ("name", "why"), [("idle", "enabled: false"), ("backup", "a heartbeat reports by itself")]
)
def test_what_is_named_and_not_looked_at_is_unknown_and_says_why(name: str, why: str, tmp_path: Path) -> None:
    with redis() as server:
        status, targets = looked(written(tmp_path, JOURNEY.format(server=server.url)), name)
    assert (status, list(targets)) == (3, [name])
    assert why in targets[name]["summary"]


def test_an_unknown_name_is_wrong_usage_with_a_hint(chain: str) -> None:
    done = trueup("check", "-c", chain, "wbe", "dbb", "web")
    assert done.returncode == 64
    assert "no target 'wbe'; did you mean 'web'?" in done.stderr
    assert "no target 'dbb'; did you mean 'db'?" in done.stderr
    assert done.stdout == ""


def test_nothing_to_look_at_is_said(tmp_path: Path) -> None:
    file = tmp_path / "trueup.yaml"
    file.write_text("services:\n  off: {at: redis://h, enabled: false}\n")
    done = trueup("check", "-c", str(file))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"{file} has no target to look at that's enabled\n"

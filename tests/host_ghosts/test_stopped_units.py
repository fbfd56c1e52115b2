"""A unit that isn't running: stopped, never enabled, gone, still starting."""

import pytest

from tests.host_ghosts.stage import Stage

DOWN = "down"


def test_a_stopped_unit_is_not_running(stage: Stage) -> None:
    stage.start("redis-server")
    stage.machine.systemctl("stop", "redis-server")
    seen = stage.check("redis://127.0.0.1")
    assert seen.verdict == (DOWN, "host", "not-running")
    assert seen.outside == ["refused"]
    assert seen.summary.startswith("redis-server.service is not running; it stopped")
    assert "the unit isn't enabled, so a boot won't start it" in seen.summary
    assert seen.next == ["systemctl enable --now redis-server.service"]


def test_a_stopped_unit_that_is_enabled_is_started_only(stage: Stage) -> None:
    stage.unit("open.service", "[Service]\nExecStart=/bin/sleep 99\n[Install]\nWantedBy=multi-user.target\n")
    stage.machine.systemctl("enable", "--now", "open")
    try:
        stage.machine.systemctl("stop", "open")
        seen = stage.check_configured(shop="at: tcp://127.0.0.1:5999, unit: open")["shop"]
    finally:
        stage.machine.systemctl("disable", "open")
    assert seen.cause == "not-running"
    assert seen.next == ["systemctl start open.service"]


def test_what_is_not_enabled_is_lost_at_a_reboot(stage: Stage) -> None:
    stage.start("redis-server")
    assert stage.check("redis://127.0.0.1").state == "up"
    stage.machine.reboot()
    seen = stage.check("redis://127.0.0.1")
    assert seen.verdict == (DOWN, "host", "not-enabled")
    assert seen.summary.startswith("redis-server.service is not running since the boot ")
    assert seen.summary.endswith("the unit isn't enabled")
    assert seen.next == ["systemctl enable --now redis-server.service"]
    assert seen.facts["unit_file_state"] == "disabled"


def test_without_the_journal_nobody_says_that_it_never_ran(stage: Stage) -> None:
    """Who may not read it can't tell a unit that ran from one that didn't: systemd forgets it."""
    done = stage.machine.trueup("check", "--json", "redis://127.0.0.1", user="nobody")
    assert '"not-enabled"' not in done.stdout
    assert '"not-running"' in done.stdout


def test_a_masked_unit_is_unmasked_first(stage: Stage) -> None:
    stage.machine.systemctl("mask", "redis-server")
    try:
        seen = stage.check("redis://127.0.0.1")
    finally:
        stage.machine.systemctl("unmask", "redis-server")
    assert seen.cause in ("not-enabled", "not-running")
    assert "is masked" in seen.summary
    assert seen.next == ["systemctl unmask redis-server.service; systemctl enable --now redis-server.service"]


def test_one_that_stands_for_others_is_taken_for_the_one_behind_it(stage: Stage) -> None:
    seen = stage.check_configured(db="at: postgres://127.0.0.1, unit: postgresql")["db"]
    assert seen.layer == "host"
    assert seen.summary.startswith("postgresql@15-main.service is not running")


def test_a_name_that_nothing_has_is_said(stage: Stage) -> None:
    seen = stage.check_configured(
        unit="at: tcp://127.0.0.1:5999, unit: no-such",
        process="at: tcp://127.0.0.1:5999, process: no-such",
    )
    assert seen["unit"].verdict == seen["process"].verdict == (DOWN, "host", "not-running")
    assert "There is no unit no-such.service" in seen["unit"].summary
    assert "No process called no-such runs" in seen["process"].summary


@pytest.mark.parametrize(
    ("options", "state"),
    [
        ("Type=notify\nExecStart=/bin/sleep 100", "activating"),
        ("ExecStartPre=/bin/sleep 100\nExecStart=/bin/sleep 100", "activating"),
        ("Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\nExecStop=/bin/sleep 9", "deactivating"),
        ("ExecStart=/bin/false\nRestart=always\nRestartSec=100", "activating"),
    ],
)
def test_nothing_is_said_of_a_unit_that_is_changing(stage: Stage, options: str, state: str) -> None:
    stage.unit("slow.service", f"[Service]\n{options}\n")
    stage.machine.systemctl("start", *([] if state == "deactivating" else ["--no-block"]), "slow")
    if state == "deactivating":
        stage.machine.systemctl("stop", "--no-block", "slow")
    seen = stage.check_configured(shop="at: tcp://127.0.0.1:5999, unit: slow")["shop"]
    assert stage.machine.show("slow", "ActiveState")["ActiveState"] == state
    assert seen.verdict == (DOWN, "port", "refused")


def test_a_daemon_that_left_its_unit_behind_is_not_running(stage: Stage) -> None:
    """As units of init scripts do: systemd goes on to call them active."""
    stage.unit(
        "left.service",
        "[Service]\nType=forking\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'sleep 0.2 &'\n",
    )
    stage.start("left")
    stage.machine.wait_for("left", ActiveState="active", SubState="exited")
    seen = stage.check_configured(shop="at: tcp://127.0.0.1:5999, unit: left")["shop"]
    assert seen.verdict == (DOWN, "host", "not-running")
    assert "counts as active, and none of its processes is left" in seen.summary

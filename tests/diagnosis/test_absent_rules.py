"""A place that nobody holds: each rule, its near misses, and what it says without a permission."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from tests.diagnosis.hosts import (
    REDIS,
    asked_of,
    before,
    cause_by,
    down_unit,
    failed,
    failed_unit,
    held,
    holder_in,
    log,
    process,
    report,
    target,
    unit,
)
from trueup.diagnosis.absent_rules import not_enabled, not_listening, not_running, wrong_address
from trueup.diagnosis.evidence import Evidence, Former
from trueup.diagnosis.host_rules import why_it_failed
from trueup.domain.causes import Cause
from trueup.domain.verdict import MAY_COME_BACK
from trueup.host.facts import Transport
from trueup.host.traces import Change, ChangeKind
from trueup.host.unreadable import Reason, Unreadable

NO_ENGINE = (Unreadable("/run/docker.sock", "Permission denied", Reason.PERMISSION),)


# ---- not enabled, not running -----------------------------------------------------------------------------


def test_it_has_not_run_since_the_boot() -> None:
    host = report(down_unit(), logs=(log(REDIS),))
    found = asked_of(not_enabled, host)
    assert found is not None
    assert found.summary == f"{REDIS} is not running since the boot 1 day ago: the unit isn't enabled"
    assert found.next == (f"systemctl enable --now {REDIS}",)
    assert cause_by(host) is Cause.NOT_ENABLED


def test_lines_of_an_earlier_boot_are_of_an_earlier_boot() -> None:
    earlier = log(REDIS, "systemd: Started it.", "ready", at=before(days=2))
    assert cause_by(report(down_unit(), logs=(earlier,))) is Cause.NOT_ENABLED


@pytest.mark.parametrize(
    "line", ["systemd: Stopped it.", "systemd: Started it.", "systemd: Closed it.", "ready to accept"]
)
def test_one_that_spoke_since_the_boot_has_run(line: str) -> None:
    assert cause_by(report(down_unit(), logs=(log(REDIS, line),))) is Cause.NOT_RUNNING


def test_a_warning_about_its_file_is_no_run() -> None:
    warned = log(REDIS, f"systemd: {REDIS}: Unknown key name 'Foo', ignoring.")
    assert cause_by(report(down_unit(), logs=(warned,))) is Cause.NOT_ENABLED


def test_without_a_journal_it_is_not_running_and_no_more_is_said() -> None:
    found = asked_of(not_running, report(down_unit()))
    assert asked_of(not_enabled, report(down_unit())) is None
    assert found is not None
    assert found.summary == f"{REDIS} is not running; the unit isn't enabled, so a boot won't start it"


def test_what_is_enabled_and_stopped_is_not_running() -> None:
    host = report(down_unit(unit_file_state="enabled"), logs=(log(REDIS),))
    found = asked_of(not_running, host)
    assert asked_of(not_enabled, host) is None
    assert found is not None
    assert found.next == (f"systemctl start {REDIS}",)


def test_without_a_boot_time_nothing_is_said_of_a_boot() -> None:
    assert cause_by(report(down_unit(), logs=(log(REDIS),), boot=None)) is Cause.NOT_RUNNING


def test_a_masked_unit_is_unmasked() -> None:
    host = report(down_unit(load_state="masked", unit_file_state="masked"), logs=(log(REDIS),))
    found = asked_of(not_enabled, host)
    assert found is not None
    assert found.next == (f"systemctl unmask {REDIS}; systemctl enable --now {REDIS}",)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"load_state": "not-found"}, f"There is no unit {REDIS} on db-1"),
        (
            {"load_state": "bad-setting", "load_error": "bad line 3"},
            f"systemd can't load {REDIS}: bad line 3",
        ),
        ({"condition_met": False}, f"{REDIS} is not running; a condition of its unit isn't met"),
        ({"inactive_since": before(minutes=3)}, f"{REDIS} is not running; it stopped 3 minutes ago"),
    ],
)
def test_why_a_unit_is_not_running(said: dict[str, Any], words: str) -> None:
    down = down_unit(REDIS, **{"unit_file_state": "enabled", **said})
    found = asked_of(not_running, report(down), target(unit="redis-server"))
    assert found is not None
    assert found.summary == words


def test_a_unit_that_counts_as_active_without_a_process() -> None:
    exited = unit(REDIS, active_state="active", sub_state="exited", type="forking")
    assert cause_by(report(exited)) is Cause.NOT_RUNNING
    assert cause_by(report(replace(exited, type="oneshot"))) is None


def test_no_process_of_the_configured_name() -> None:
    found = asked_of(not_running, report(), target(process="shopd"))
    assert found is not None
    assert found.summary == "No process called shopd runs on db-1"


def test_of_a_process_that_is_known_to_have_ended_that_is_said() -> None:
    of, host = target(process="redis-server"), report()
    former = Former(process(811, "redis-server"), has_ended=True)
    found = why_it_failed(Evidence(of, (failed(),), host, held_before=former), failed(), host)
    assert found is not None
    assert (
        found.summary == "redis-server (pid 811), which held port 6379, has ended; nobody holds the port now"
    )


def test_who_may_not_even_see_process_1_knows_of_no_absence() -> None:
    hidden = report(boot=None, unreadable=(Unreadable("/proc/1/stat", "hidden", Reason.ABSENT),))
    assert cause_by(hidden, target(process="shopd")) is None


def test_an_unread_unit_is_nobody_s_absence() -> None:
    gap = (Unreadable("systemd", "it isn't the init system here", Reason.UNSUPPORTED),)
    assert cause_by(report(unreadable=gap), target(unit="redis-server")) is None


# ---- another address, another port ------------------------------------------------------------------------

SERVER = process(812, "redis-server", unit=REDIS)
ACTIVE = unit(REDIS, main_pid=812, active_since=before(hours=1), type="notify")


def test_it_listens_at_another_address() -> None:
    host = report(ACTIVE, listeners=(held(by=SERVER),), processes=(SERVER,))
    found = asked_of(wrong_address, host, target("redis://10.0.0.5"))
    assert found is not None
    assert found.summary == "redis-server (pid 812) listens at 127.0.0.1 on port 6379, and 10.0.0.5 is asked"
    assert found.facts["listens_at"] == ["127.0.0.1"]
    assert cause_by(host, target("redis://10.0.0.5")) is Cause.WRONG_ADDRESS
    assert cause_by(host, target("redis://10.0.0.5", unit="redis-server")) is Cause.WRONG_ADDRESS


@pytest.mark.parametrize(
    ("well_at", "process_named", "is_blamed"),
    [
        (before(seconds=30), "redis-server", False),  # it ran beside the one that has ended
        (before(hours=3), "redis-server", True),  # it has started since
        (None, "redis-server", True),
        (before(seconds=30), None, True),  # nobody is named who could run beside it
    ],
)
def test_who_ran_beside_the_one_that_has_ended_is_not_the_one(
    well_at: datetime | None, process_named: str | None, is_blamed: bool
) -> None:
    alone = process(812, "redis-server")
    host = report(*(() if process_named else (ACTIVE,)), processes=(alone,))
    of = target(process=process_named)
    former = Former(process(811, "redis-server"), has_ended=True, well_at=well_at)
    seen = Evidence(of, (failed(),), host, held_before=former)
    assert (not_listening(seen, failed(), holder_in(host, of)) is not None) is is_blamed
    still = Evidence(of, (failed(),), host, held_before=replace(former, has_ended=False))
    assert not_listening(still, failed(), holder_in(host, of)) is not None


def test_an_address_of_ipv6_is_written_with_its_port_as_such() -> None:
    host = report(ACTIVE, listeners=(held(address="::1", by=SERVER),), processes=(SERVER,))
    found = asked_of(wrong_address, host, target("redis://10.0.0.5"))
    assert found is not None
    assert found.next[0].startswith("Ask [::1]:6379, or let it listen at 10.0.0.5 too")


def test_a_name_that_means_another_address_is_told() -> None:
    host = report(ACTIVE, listeners=(held(by=SERVER),), processes=(SERVER,))
    found = asked_of(wrong_address, host, target("redis://cache"), failed(peer="10.0.0.5"))
    assert found is not None
    assert found.summary.endswith("and 10.0.0.5 is asked, which is what cache means here")
    assert found.next[-1] == "getent ahosts cache"


def test_silence_is_not_the_wrong_address() -> None:
    host = report(ACTIVE, listeners=(held(by=SERVER),), processes=(SERVER,))
    assert asked_of(wrong_address, host, target("redis://10.0.0.5"), failed(Cause.NO_ANSWER)) is None


def test_another_program_at_another_address_is_not_the_one() -> None:
    web = process(80, "nginx", unit="nginx.service")
    host = report(down_unit(), unit("nginx.service"), listeners=(held(by=web),), processes=(web,))
    asked = target("redis://10.0.0.5")
    assert cause_by(host, asked) is None
    assert cause_by(host, replace(asked, unit="redis-server")) is Cause.NOT_RUNNING


def test_a_unit_of_the_protocol_that_is_down_is_a_second_one_that_could_be_meant() -> None:
    """systemd-resolved answers on its own address of port 53; the name server of the others has failed."""
    resolver = process(53, "systemd-resolve", unit="systemd-resolved.service")
    units = (unit("systemd-resolved.service", main_pid=53), failed_unit("named.service"))
    listener = held(53, "127.0.0.53", by=resolver, transport=Transport.UDP)
    host = report(*units, listeners=(listener,), processes=(resolver,))
    assert cause_by(host, target("dns://10.0.0.5/example.org")) is None
    alone = report(units[0], listeners=(listener,), processes=(resolver,))
    assert cause_by(alone, target("dns://10.0.0.5/example.org")) is Cause.WRONG_ADDRESS


def test_it_runs_and_nothing_of_it_listens() -> None:
    web = process(80, "nginx", unit="nginx.service")
    listeners = (held(6380, by=SERVER), held(8080, by=web), held(6381, by=SERVER, transport=Transport.UDP))
    changed = Change(ChangeKind.CONFIGURATION, "/etc/redis/redis.conf", before(minutes=2))
    host = report(ACTIVE, listeners=listeners, processes=(SERVER, web), changes=(changed,))
    found = asked_of(not_listening, host)
    assert found is not None
    assert found.summary == (
        f"{REDIS} is active, and nothing of it listens on port 6379; it listens on 6380; "
        "/etc/redis/redis.conf changed 2 minutes ago"
    )
    assert cause_by(host) is Cause.NOT_LISTENING


def test_a_process_without_a_unit_runs_and_nothing_of_it_listens() -> None:
    """A child may hold the port with it, or in its place."""
    alone, web = process(812, "redis-server"), process(80, "nginx")
    listeners = (held(6380, by=process(813, "redis-child"), pids=(813, 812)), held(8080, by=web))
    host = report(listeners=listeners, processes=(alone, web))
    found = asked_of(not_listening, host, target(process="redis-server"))
    assert found is not None
    assert found.summary.startswith("redis-server (pid 812) runs, and nothing of it listens on port 6379")
    assert found.facts["listens_on"] == [6380]


@pytest.mark.parametrize(("kind", "hint"), [("simple", True), ("notify", False), ("forking", False)])
def test_a_simple_unit_may_still_be_starting(kind: str, hint: bool) -> None:
    young = replace(ACTIVE, type=kind, active_since=before(seconds=4))
    found = asked_of(not_listening, report(young, processes=(SERVER,)))
    assert found is not None
    assert ("it started 4 seconds ago and may not be done with that" in found.summary) is hint
    assert found.facts.get(MAY_COME_BACK, False) is hint


def test_what_changed_while_the_report_was_taken_is_held_against_nobody() -> None:
    """Listeners are read first: a restart in between leaves those of before beside the unit of after."""
    restarted = replace(ACTIVE, type="notify", changed_at=before(seconds=-0.1))
    assert cause_by(report(restarted, processes=(SERVER,))) is None
    assert cause_by(report(replace(restarted, changed_at=before(seconds=0.1)))) is Cause.NOT_LISTENING


def test_a_web_server_is_at_fault_for_an_odd_port_only_if_its_configuration_changed() -> None:
    nginx = unit("nginx.service", main_pid=80, type="forking")
    odd = target("http://127.0.0.1:8080")
    assert cause_by(report(nginx), odd) is None
    assert cause_by(report(nginx), target("http://127.0.0.1")) is Cause.NOT_LISTENING
    changed = Change(ChangeKind.CONFIGURATION, "/etc/nginx/nginx.conf", before(minutes=2))
    assert cause_by(report(nginx, changes=(changed,)), odd) is Cause.NOT_LISTENING
    assert cause_by(report(nginx), replace(odd, unit="nginx")) is Cause.NOT_LISTENING
    assert cause_by(report(failed_unit("nginx.service")), odd) is None


def test_a_unix_socket_has_no_port_to_listen_on() -> None:
    asked = target("docker:///run/docker.sock")
    assert cause_by(report(unit("docker.service")), asked) is None
    assert cause_by(report(failed_unit("docker.service")), asked) is Cause.CRASHED

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.host.sample import sample_text
from trueup.host.facts import SocketListen, Unit
from trueup.host.systemd import (
    EXIT_MEANINGS,
    PROPERTIES,
    object_path,
    parse_jobs,
    parse_names,
    parse_show,
    startable,
    unit_from,
)
from trueup.host.unreadable import HostUnreadable, Reason


def never(_: str) -> bool:
    return False


def from_bus() -> dict[str, Unit]:
    said: dict[str, dict[str, Any]] = json.loads(sample_text("systemd_dbus.json"))
    return {
        name: unit_from(
            one, job="start" if one["Job"][0] else None, generated="postgresql@15-main.service".__eq__
        )
        for name, one in said.items()
    }


def from_show() -> dict[str, Unit]:
    jobs = parse_jobs(sample_text("systemctl_list_jobs.txt"))
    units = (
        unit_from(said, job=jobs.get(said["Id"]), generated="postgresql@15-main.service".__eq__)
        for said in parse_show(sample_text("systemctl_show.txt"))
    )
    return {one.name: one for one in units}


def test_a_running_service() -> None:
    redis = from_bus()["redis-server.service"]
    assert redis.names == ("redis-server.service", "redis.service")
    assert (redis.active_state, redis.sub_state, redis.result) == ("active", "running", "success")
    assert (redis.type, redis.unit_file_state, redis.user) == ("notify", "enabled", "redis")
    assert (redis.main_pid, redis.exit_status, redis.exit_signal) == (42, None, None)
    assert redis.started_at == datetime(2026, 11, 21, 2, 46, 57, 942168, UTC)
    assert redis.exited_at is None
    assert redis.control_group == "/system.slice/redis-server.service"
    assert redis.command[:2] == ("/usr/bin/redis-server", "/etc/redis/redis.conf")
    assert redis.directories == ("/run/redis",)
    assert redis.status_text == "Ready to accept connections"
    assert (redis.frozen, redis.condition_met, redis.job) == (False, True, None)


def test_how_a_service_ended() -> None:
    units = from_bus()
    fails, killed, echo = units["fails.service"], units["killed.service"], units["echo.service"]
    assert (fails.result, fails.exit_status, fails.exit_signal, fails.exit_meaning) == (
        "exit-code",
        3,
        None,
        None,
    )
    assert (killed.result, killed.exit_status, killed.exit_signal) == ("signal", None, "SIGSEGV")
    assert echo.exit_status == 203
    assert echo.exit_meaning is not None
    assert echo.exit_meaning.startswith("EXEC")
    assert units["loops.service"].restarts == 11
    assert units["dirless.service"].result == "resources"
    assert units["dirless.service"].exit_status is None


def test_a_socket_unit_says_where_it_listens_and_what_it_starts() -> None:
    socket = from_bus()["echo.socket"]
    assert socket.listens == (
        SocketListen("Stream", "127.0.0.1:7777"),
        SocketListen("Stream", "/run/echo.sock"),
    )
    assert socket.triggers == ("echo.service",)
    assert (socket.active_state, socket.result) == ("failed", "service-start-limit-hit")
    assert socket.restarts is None  # a socket counts none
    assert from_bus()["echo.service"].triggered_by == ("echo.socket",)


def test_starting_masked_missing_and_generated_are_told_apart() -> None:
    units = from_bus()
    slow = units["slowstart.service"]
    assert (slow.active_state, slow.job) == ("activating", "start")
    masked = units["memcached.service"]
    assert (masked.load_state, masked.unit_file_state) == ("masked", "masked")
    assert masked.load_error == "Unit memcached.service is masked."
    missing = units["nosuch.service"]
    assert (missing.load_state, missing.unit_file_state, missing.condition_met) == ("not-found", "", None)
    instance = units["postgresql@15-main.service"]
    assert (instance.unit_file_state, instance.wants_generated) == ("enabled-runtime", True)
    assert instance.wanted_by == ("postgresql.service",)


def test_directories_and_environment_files_are_whole_paths() -> None:
    dirless = from_bus()["dirless.service"]
    assert dirless.directories == ("/no/such/folder", "/var/lib/dirless")
    assert dirless.environment_files == ("/etc/default/dirless", "/etc/default/keyboard")


def in_seconds(unit: Unit) -> Unit:
    times = ("started_at", "exited_at", "active_since", "inactive_since", "changed_at")
    whole = {
        name: moment.replace(microsecond=0) for name in times if (moment := getattr(unit, name)) is not None
    }
    # systemctl prints arguments without their quotes
    return replace(unit, **whole, command=tuple(" ".join(unit.command).split()))


def test_systemctl_says_the_same_as_the_bus_to_the_second() -> None:
    show, bus = from_show(), from_bus()
    assert show.keys() == bus.keys()
    for name, unit in bus.items():
        assert show[name] == in_seconds(unit), name


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "NoSuchProperty=1",
        "MainPID=x",
        "ActiveEnterTimestamp=yesterday",
        "Listen=127.0.0.1:80",
    ],
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(HostUnreadable) as caught:
        list(parse_show(text))
    assert caught.value.reason is Reason.MALFORMED


def test_times_may_have_fractions_and_be_missing() -> None:
    said = {"Id": "a", "LoadState": "loaded", "ActiveState": "active", "SubState": "x"}
    (block,) = parse_show(
        "ActiveEnterTimestamp=Sat 2026-11-21 02:46:57.500000 UTC\nInactiveEnterTimestamp=n/a\n"
    )
    unit = unit_from(said | block, job=None, generated=never)
    assert unit.active_since == datetime(2026, 11, 21, 2, 46, 57, 500000, UTC)
    assert unit.inactive_since is None


def test_a_unit_without_its_states_is_refused() -> None:
    with pytest.raises(HostUnreadable, match=r"a\.service"):
        unit_from({"Id": "a.service", "LoadState": "loaded"}, job=None, generated=never)


def test_an_unknown_signal_keeps_its_number() -> None:
    said = {"Id": "a", "LoadState": "loaded", "ActiveState": "failed", "SubState": "failed"}
    unit = unit_from(said | {"ExecMainCode": 2, "ExecMainStatus": 99}, job=None, generated=never)
    assert unit.exit_signal == "signal 99"


def test_object_paths_are_escaped_as_systemd_does() -> None:
    assert object_path("redis-server.service").endswith("/redis_2dserver_2eservice")
    assert object_path("postgresql@15-main.service").endswith("/postgresql_4015_2dmain_2eservice")
    assert object_path("3proxy.service").endswith("/_33proxy_2eservice")
    assert object_path("ü.service").endswith("/_c3_bc_2eservice")


def test_names_of_lists_without_templates_and_twice() -> None:
    names = parse_names(sample_text("systemctl_list_units.txt")) + parse_names(
        sample_text("systemctl_list_unit_files.txt")
    )
    assert startable(names) == (
        "postgresql.service",
        "postgresql@15-main.service",
        "redis-server.service",
        "redis.service",
    )


def test_jobs() -> None:
    assert parse_jobs(sample_text("systemctl_list_jobs.txt")) == {"slowstart.service": "start"}
    assert parse_jobs("No jobs running.\n") == {}


def test_every_meaning_is_for_a_status_that_programs_leave_to_systemd() -> None:
    assert all(200 <= status <= 250 for status in EXIT_MEANINGS)


def test_the_properties_asked_for_are_those_understood() -> None:
    assert {"ActiveState", "NRestarts", "Listen", "UnitFileState", "NeedDaemonReload"} <= set(PROPERTIES)

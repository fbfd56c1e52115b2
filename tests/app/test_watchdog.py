import os
import socket
from pathlib import Path

import pytest

from trueup.app.service_manager import notify, watchdog_s
from trueup.app.watchdog import STUCK_AFTER_S, Progress, Pulse

WELL = Progress(looks=1, is_idle=False, stores=True, tells=True)


def test_it_beats_while_looks_go_on() -> None:
    pulse = Pulse()
    assert pulse.beats(WELL, 0.0, 1.0)
    assert pulse.beats(WELL, STUCK_AFTER_S, 1.0)
    assert not pulse.beats(WELL, STUCK_AFTER_S + 1, 1.0)
    assert pulse.beats(Progress(2, is_idle=False, stores=True, tells=True), STUCK_AFTER_S + 2, 1.0)


def test_long_intervals_are_no_standstill_and_nothing_to_do_neither() -> None:
    pulse = Pulse()
    pulse.beats(WELL, 0.0, 900.0)
    assert pulse.beats(WELL, 2000.0, 900.0)
    idle = Progress(looks=1, is_idle=True, stores=True, tells=True)
    assert pulse.beats(idle, 1e6, 1.0)


@pytest.mark.parametrize(("stores", "tells"), [(False, True), (True, False)])
def test_it_stops_where_store_or_outbox_do(*, stores: bool, tells: bool) -> None:
    assert not Pulse().beats(Progress(1, is_idle=False, stores=stores, tells=tells), 0.0, 1.0)


def test_the_service_manager_hears_what_it_wants_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = os.fspath(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        assert not notify("READY=1")
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        assert notify("READY=1")
        assert listener.recv(100) == b"READY=1"


@pytest.mark.parametrize(("text", "seconds"), [("30000000", 30.0), ("", None), ("0", None), ("soon", None)])
def test_how_often_it_wants_to_hear(
    monkeypatch: pytest.MonkeyPatch, text: str, seconds: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", text)
    assert watchdog_s() == seconds

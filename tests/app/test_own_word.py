"""This machine's own word about real processes of it; what its units say is in tests/host_ghosts/."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.beds.commands import stop
from trueup.app.own_word import interests, own_word, still_holds
from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.rules import explained_by_the_host
from trueup.domain.address import parse_address
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Target
from trueup.host.facts import ProcessState
from trueup.host.report import HostReport
from trueup.probes.registry import SCHEMES

_WAITS = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
input()
"""


@contextlib.contextmanager
def waiting(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A process that listens and never accepts, and its port."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
    )
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGCONT)
        stop(process)


def target(port: int) -> Target:
    return Target("shop", at=(parse_address(f"redis://127.0.0.1:{port}", SCHEMES),))


def failed(cause: Cause) -> Observation:
    layer = Layer.PORT if cause is Cause.REFUSED else Layer.SERVICE
    return Observation(layer, Outcome.FAIL, datetime.now(UTC), cause, "said so")


def word_of(one: Target, seen: Observation) -> HostReport | None:
    return asyncio.run(own_word([(one, (seen,))])).get(one.name)


def test_what_a_configuration_names_of_machines() -> None:
    named = interests(
        [
            Target("a", unit="redis"),
            Target("b", unit="ssh.socket", process="sshd"),
            Target("c", container="web"),
        ]
    )
    assert named.units == {"redis.service", "ssh.socket"}
    assert named.processes == {"sshd"}
    assert named.containers == {"web"}


def test_a_process_that_is_stopped(tmp_path: Path) -> None:
    with waiting(tmp_path) as (process, port):
        process.send_signal(signal.SIGSTOP)
        one, seen = target(port), failed(Cause.SILENT)
        word = word_of(one, seen)
        assert word is not None
        held = word.process(process.pid)
        assert held is not None
        assert held.state is ProcessState.STOPPED
        found = explained_by_the_host(Evidence(one, (seen,), word))
        assert found is not None
        assert found.next == (f"kill -CONT {process.pid}",)


def test_only_the_file_systems_that_it_writes_to(tmp_path: Path) -> None:
    with waiting(tmp_path) as (_, port):
        word = word_of(target(port), failed(Cause.ERROR_ANSWER))
    assert word is not None
    assert [disk for disk in word.file_systems if tmp_path.is_relative_to(disk.mount_point)]
    assert not [disk for disk in word.file_systems if not tmp_path.is_relative_to(disk.mount_point)]


def test_who_has_come_back_is_not_explained(tmp_path: Path) -> None:
    """It listens now, and did so long enough: a firewall would be blamed, did one not ask again."""
    with waiting(tmp_path) as (_, port):
        assert word_of(target(port), failed(Cause.REFUSED)) is None


def test_who_is_still_refused_is(tmp_path: Path) -> None:
    """The report is of a moment ago, and by now nobody lets anybody in."""
    with waiting(tmp_path) as (_, port):
        one, seen = target(port), failed(Cause.SILENT)
        word = word_of(one, seen)
    refused = Evidence(one, (failed(Cause.REFUSED),), word)
    found = explained_by_the_host(refused)
    assert found is not None
    assert found.cause is Cause.FIREWALL
    assert asyncio.run(still_holds(refused))


def test_who_is_not_of_this_machine_is_told_nothing_of_it() -> None:
    away = Target("shop", at=(parse_address("redis://192.0.2.1", SCHEMES),))
    seen = failed(Cause.REFUSED)
    word = word_of(away, seen)
    assert word is not None
    assert word.logs == ()
    assert explained_by_the_host(Evidence(away, (seen,), word)) is None


def test_it_is_told_for_each_of_several_targets(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    one, other = target(port), Target("other", at=target(port).at, process="no-such-process")
    seen = failed(Cause.REFUSED)
    words = asyncio.run(own_word([(one, (seen,)), (other, (seen,))]))
    assert set(words) == {"shop", "other"}
    found = explained_by_the_host(Evidence(other, (seen,), words["other"]))
    assert found is not None
    assert found.cause is Cause.NOT_RUNNING

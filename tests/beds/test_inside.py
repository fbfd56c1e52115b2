import os
import signal
import subprocess

import pytest

from tests.beds.capabilities import require_capability
from tests.beds.deadline import wait_until
from tests.beds.inside import Inside, children_of, is_first


@pytest.fixture
def process() -> Inside:
    """A shell that ends with 6 when it's asked to, as process 1 of its own namespace."""
    require_capability("namespaces")
    script = "trap 'exit 6' TERM; echo up; while :; do sleep 0.1; done"
    command = ["unshare", "--pid", "--fork", "sh", "-c", script]
    made = Inside(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    assert made.entry.stdout is not None
    assert made.entry.stdout.readline() == "up\n"
    return made


def test_the_child_inside_is_found_and_ended_through_its_parent(process: Inside) -> None:
    assert children_of(process.entry.pid) == [process.pid]
    assert is_first(process.pid)
    assert not is_first(process.entry.pid)
    assert process.stop() == 6
    assert process.stop() == 6


def test_it_is_killed_when_it_does_not_listen(process: Inside) -> None:
    process.send(signal.SIGSTOP)
    assert process.stop(timeout_s=0.2) != 0


def test_one_that_has_ended_has_no_number(process: Inside) -> None:
    process.send(signal.SIGKILL)
    wait_until(lambda: process.entry.poll() is not None, "it has ended")
    with pytest.raises(AssertionError, match="has ended"):
        _ = process.pid
    assert process.stop() != 0
    assert children_of(process.entry.pid) == []
    assert not is_first(os.getpid())

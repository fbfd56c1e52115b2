import json
from typing import Any

import pytest

from tests.reports.snapshots import listener, snapshot
from trueup.reports.snapshot import SnapshotError, has_booted_between, read_snapshot


def test_a_snapshot_is_read_as_it_was_written() -> None:
    whole = snapshot(listeners=[listener()])
    assert read_snapshot(json.dumps(whole)) == whole


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "review"}, "it is no snapshot"),
        ({"schema": 2}, "its schema is 2, and this trueup reads 1"),
        ({"units": None}, "it has no list of units"),
        ({"listeners": [{"address": "x", "port": "80", "protocol": "tcp"}]}, r"listeners\[0\] has no port"),
        ({"targets": ["x"]}, r"targets\[0\] has no name"),
        ({"boot": 1}, "its boot or configuration"),
    ],
)
def test_what_is_none_is_said_to_be_none(change: dict[str, Any], words: str) -> None:
    with pytest.raises(SnapshotError, match=words):
        read_snapshot(json.dumps(snapshot(**change)))


@pytest.mark.parametrize("text", ["", "[]", "services: {}", "[" * 100_000])
def test_what_is_no_document_is_none(text: str) -> None:
    with pytest.raises(SnapshotError):
        read_snapshot(text)


def test_a_boot_is_told_by_its_id_or_by_the_first_process() -> None:
    before = snapshot()
    assert not has_booted_between(before, before)
    assert has_booted_between(before, snapshot(boot={"id": "b", "started_at": ""}))
    again = {"id": "a", "started_at": "2026-11-21T11:00:00.000Z"}
    assert has_booted_between(before, snapshot(boot=again))
    assert not has_booted_between(before, snapshot(boot=None))

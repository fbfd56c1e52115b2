import os
from pathlib import Path

import pytest

from tests.host.as_user import as_nobody
from trueup.host.files import read_bytes, read_tail, read_text
from trueup.host.unreadable import HostUnreadable, Reason


def test_a_file_is_read_whole_and_no_more_than_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a" * 200_000)
    assert read_bytes(str(path)) == b"a" * 200_000
    with pytest.raises(HostUnreadable, match="longer than 100") as caught:
        read_bytes(str(path), 100)
    assert caught.value.reason is Reason.MALFORMED


def test_an_endless_file_ends_at_the_bound() -> None:
    with pytest.raises(HostUnreadable, match="longer"):
        read_bytes("/dev/zero", 100_000)


def test_what_is_not_utf_8_is_marked(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"ok \xff")
    assert read_text(str(path)) == "ok �"


def test_absent_and_forbidden_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(HostUnreadable) as absent:
        read_bytes(str(tmp_path / "none"))
    assert absent.value.reason is Reason.ABSENT
    assert "No such file" in absent.value.why
    with pytest.raises(HostUnreadable):
        read_tail(str(tmp_path / "none"), 10)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_forbidden() -> None:
    def question() -> Reason:
        try:
            read_bytes("/etc/shadow")
        except HostUnreadable as error:
            return error.reason
        raise AssertionError

    assert as_nobody(question) is Reason.PERMISSION


def test_a_tail_begins_with_a_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("first\nsecond\nthird\n")
    assert read_tail(str(path), 100) == "first\nsecond\nthird\n"
    assert read_tail(str(path), 9) == "third\n"

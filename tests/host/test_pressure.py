from pathlib import Path

import pytest

from trueup.host.facts import Pressure, PressureLine
from trueup.host.pressure import parse_pressure, read_pressure
from trueup.host.unreadable import HostUnreadable, Reason

TEXT = """\
some avg10=14.20 avg60=19.39 avg300=13.07 total=135867150
full avg10=0.15 avg60=0.00 avg300=0.00 total=7
"""


def test_both_lines() -> None:
    assert parse_pressure(TEXT) == Pressure(
        PressureLine(14.2, 19.39, 13.07, 135867150), PressureLine(0.15, 0.0, 0.0, 7)
    )


def test_old_kernels_have_no_full_line_for_the_processor() -> None:
    assert parse_pressure(TEXT.splitlines()[0]).full is None


@pytest.mark.parametrize("text", ["", "full avg10=0.00 avg60=0.00 avg300=0.00 total=0", "some avg10=x"])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(HostUnreadable) as caught:
        parse_pressure(text)
    assert caught.value.reason is Reason.MALFORMED


def test_this_kernels_own(tmp_path: Path) -> None:
    if Path("/proc/pressure").is_dir():
        assert read_pressure("memory").some.total_us >= 0
    with pytest.raises(HostUnreadable) as caught:  # as where the kernel doesn't account it
        read_pressure("memory", str(tmp_path))
    assert caught.value.reason is Reason.ABSENT

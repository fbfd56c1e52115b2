"""Pressure stall information: Documentation/accounting/psi.rst."""

import re
from typing import Final

from trueup.host.facts import Pressure, PressureLine
from trueup.host.files import read_text
from trueup.host.unreadable import HostUnreadable, Reason

_LINE: Final = re.compile(
    r"(some|full) avg10=(\d+\.\d+) avg60=(\d+\.\d+) avg300=(\d+\.\d+) total=(\d+)", re.ASCII
)


def parse_pressure(text: str) -> Pressure:
    """Raises:
    HostUnreadable: not of the form of psi.rst.
    """
    lines = {
        found[1]: PressureLine(float(found[2]), float(found[3]), float(found[4]), int(found[5]))
        for line in text.splitlines()
        if (found := _LINE.fullmatch(line))
    }
    if "some" not in lines:
        raise HostUnreadable("pressure", f"unlike it: {text[:80]!r}", Reason.MALFORMED)
    return Pressure(lines["some"], lines.get("full"))


def read_pressure(resource: str, folder: str = "/proc/pressure") -> Pressure:
    """Of ``cpu``, ``memory`` or ``io``.

    Raises:
        HostUnreadable: this kernel doesn't account it (psi=0).
    """
    return parse_pressure(read_text(f"{folder}/{resource}"))

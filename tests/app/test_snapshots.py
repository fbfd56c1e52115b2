"""What a snapshot says of what it couldn't read."""

from trueup.app.snapshots import _gap
from trueup.host.unreadable import HostUnreadable


def test_a_gap_names_what_is_missing_once() -> None:
    assert _gap("systemd", HostUnreadable("systemd", "it isn't the init system here")) == {
        "what": "systemd",
        "why": "it isn't the init system here",
    }
    assert _gap("systemd", HostUnreadable("D-Bus", "closed by the bus")) == {
        "what": "systemd",
        "why": "D-Bus: closed by the bus",
    }
    assert _gap("systemd", []) is None

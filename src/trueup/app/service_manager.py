"""What the service manager is told, where one asks: sd_notify(3)."""

import os
import socket
from typing import Final

_ADDRESS: Final = "NOTIFY_SOCKET"
_WATCHDOG: Final = "WATCHDOG_USEC"


def notify(words: str) -> bool:
    """Send ``words``, as in ``READY=1``; whether anybody wanted to hear them."""
    address = os.environ.get(_ADDRESS)
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.connect(address)
            sock.sendall(words.encode())
    except OSError:
        return False
    return True


def watchdog_s() -> float | None:
    """How often it wants to hear ``WATCHDOG=1``, in seconds; None where it doesn't."""
    text = os.environ.get(_WATCHDOG, "")
    return int(text) / 1e6 if text.isascii() and text.isdecimal() and int(text) else None

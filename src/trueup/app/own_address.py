"""Where people and jobs find a monitor, by where it listens."""

import socket
from dataclasses import replace

from trueup.domain.monitor_settings import Listen


def url_of(listen: Listen, *, is_tls: bool) -> str:
    """Its URL; where it listens on every address, by this machine's name."""
    if listen.host in ("0.0.0.0", "::"):
        listen = replace(listen, host=socket.gethostname())
    return f"{'https' if is_tls else 'http'}://{listen}"

"""Postfix's SMTP server."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from tests.beds import wire
from tests.beds.certificates import Credentials
from tests.beds.requirements import require, require_root
from tests.beds.server import LOOPBACK, Server, serving

_MASTER = """
{address}:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
"""


@contextlib.contextmanager
def postfix(
    scheme: Literal["smtp", "smtps", "submission"] = "smtp",
    *,
    address: str = LOOPBACK,
    port: int = 0,
    tls: Credentials | None = None,
    **settings: str | int,
) -> Iterator[Server]:
    """Takes mail for anyone@localhost and keeps none. `settings` are parameters of main.cf."""
    require_root("postfix")
    require("postfix")
    master = require("master")

    def configure(server: Server) -> list[str]:
        chosen: dict[str, str | int] = {
            "compatibility_level": "3.6",
            "queue_directory": str(_make_queue(server)),
            "data_directory": str(_owned_by_postfix(server, "data")),
            "maillog_file": str(server.folder / "log"),
            "maillog_file_prefixes": str(server.folder),
            "myhostname": "mail.example.test",
            "mydestination": "localhost",
            "local_recipient_maps": "",
            "local_transport": "discard",
            "default_transport": "error:no mail leaves this machine",
            "smtpd_relay_restrictions": "reject_unauth_destination",
            "alias_maps": "",
            "inet_interfaces": server.address,
            "inet_protocols": "all",
        }
        if tls is not None:
            level = "encrypt" if scheme == "submission" else "may"
            chosen |= {
                "smtpd_tls_security_level": level,
                "smtpd_tls_chain_files": f"{tls.key}, {tls.certificate}",
            }
        if scheme == "smtps":
            chosen["smtpd_tls_wrappermode"] = "yes"
        server.write(
            "main.cf", [f"{name} = {value}" for name, value in (chosen | settings).items()], mode=0o644
        )
        server.write("master.cf", _MASTER.format(address=server.host, port=server.port), mode=0o644)
        return [master, "-c", str(server.folder), "-d"]

    def answers(server: Server) -> bool:
        return wire.greets(server, b"220", wire.unverified() if scheme == "smtps" else None)

    with serving("postfix", configure, answers, scheme=scheme, address=address, port=port) as server:
        yield server


def _owned_by_postfix(server: Server, name: str, mode: int = 0o700) -> Path:
    path = server.folder / name
    path.mkdir(parents=True)
    path.chmod(mode)
    shutil.chown(path, "postfix")
    return path


def _make_queue(server: Server) -> Path:
    """What `postfix check` would make, without its two seconds."""
    queue = server.folder / "queue"
    queue.mkdir(mode=0o755)
    (queue / "pid").mkdir(mode=0o755)
    for name in (
        "active",
        "bounce",
        "corrupt",
        "defer",
        "deferred",
        "flush",
        "hold",
        "incoming",
        "private",
        "saved",
        "trace",
    ):
        _owned_by_postfix(server, f"queue/{name}")
    for name, mode in (("maildrop", 0o1730), ("public", 0o2710)):
        shutil.chown(_owned_by_postfix(server, f"queue/{name}"), group="postdrop")
        (queue / name).chmod(mode)
    return queue

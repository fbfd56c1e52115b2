"""Dovecot: IMAP or POP3."""

import contextlib
import getpass
import os
import signal
from collections.abc import Iterator
from typing import Literal

from tests.beds import wire
from tests.beds.certificates import Credentials
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, ROOT, Server, serving

USER, PASSWORD = "probe", "secret"


@contextlib.contextmanager
def dovecot(
    scheme: Literal["imap", "imaps", "pop3", "pop3s"] = "imap",
    text: str = "",
    *,
    address: str = LOOPBACK,
    port: int = 0,
    tls: Credentials | None = None,
) -> Iterator[Server]:
    """One protocol, one user. With `tls`, imap and pop3 offer STARTTLS. `text` is more configuration."""
    program, protocol = require("dovecot"), scheme.removesuffix("s")
    require(protocol)  # a program of Dovecot's for each

    def configure(server: Server) -> list[str]:
        mail = server.make_folder("mail")
        if ROOT:
            os.chown(mail, _NOBODY, _NOBODY)
        users = server.write("users", [f"{USER}:{{PLAIN}}{PASSWORD}"], mode=0o644)
        config = f"""
base_dir = {server.folder}/run
state_dir = {server.folder}/run
log_path = /dev/stderr
protocols = {protocol}
listen = {server.address}
mail_location = maildir:{mail}
auth_mechanisms = plain login
disable_plaintext_auth = no
{_tls(tls)}
{_accounts()}
passdb {{
  driver = passwd-file
  args = {users}
}}
userdb {{
  driver = static
  args = uid={_NOBODY if ROOT else os.getuid()} gid={_NOBODY if ROOT else os.getgid()} home={mail}
}}
service {protocol}-login {{
  chroot =
  inet_listener {protocol} {{
    port = {0 if scheme.endswith("s") else server.port}
  }}
  inet_listener {protocol}s {{
    port = {server.port if scheme.endswith("s") else 0}
    ssl = yes
  }}
}}
{text}
"""
        return [program, "-F", "-c", str(server.write("dovecot.conf", config))]

    def answers(server: Server) -> bool:
        context = wire.unverified() if scheme.endswith("s") else None
        return wire.greets(server, b"* OK" if protocol == "imap" else b"+OK", context)

    with serving(
        "dovecot", configure, answers, scheme=scheme, address=address, port=port, stop_signal=signal.SIGKILL
    ) as server:
        yield server


_NOBODY = 65534


def _tls(tls: Credentials | None) -> str:
    if tls is None:
        return "ssl = no"
    return f"ssl = yes\nssl_cert = <{tls.certificate}\nssl_key = <{tls.key}"


def _accounts() -> str:
    """Without root it can't change users or lock itself up: all of it runs as oneself."""
    if ROOT:
        return "first_valid_uid = 1"
    user = getpass.getuser()
    return f"""default_internal_user = {user}
default_login_user = {user}
default_internal_group = {user}
service anvil {{
  chroot =
}}"""

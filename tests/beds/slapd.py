"""OpenLDAP's server."""

import contextlib
from collections.abc import Iterator

from tests.beds import wire
from tests.beds.certificates import Credentials
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, serving

SUFFIX = "dc=example,dc=test"
ADMIN, PASSWORD = f"cn=admin,{SUFFIX}", "secret"

ANONYMOUS_BIND = bytes.fromhex("300c 020101 6007 020103 0400 8000")
"""RFC 4511, section 4.2: version 3, no name, simple, no password."""
UNBIND = bytes.fromhex("3005 020102 4200")


@contextlib.contextmanager
def slapd(
    text: str = "",
    *,
    address: str = LOOPBACK,
    port: int = 0,
    tls: Credentials | None = None,
    from_the_first_byte: bool = False,
    more: str = "",
) -> Iterator[Server]:
    """One entry, `SUFFIX`, and an administrator. `text` goes into the database's section of slapd.conf,
    `more` entries, as LDIF, into the database.

    With `tls` it offers StartTLS, or is `ldaps` when TLS comes `from_the_first_byte`.
    """
    program, slapadd = require("slapd"), require("slapadd")
    scheme = "ldaps" if from_the_first_byte else "ldap"

    def configure(server: Server) -> list[str]:
        server.make_folder("database")
        keys = tls.copied_to(server) if tls else None
        certificate = (
            f"TLSCertificateFile {keys.certificate}\nTLSCertificateKeyFile {keys.key}" if keys else ""
        )
        config = f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {server.folder}/pid
{certificate}
database mdb
suffix "{SUFFIX}"
rootdn "{ADMIN}"
rootpw {PASSWORD}
directory {server.folder}/database
{text}
"""
        path = str(server.write("slapd.conf", config))
        entry = f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n"
        server.run(slapadd, "-f", path, stdin=entry + more)
        return [program, "-d", "256", "-f", path, "-h", f"{scheme}://{server.host}:{server.port}/"]

    def answers(server: Server) -> bool:
        """A refusal is an answer too."""
        with wire.connection(server, wire.unverified() if from_the_first_byte else None) as stream:
            stream.sendall(ANONYMOUS_BIND)
            reply = stream.recv(1024)
            stream.sendall(UNBIND)
            wire.read_all(stream)
            return reply[5:6] == b"\x61"

    with serving(
        "slapd", configure, answers, scheme=scheme, address=address, port=port, account="openldap"
    ) as server:
        yield server

"""Known software by protocol: the units that Linux distributions give it, its processes, its configuration.

Shell patterns for units. Sources: the packages of Debian, Ubuntu, Fedora, RHEL, SUSE and Arch, and the
vendors' own. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from trueup.host.facts import Unit


@dataclass(frozen=True, slots=True)
class Software:
    """``processes``: names as in /proc/PID/comm, which the kernel cuts at 15 letters."""

    units: tuple[str, ...]
    processes: tuple[str, ...]
    configuration: tuple[str, ...] = ()
    """Files and folders."""


_HTTP: Final = Software(
    units=(
        "nginx.service",
        "apache2.service",
        "httpd.service",
        "caddy.service",
        "lighttpd.service",
        "haproxy.service",
        "traefik.service",
        "varnish.service",
    ),
    processes=("nginx", "apache2", "httpd", "caddy", "lighttpd", "haproxy", "traefik", "varnishd"),
    configuration=("/etc/nginx", "/etc/apache2", "/etc/httpd", "/etc/caddy", "/etc/lighttpd", "/etc/haproxy"),
)
_MAIL: Final = Software(
    units=(
        "postfix.service",
        "postfix@*.service",
        "exim4.service",
        "exim.service",
        "sendmail.service",
        "opensmtpd.service",
    ),
    processes=("master", "exim4", "exim", "sendmail", "smtpd"),
    configuration=("/etc/postfix", "/etc/exim4", "/etc/mail"),
)
_IMAP: Final = Software(
    units=("dovecot.service", "cyrus-imapd.service", "cyrus-imap.service", "courier-imap.service"),
    processes=("dovecot", "imap-login", "pop3-login", "cyrmaster"),
    configuration=("/etc/dovecot", "/etc/imapd.conf"),
)
_REDIS: Final = Software(
    units=(
        "redis-server.service",
        "redis.service",
        "redis-server@*.service",
        "redis@*.service",
        "redis-sentinel.service",
        "valkey.service",
        "valkey-server.service",
        "valkey@*.service",
        "keydb-server.service",
        "keydb.service",
        "dragonfly.service",
    ),
    processes=("redis-server", "redis-sentinel", "valkey-server", "keydb-server", "dragonfly"),
    configuration=("/etc/redis", "/etc/redis.conf", "/etc/valkey", "/etc/keydb"),
)
_SSH: Final = Software(
    units=("ssh.service", "sshd.service", "ssh.socket", "sshd.socket", "dropbear.service"),
    processes=("sshd", "dropbear"),
    configuration=("/etc/ssh",),
)
_LDAP: Final = Software(
    units=("slapd.service", "dirsrv@*.service", "openldap.service"),
    processes=("slapd", "ns-slapd"),
    configuration=("/etc/ldap", "/etc/openldap"),
)
_MQTT: Final = Software(
    units=("mosquitto.service", "emqx.service", "vernemq.service"),
    processes=("mosquitto", "beam.smp"),
    configuration=("/etc/mosquitto", "/etc/emqx"),
)
_RABBITMQ: Final = Software(
    units=("rabbitmq-server.service",), processes=("beam.smp",), configuration=("/etc/rabbitmq",)
)

SOFTWARE: Final[Mapping[str, Software]] = {
    "http": _HTTP,
    "nginx": Software(("nginx.service",), ("nginx",), ("/etc/nginx",)),
    "ssh": _SSH,
    "postgres": Software(
        units=(
            "postgresql@*.service",
            "postgresql-[0-9]*.service",
            "postgresql.service",
            "pgbouncer.service",
        ),
        processes=("postgres", "postmaster", "pgbouncer"),
        configuration=("/etc/postgresql", "/var/lib/pgsql/data", "/etc/pgbouncer"),
    ),
    "mysql": Software(
        units=("mariadb.service", "mysql.service", "mysqld.service", "mariadb@*.service", "mysqld@*.service"),
        processes=("mariadbd", "mysqld"),
        configuration=("/etc/mysql", "/etc/my.cnf", "/etc/my.cnf.d"),
    ),
    "redis": _REDIS,
    "mongodb": Software(
        units=("mongod.service", "mongodb.service", "mongos.service"),
        processes=("mongod", "mongos"),
        configuration=("/etc/mongod.conf", "/etc/mongodb.conf"),
    ),
    "elasticsearch": Software(("elasticsearch.service",), ("java",), ("/etc/elasticsearch",)),
    "opensearch": Software(("opensearch.service",), ("java",), ("/etc/opensearch",)),
    "solr": Software(("solr.service",), ("java",), ("/etc/default/solr.in.sh",)),
    "smtp": _MAIL,
    "imap": _IMAP,
    "pop3": _IMAP,
    "ftp": Software(
        units=("vsftpd.service", "proftpd.service", "pure-ftpd.service"),
        processes=("vsftpd", "proftpd", "pure-ftpd"),
        configuration=("/etc/vsftpd.conf", "/etc/vsftpd", "/etc/proftpd", "/etc/pure-ftpd"),
    ),
    "dns": Software(
        units=(
            "named.service",
            "bind9.service",
            "unbound.service",
            "dnsmasq.service",
            "pdns.service",
            "pdns-recursor.service",
            "knot.service",
            "knot-resolver.service",
            "kresd@*.service",
            "systemd-resolved.service",
            "coredns.service",
        ),
        processes=(
            "named",
            "unbound",
            "dnsmasq",
            "pdns_server",
            "pdns_recursor",
            "knotd",
            "kresd",
            "systemd-resolve",
            "coredns",
        ),
        configuration=("/etc/bind", "/etc/named.conf", "/etc/unbound", "/etc/dnsmasq.conf", "/etc/dnsmasq.d"),
    ),
    "amqp": _RABBITMQ,
    "rabbitmq": _RABBITMQ,
    "memcached": Software(
        ("memcached.service", "memcached@*.service"),
        ("memcached",),
        ("/etc/memcached.conf", "/etc/sysconfig/memcached"),
    ),
    "kafka": Software(("kafka.service", "confluent-kafka.service"), ("java",), ("/etc/kafka",)),
    "nats": Software(("nats-server.service", "nats.service"), ("nats-server",), ("/etc/nats-server.conf",)),
    "mqtt": _MQTT,
    "ldap": _LDAP,
    "docker": Software(
        ("docker.service", "docker.socket", "podman.service", "podman.socket"),
        ("dockerd", "podman"),
        ("/etc/docker",),
    ),
}
"""By the scheme of an address without its TLS: ``https`` is ``http``, ``rediss`` is ``redis``."""

_WITHOUT_TLS: Final = {
    "https": "http",
    "ws": "http",
    "wss": "http",
    "grpc": "http",
    "grpcs": "http",
    "sftp": "ssh",
    "rediss": "redis",
    "smtps": "smtp",
    "submission": "smtp",
    "imaps": "imap",
    "pop3s": "pop3",
    "amqps": "amqp",
    "mqtts": "mqtt",
    "ldaps": "ldap",
}
_SHARED_NAMES: Final = ("java", "master", "beam.smp")
"""Names of processes that many programs run under."""
_PLACEHOLDERS: Final = ("/bin/true", "/usr/bin/true")


def software_of(scheme: str) -> Software | None:
    """What usually speaks it; None where nothing in particular does."""
    return SOFTWARE.get(_WITHOUT_TLS.get(scheme, scheme))


def stands_for_others(unit: Unit) -> bool:
    """Debian's postgresql.service runs /bin/true: the clusters are postgresql@*.service."""
    return unit.type == "oneshot" and unit.command[:1] != () and unit.command[0] in _PLACEHOLDERS


def patterns() -> tuple[str, ...]:
    """All unit patterns, each once."""
    return tuple(dict.fromkeys(pattern for software in SOFTWARE.values() for pattern in software.units))


def schemes_of_unit(unit: str) -> tuple[str, ...]:
    """The protocols that a unit's software speaks."""
    return tuple(
        scheme
        for scheme, software in SOFTWARE.items()
        if any(fnmatchcase(unit, pattern) for pattern in software.units)
    )


def configuration_of(process: str) -> tuple[str, ...]:
    """The configuration of whatever runs under this name of a process."""
    return tuple(
        dict.fromkeys(
            path
            for software in SOFTWARE.values()
            if process in software.processes and process not in _SHARED_NAMES
            for path in software.configuration
        )
    )

"""What is usually said of a service by its kind: its tier, whether it's internal, its name. Pure."""

from typing import Final

from trueup.host.software import schemes_of_unit

FIRST: Final = frozenset(
    {"ssh", "postgres", "mysql", "mongodb", "redis", "rediss", "http", "https", "amqp", "amqps", "kafka"}
)
"""What people depend on first: tier 1. Everything else is tier 2; what nobody identified is tier 3."""

INSIDE: Final = frozenset(
    {"postgres", "mysql", "mongodb", "redis", "rediss", "memcached", "elasticsearch", "opensearch", "solr"}
    | {"amqp", "rabbitmq", "kafka", "nats", "docker", "ldap"}
)
"""Where data or a way in is, and strangers have no business."""

PRODUCTS: Final = {
    "sshd": "sshd",
    "dropbear": "sshd",
    "redis-server": "redis",
    "redis-sentinel": "redis-sentinel",
    "valkey-server": "valkey",
    "keydb-server": "keydb",
    "postgres": "postgresql",
    "postmaster": "postgresql",
    "pgbouncer": "pgbouncer",
    "mariadbd": "mariadb",
    "mysqld": "mysql",
    "mongod": "mongodb",
    "mongos": "mongos",
    "nginx": "nginx",
    "apache2": "apache",
    "httpd": "apache",
    "caddy": "caddy",
    "lighttpd": "lighttpd",
    "haproxy": "haproxy",
    "traefik": "traefik",
    "varnishd": "varnish",
    "memcached": "memcached",
    "mosquitto": "mosquitto",
    "nats-server": "nats",
    "slapd": "slapd",
    "unbound": "unbound",
    "named": "bind",
    "dnsmasq": "dnsmasq",
    "systemd-resolve": "resolver",
    "dovecot": "dovecot",
    "imap-login": "dovecot",
    "pop3-login": "dovecot",
    "exim4": "exim",
    "vsftpd": "vsftpd",
    "proftpd": "proftpd",
    "dockerd": "docker",
    "stunnel": "stunnel",
    "stunnel4": "stunnel",
    "epmd": "epmd",
    "cupsd": "cups",
}
"""What people call a program, by its process. A name of many programs (java, master) isn't here."""

_BY_SCHEME: Final = {
    "beam.smp": dict.fromkeys(("amqp", "amqps", "rabbitmq"), "rabbitmq"),
    "master": dict.fromkeys(("smtp", "smtps", "submission"), "postfix"),
}
"""Two processes of which others run many things, and what tells them."""

INTERPRETERS: Final = frozenset(
    {"python", "python3", "node", "java", "ruby", "perl", "php", "php-fpm", "beam.smp", "master", "dotnet"}
    | {"docker-proxy", "sh", "bash", "systemd", "gunicorn", "uvicorn", "uwsgi", "MainThread"}
)
"""Processes whose name says nothing of what they run."""


def tier_of(scheme: str) -> int:
    return (1 if scheme in FIRST else 2) if scheme else 3


def product_of(process: str | None, scheme: str) -> str | None:
    """What people call what runs there; None where the process doesn't tell."""
    if process is None:
        return None
    return _BY_SCHEME.get(process, {}).get(scheme) or PRODUCTS.get(process)


def is_interpreter(process: str) -> bool:
    """Also with a version behind its name, as in python3.11."""
    return process.rstrip("0123456789.") in INTERPRETERS or process in INTERPRETERS


def is_distributions(unit: str, product: str | None) -> bool:
    """Whether a unit is the one that a distribution gives its software, so that it names nothing of ours."""
    return bool(schemes_of_unit(unit)) or (product is not None and unit.startswith(product))

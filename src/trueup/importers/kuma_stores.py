"""Uptime Kuma's databases and queues: connection strings as addresses, logins and queries.

Each gives addresses and keys, or None where no address can be had.
"""

import re
from typing import Any
from urllib.parse import parse_qs, unquote

from trueup.importers.carried import Carried
from trueup.importers.credentials import login_of
from trueup.importers.kuma_document import Monitor
from trueup.importers.lenient import listed, mapping, words
from trueup.importers.placing import place_of, split_url

Store = tuple[str | list[str], dict[str, Any]] | None


def _login(carried: Carried, monitor: Monitor, user: Any, password: Any) -> dict[str, Any] | None:
    if not password:
        return None
    name = str(monitor.get("name"))
    word = carried.secret(f"{name}_password", f"the password of {name}", str(password))
    return login_of(str(user or ""), word)


def _sql(carried: Carried, monitor: Monitor, scheme: str) -> Store:
    text = str(monitor.get("databaseConnectionString") or "")
    parts = split_url(text)
    info, _, place = parts.netloc.rpartition("@")
    if not place or "," in place:
        return None
    user, _, password = info.partition(":")
    keys: dict[str, Any] = {
        "login": _login(
            carried, monitor, unquote(user), unquote(password or str(monitor.get("radiusPassword") or ""))
        ),
        "query": " ".join(str(monitor.get("databaseQuery") or "").split()).rstrip(";") or None,
    }
    asked = parse_qs(parts.query)
    if {"require", "verify-ca", "verify-full"} & {*asked.get("sslmode", ())}:
        strict = "require" not in asked["sslmode"]
        keys["tls"] = {"verify": strict}
    place = place if password or not user else f"{user}@{place}"
    return f"{scheme}://{place}{parts.path}", keys


def postgres(carried: Carried, monitor: Monitor) -> Store:
    """``postgres://user:password@host:port/database``."""
    return _sql(carried, monitor, "postgres")


def mysql(carried: Carried, monitor: Monitor) -> Store:
    """``mysql://user:password@host:port/database``; 1.x keeps the password apart."""
    return _sql(carried, monitor, "mysql")


def sqlserver(carried: Carried, monitor: Monitor) -> Store:
    """``Server=host,1433;...``: a connection and no more."""
    found = re.search(r"(?:^|;)\s*(?:server|data source)\s*=\s*(?:tcp:)?([^,;\\]+)(?:,(\d+))?", str(
        monitor.get("databaseConnectionString") or ""
    ), re.IGNORECASE)  # fmt: skip
    if found is None:
        return None
    why = "trueup doesn't speak SQL Server's protocol: it became a check of its port"
    carried.leave(f'login and query of "{monitor.get("name")}"', why)
    return f"tcp://{place_of(found[1], found[2] or 1433)}", {}


def mongodb(carried: Carried, monitor: Monitor) -> Store:
    """``mongodb://user:password@host[,host]/database?authSource=``."""
    parts = split_url(str(monitor.get("databaseConnectionString") or ""))
    info, _, places = parts.netloc.rpartition("@")
    if parts.scheme != "mongodb" or not places:
        return None
    user, _, password = info.partition(":")
    asked = parse_qs(parts.query)
    source = f"?authSource={asked['authSource'][0]}" if asked.get("authSource") else ""
    path = parts.path if parts.path != "/" or source else ""
    keys: dict[str, Any] = {"login": _login(carried, monitor, unquote(user), unquote(password))}
    if "true" in (*asked.get("tls", ()), *asked.get("ssl", ())):
        keys["tls"] = {"verify": True}
    if monitor.get("databaseQuery"):
        carried.leave(
            f'command of "{monitor.get("name")}"', "commands to MongoDB aren't configured; it's asked hello"
        )
    return [
        f"mongodb://{place}{path or ('/' if source else '')}{source}" for place in places.split(",")
    ], keys


def redis(carried: Carried, monitor: Monitor) -> Store:
    """``redis://user:password@host:port`` or ``rediss://``."""
    parts = split_url(str(monitor.get("databaseConnectionString") or ""))
    info, _, place = parts.netloc.rpartition("@")
    if parts.scheme not in {"redis", "rediss"} or not place:
        return None
    user, _, password = info.partition(":")
    keys: dict[str, Any] = {"login": _login(carried, monitor, unquote(user), unquote(password))}
    if parts.scheme == "rediss" and monitor.get("ignoreTls"):
        keys["tls"] = {"verify": False}
    return f"{parts.scheme}://{place}", keys


def mqtt(carried: Carried, monitor: Monitor) -> Store:
    """A broker; its scheme may stand in the host's name."""
    host = str(monitor.get("hostname") or "")
    scheme, _, rest = host.rpartition("://")
    if scheme not in {"", "mqtt", "mqtts"} or not rest:
        return None
    if monitor.get("mqttTopic"):
        why = "no topic is waited for; roundtrip: true sends and receives a message of its own"
        carried.leave(f'topic of "{monitor.get("name")}"', why)
    login = _login(carried, monitor, monitor.get("mqttUsername"), monitor.get("mqttPassword"))
    return f"{scheme or 'mqtt'}://{place_of(rest, monitor.get('port'))}", {"login": login}


def rabbitmq(carried: Carried, monitor: Monitor) -> Store:
    """Addresses of the management API of its nodes."""
    nodes = monitor.get("rabbitmqNodes")
    if isinstance(nodes, str):
        nodes = words(nodes.strip("[]").replace('"', ""))
    urls = [split_url(str(node)) for node in listed(nodes)]
    if not urls or not all(url.netloc for url in urls):
        return None
    login = _login(carried, monitor, monitor.get("rabbitmqUsername"), monitor.get("rabbitmqPassword"))
    tls = {"verify": True} if urls[0].scheme == "https" else None
    port = 443 if urls[0].scheme == "https" else 80
    at = [f"rabbitmq://{place_of(str(url.hostname), url.port or port)}" for url in urls]
    return at, {"login": login, "tls": tls}


def kafka(carried: Carried, monitor: Monitor) -> Store:
    """Brokers and a topic, whose leaders are looked at; nothing is produced."""
    brokers = monitor.get("kafkaProducerBrokers")
    if isinstance(brokers, str):
        brokers = words(brokers.strip("[]").replace('"', ""))
    if not brokers:
        return None
    carried.note("Kafka: trueup asks for the topic's leaders and produces nothing")
    sasl = monitor.get("kafkaProducerSaslOptions")
    if isinstance(sasl, str):
        import json

        try:
            sasl = json.loads(sasl)
        except ValueError:
            sasl = None
    options = mapping(sasl)
    login = _login(carried, monitor, options.get("username"), options.get("password"))
    tls = {"verify": True} if monitor.get("kafkaProducerSsl") else None
    topic = f"/{monitor['kafkaProducerTopic']}" if monitor.get("kafkaProducerTopic") else ""
    return [f"kafka://{str(one).strip()}{topic}" for one in listed(brokers)], {"login": login, "tls": tls}

"""Doors that behave badly, and the process behind them."""

import contextlib
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trueup.probes.registry import all_probes

PROJECT = Path(__file__).parents[2]


@dataclass
class Door:
    """One way to behave. `owners` are the schemes whose protocol this could be: they may believe it."""

    name: str
    does: str = "says"
    said: tuple[bytes, ...] = ()
    ends: str = "stays"
    owners: frozenset[str] = frozenset()
    turns: tuple[tuple[bool, bytes], ...] = ()
    cuts: tuple[int, ...] = ()
    udp: bool = False
    port: int = 0
    heard: list[bytes] = field(default_factory=list)

    def written(self, credentials: tuple[str, str] | None) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "does": self.does,
            "said": [piece.hex() for piece in self.said],
            "ends": self.ends,
            "turns": [(asked, piece.hex()) for asked, piece in self.turns],
            "cuts": self.cuts,
            "udp": self.udp,
        }
        if credentials is not None:
            shown["certificate"], shown["key"] = credentials
        return shown


@contextlib.contextmanager
def hostile(doors: Sequence[Door], credentials: tuple[str, str] | None = None) -> Iterator[None]:
    """All these doors, open; with `credentials` (PEM files) behind TLS. Then what was heard is in them."""
    listed = json.dumps([door.written(credentials) for door in doors])
    with subprocess.Popen(
        [sys.executable, "-m", "tests.probes.hostile_server"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(listed + "\n")
            process.stdin.flush()
            for door, port in zip(doors, json.loads(process.stdout.readline()), strict=True):
                door.port = port
            yield
            process.stdin.close()
            for door, heard in zip(doors, json.loads(process.stdout.readline()), strict=True):
                door.heard = [bytes.fromhex(one) for one in heard]
        finally:
            process.kill()


def _noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


WEB = frozenset({"http"}) | {probe.name for probe in all_probes() if probe.over_http and probe.name != "grpc"}
"""gRPC is HTTP/2, which doesn't begin so."""

MAIL = frozenset({"smtp", "submission"})
SQL = frozenset({"mysql", "mariadb"})

GREETINGS = [
    Door("ssh", said=(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",), owners=frozenset({"ssh", "sftp"})),
    Door("smtp", said=(b"220 mail.example ESMTP Postfix\r\n",), owners=MAIL | {"ftp"}),
    Door("ftp", said=(b"220 (vsFTPd 3.0.3)\r\n",), owners=MAIL | {"ftp"}),
    Door(
        "imap", said=(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\n",), owners=frozenset({"imap"})
    ),
    Door("pop3", said=(b"+OK Dovecot ready.\r\n",), owners=frozenset({"pop3", "redis"})),
    Door("http", said=(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",), owners=WEB),
    Door("http page", "replies", (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",), owners=WEB),
    Door("redis", "replies", (b"-NOAUTH Authentication required.\r\n",), owners=frozenset({"redis"})),
    Door("redis pong", "replies", (b"+PONG\r\n",), owners=frozenset({"redis"})),
    Door("memcached", "replies", (b"VERSION 1.6.18\r\n",), owners=frozenset({"memcached"})),
    Door("memcached error", "replies", (b"ERROR\r\n",), owners=frozenset({"memcached"})),
    Door(
        "mysql",
        said=(bytes.fromhex("4a0000000a") + b"10.11.6-MariaDB\0" + bytes(53),),
        owners=SQL,
    ),
    Door("mysql error", said=(bytes.fromhex("1700 0001 ff10 04") + b"Too many connections",), owners=SQL),
    Door(
        "postgres no",
        "replies",
        (b"N",),
        owners=frozenset({"postgres", "postgresql"}),
    ),
    Door("nats", said=(b'INFO {"server_id":"X","version":"2.9.10"}\r\n',), owners=frozenset({"nats"})),
    Door("amqp version", said=(b"AMQP\x00\x00\x09\x01",), ends="closes", owners=frozenset({"amqp"})),
    Door("mqtt connack", "replies", (b"\x20\x02\x00\x05",), owners=frozenset({"mqtt"})),
    Door("ldap", "replies", (bytes.fromhex("300c02010161070a010004000400"),), owners=frozenset({"ldap"})),
    Door("tls alert", said=(bytes.fromhex("15030100020228"),), ends="closes"),
    Door("http/2 settings", said=(bytes.fromhex("000000040000000000"),), owners=frozenset({"grpc"})),
    Door("vnc", said=(b"RFB 003.008\n",)),
    Door("telnet", said=(b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27login: ",)),
    Door("rsync", said=(b"@RSYNCD: 31.0\n",)),
    Door("mongo over http", said=(b"It looks like you are trying to access MongoDB over HTTP\r\n",)),
]
"""How others begin, unasked or in reply."""

GARBAGE = [
    Door("closes at once", ends="closes"),
    Door("resets at once", ends="resets"),
    Door("silent"),
    Door("echo", "echoes"),
    Door("a newline to everything", "replies", (b"\n",)),
    Door("ok to everything", "replies", (b"OK\r\n",)),
    Door("endless bytes", "floods", (b"x",)),
    Door("endless zeros", "floods", (b"\0",)),
    Door("endless lines", "floods", (b"x\r\n",)),
    Door("endless empty lines", "floods", (b"\r\n",)),
    Door("drips", "drips", (b"hello\r\n",)),
    Door("drips zeros", "drips", (b"\0",)),
    *(Door(f"noise {seed}", said=(_noise(seed, 4096),), ends="closes") for seed in range(6)),
    *(Door(f"noise {seed} to everything", "replies", (_noise(seed, 300),)) for seed in range(6, 12)),
    Door("all ones", said=(b"\xff" * 4096,)),
    Door("lengths: four bytes, the most", said=(b"\x7f\xff\xff\xff" * 64,)),
    Door("lengths: four bytes, the least", said=(b"\x00\x00\x00\x04" * 64,)),
    Door("lengths: little endian", said=(b"\xff\xff\xff\x7f" * 64,)),
    Door("escapes", said=(b"\x1b]0;evil\x07\x1b[31m\x1b[2J\r\n\xe2\x80\xae\xc2\x9b\r\n",), ends="closes"),
]
"""What is nobody's protocol. Whoever believes it says something false."""

LIES = [
    Door("redis bulk", "replies", (b"$536870911\r\n",), owners=frozenset({"redis"})),
    Door("redis array", "replies", (b"*1000000000\r\n",), owners=frozenset({"redis"})),
    Door("redis nested", "replies", (b"*1\r\n" * 5000,), owners=frozenset({"redis"})),
    Door(
        "postgres message",
        "replies",
        (b"R\x7f\xff\xff\xff\x00\x00\x00\x03",),
        owners=frozenset({"postgres", "postgresql"}),
    ),
    Door("postgres error", "replies", (b"E\x00\x00\x00\x04",), owners=frozenset({"postgres", "postgresql"})),
    Door("mysql packet", said=(b"\xff\xff\xff\x00\x0a" + b"x" * 100,), owners=SQL),
    Door("mysql short", said=(b"\x05\x00\x00\x00\x0a8.0\0",), ends="closes", owners=SQL),
    Door("ldap long", "replies", (b"\x30\x84\x7f\xff\xff\xff\x02\x01\x01",), owners=frozenset({"ldap"})),
    Door("ldap nested", "replies", (b"\x30\x80" * 2000,), owners=frozenset({"ldap"})),
    Door("kafka long", "replies", (b"\x7f\xff\xff\xff",), owners=frozenset({"kafka"})),
    Door("amqp long", said=(b"\x01\x00\x00\x7f\xff\xff\xff\x00\x0a\x00\x0a",), owners=frozenset({"amqp"})),
    Door("mqtt long", "replies", (b"\x20\xff\xff\xff\x7f",), owners=frozenset({"mqtt"})),
    Door(
        "mongo long",
        "replies",
        (b"\xff\xff\xff\x7f" + bytes(8) + b"\xdd\x07\0\0",),
        owners=frozenset({"mongodb"}),
    ),
    Door(
        "http length",
        "replies",
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999\r\n\r\n",),
        owners=WEB,
    ),
    Door("http negative", "replies", (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",), owners=WEB),
    Door(
        "http chunk",
        "replies",
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n",),
        owners=WEB,
    ),
    Door("http headers", "floods", (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100,), owners=WEB),
    Door("http body", "floods", (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1000,), owners=WEB),
    Door(
        "http redirects",
        "replies",
        (b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n",),
        owners=WEB,
    ),
    Door(
        "http redirects elsewhere",
        "replies",
        (b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",),
        owners=WEB,
    ),
    Door("smtp greeting", "floods", (b"220-more\r\n",), owners=MAIL | {"ftp"}),
    Door("smtp replies", "replies", (b"220 hi\r\n", b"250-more\r\n" * 500), owners=MAIL | {"ftp"}),
    Door("imap untagged", "floods", (b"* OK more\r\n",), owners=frozenset({"imap"})),
    Door(
        "pop3 list",
        "replies",
        (b"+OK hi\r\n", b"+OK\r\n" + b"x\r\n" * 5000),
        owners=frozenset({"pop3", "redis"}),
    ),
    Door("ssh lines", "floods", (b"hello there\r\n",)),
    Door("ssh packet", said=(b"SSH-2.0-x\r\n" + b"\xff" * 100,), owners=frozenset({"ssh", "sftp"})),
    Door("nats info", "floods", (b'INFO {"server_id":"X"}\r\n',), owners=frozenset({"nats"})),
    Door(
        "nats pings",
        "replies",
        (b'INFO {"server_id":"X"}\r\n', b"PING\r\n" * 500),
        owners=frozenset({"nats"}),
    ),
    Door("memcached stats", "floods", (b"STAT x 1\r\n",), owners=frozenset({"memcached"})),
    Door(
        "http/2 settings",
        "floods",
        (bytes.fromhex("000000040000000000"),),
        owners=frozenset({"grpc"}),
    ),
    Door("http/2 long", said=(b"\xff\xff\xff\x00\x00\x00\x00\x00\x01",), owners=frozenset({"grpc"})),
    Door(
        "websocket",
        "replies",
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x7f" + b"\xff" * 8,),
        owners=WEB,
    ),
]
"""The right dialect, and lies in it."""

DATAGRAMS = [
    Door("silent datagrams", udp=True),
    Door("echo of datagrams", "echoes", udp=True),
    Door("empty datagrams", said=(b"",), udp=True),
    Door("short datagrams", said=(b"ID", b"ID\x81"), udp=True),
    Door("noise in datagrams", said=tuple(_noise(seed, 200) for seed in range(20)), udp=True),
    Door("long datagrams", said=(_noise(1, 60_000),) * 3, udp=True),
    Door("many datagrams", said=(b"ID\x81\x80",) * 500, udp=True),
    Door(
        "a dns name that goes in circles",
        said=(b"ID\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01",),
        udp=True,
    ),
]
"""For what speaks in datagrams."""

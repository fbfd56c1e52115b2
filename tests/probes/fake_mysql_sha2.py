"""A fake MySQL 8 that lets one user in by caching_sha2_password, and knows nothing else.

No MySQL server can be had where only Debian is; MariaDB 10.11 has no such plugin. That the fake is
faithful is shown by MariaDB's own client, which has it and logs in to it (test_mysql_real.py).
"""

import contextlib
import hashlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PLUGIN = b"caching_sha2_password"
NONCE = b"abcdefghijklmnopqrst"
OK = b"\0\0\0\2\0\0\0"
CLIENT_SSL = 1 << 11
_KEY = rsa.generate_private_key(65537, 2048)


def _error(code: int, words: str) -> bytes:
    return b"\xff" + code.to_bytes(2, "little") + b"#28000" + words.encode()


@dataclass
class FakeMysqlSha2:
    user: str
    password: str
    tls: ssl.SSLContext | None = None
    remembers: bool = False
    """Whether the user is in the cache: then the scramble is enough."""
    port: int = 0
    ways: list[str] = field(default_factory=list)
    """How each login that succeeded was made: fast, tls, rsa."""

    @property
    def url(self) -> str:
        return f"mysql://127.0.0.1:{self.port}"

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                stream, _ = listener.accept()
            except OSError:
                return
            session = _Session(self, stream)
            with contextlib.suppress(OSError, EOFError):
                session.talk()
            session.stream.close()


class _Session:
    def __init__(self, server: FakeMysqlSha2, stream: socket.socket) -> None:
        self.server = server
        self.stream = stream
        self.number = 0

    def talk(self) -> None:
        self.stream.settimeout(5)
        self.send(self.greeting())
        asked = self.receive()
        if len(asked) == 32:
            assert self.server.tls is not None
            self.stream = self.server.tls.wrap_socket(self.stream, server_side=True)
            asked = self.receive()
        way = self.log_in(asked)
        if way is None:
            self.send(_error(1045, f"Access denied for user '{self.server.user}'@'localhost'"))
            return
        self.server.ways.append(way)
        self.send(OK)
        while (command := self.receive()) != b"\1":
            self.send(OK if command == b"\x0e" else _error(1064, "the fake knows no SQL"))

    def greeting(self) -> bytes:
        flags = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000 | (CLIENT_SSL if self.server.tls else 0)
        head = b"\x0a8.0.36\0" + struct.pack("<I", 7) + NONCE[:8] + b"\0"
        more = struct.pack("<HBHHB10x", flags & 0xFFFF, 45, 2, flags >> 16, 21)
        return head + more + NONCE[8:] + b"\0" + PLUGIN + b"\0"

    def log_in(self, asked: bytes) -> str | None:
        user, _, rest = asked[32:].partition(b"\0")
        word = rest[1 : 1 + rest[0]]
        if b"caching_sha2_password" not in rest:
            self.send(b"\xfe" + PLUGIN + b"\0" + NONCE + b"\0")
            word = self.receive()
        if user != self.server.user.encode() or not word.rstrip(b"\0"):
            return None
        if self.server.remembers:
            if word != self.scramble():
                return None
            self.send(b"\1\3")
            return "fast"
        self.send(b"\1\4")
        if isinstance(self.stream, ssl.SSLSocket):
            return "tls" if self.receive() == self.server.password.encode() + b"\0" else None
        assert self.receive() == b"\2", "it should ask for the public key"
        pem = _KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.send(b"\1" + pem)
        oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
        hidden = _KEY.decrypt(self.receive(), oaep)
        told = bytes(byte ^ NONCE[place % 20] for place, byte in enumerate(hidden))
        return "rsa" if told == self.server.password.encode() + b"\0" else None

    def scramble(self) -> bytes:
        once = hashlib.sha256(self.server.password.encode()).digest()
        mask = hashlib.sha256(hashlib.sha256(once).digest() + NONCE).digest()
        return bytes(a ^ b for a, b in zip(once, mask, strict=True))

    def send(self, payload: bytes) -> None:
        self.stream.sendall(len(payload).to_bytes(3, "little") + bytes([self.number & 0xFF]) + payload)
        self.number += 1

    def receive(self) -> bytes:
        head = self._exactly(4)
        self.number = head[3] + 1
        return self._exactly(int.from_bytes(head[:3], "little"))

    def _exactly(self, size: int) -> bytes:
        heard = b""
        while len(heard) < size:
            piece = self.stream.recv(size - len(heard))
            if not piece:
                raise EOFError
            heard += piece
        return heard


@contextlib.contextmanager
def fake_mysql_sha2(
    user: str, password: str, *, tls: ssl.SSLContext | None = None, remembers: bool = False
) -> Iterator[FakeMysqlSha2]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = FakeMysqlSha2(user, password, tls, remembers, listener.getsockname()[1])
        thread = threading.Thread(target=server.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)

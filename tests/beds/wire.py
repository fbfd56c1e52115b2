"""Raw exchanges with a server, by hand: what shows that a bed works may not depend on trueup."""

import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence

import dns.message

from tests.beds.server import Server


def unverified() -> ssl.SSLContext:
    """For seeing that a server answers, whatever its certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextlib.contextmanager
def connection(server: Server, tls: ssl.SSLContext | None = None) -> Iterator[socket.socket]:
    with socket.create_connection((server.address, server.port), timeout=5) as raw:
        if tls is None:
            yield raw
        else:
            with tls.wrap_socket(raw, server_hostname="localhost") as wrapped:
                yield wrapped


def read_until(stream: socket.socket, ending: bytes) -> bytes:
    """As far as the ending, or the end of the stream."""
    heard = b""
    while ending not in heard:
        piece = stream.recv(65536)
        if not piece:
            break
        heard += piece
    return heard


def read_all(stream: socket.socket) -> bytes:
    return b"".join(iter(lambda: stream.recv(65536), b""))


def say(server: Server, *lines: bytes, tls: ssl.SSLContext | None = None) -> bytes:
    """Send it all at once, and read until the server closes."""
    with connection(server, tls) as stream:
        stream.sendall(b"".join(line + b"\r\n" for line in lines))
        return read_all(stream)


def talk(server: Server, *lines: bytes, tls: ssl.SSLContext | None = None) -> Sequence[bytes]:
    """A dialogue of lines: the greeting, then each answer's first line."""
    with connection(server, tls) as stream:
        answers = [read_until(stream, b"\n")]
        for line in lines:
            stream.sendall(line + b"\r\n")
            answers.append(read_until(stream, b"\n"))
        return answers


def greets(server: Server, beginning: bytes, tls: ssl.SSLContext | None = None) -> bool:
    """Whether its first words, unasked, begin so. Stays until the server has let go of us."""
    with connection(server, tls) as stream:
        heard = read_until(stream, b"\n")
        with contextlib.suppress(OSError):
            stream.settimeout(1)
            stream.shutdown(socket.SHUT_WR)
            read_all(stream)
        return heard.startswith(beginning)


def ask_dns(server: Server, name: str, kind: str = "A") -> dns.message.Message:
    """Over UDP. Raises OSError when nothing comes back soon."""
    query = dns.message.make_query(name, kind)
    with socket.socket(
        socket.AF_INET6 if ":" in server.address else socket.AF_INET, socket.SOCK_DGRAM
    ) as udp:
        udp.settimeout(0.5)
        udp.connect((server.address, server.port))
        udp.send(query.to_wire())
        return dns.message.from_wire(udp.recv(65535))


def answers_dns(server: Server) -> bool:
    return bool(ask_dns(server, "www.example.test").answer)

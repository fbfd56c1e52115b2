"""A connection as a conversation needs it: bytes in a buffer, bytes out, plain or through TLS."""

import errno
import socket
from _socket import socket as RawSocket  # noqa: N812 - as the engine's sockets are
from contextlib import suppress
from typing import Final

from trueup.conversation import Transport
from trueup.domain.target import TlsSettings
from trueup.engine.sockets import close_by_reset, from_icmp, open_socket, to_icmp
from trueup.engine.tls import TlsChannel

CHUNK_BYTES: Final = 16_384
DATAGRAM_BYTES: Final = 65_535
_BEGUN: Final = (0, errno.EINPROGRESS)  # connect(2)
_TCP: Final = Transport.TCP  # looking a member up costs in Python 3.11
_ICMP: Final = Transport.ICMP
_PACKETS: Final = (Transport.UDP, Transport.ICMP)


class Wire:
    """A non-blocking socket with what has come and not been taken (``buffer``).

    ``drained``: the kernel has no more for now (readiness is edge-triggered, so it's kept in mind).
    ``ending``: the kernel has told of the end already, so it's to be read up to that.
    ``ended``: the peer has closed, by a ``reset`` perhaps. ``unsent``: what ``flush`` is to send.
    Whoever opens it closes it. Methods raise ``OSError`` (of which ``ssl.SSLError`` is one) when the
    connection fails.
    """

    # How every connection begins. Thousands are made each second, and most end with much of it unchanged.
    channel: TlsChannel | None = None
    drained = True
    ending = ended = reset = False
    received_bytes = 0
    unsent = b""

    def __init__(self, transport: Transport, family: int) -> None:
        self.sock: RawSocket = open_socket(transport, family)
        self.fd = self.sock.fileno()
        self.buffer = bytearray()
        self._transport = transport
        self._in_packets = transport is not _TCP and transport in _PACKETS

    def connect(self, sockaddr: object) -> None:
        """Begin to connect; readiness for writing says that it's done.

        Raises:
            OSError: it can't even begin.
        """
        number = self.sock.connect_ex(sockaddr)  # type: ignore[arg-type]  # the resolver's, or a path
        if number not in _BEGUN:
            raise OSError(number, errno.errorcode.get(number, "?"))

    def start_tls(
        self,
        settings: TlsSettings | None,
        alpn: tuple[str, ...],
        host: str,
        resumed: TlsChannel | None = None,
    ) -> None:
        """Speak TLS from here on. What came before is dropped: it could have been injected."""
        self.buffer.clear()
        self.channel = TlsChannel(settings, alpn, host, resumed)

    def handshake(self) -> bool:
        """Go on with the handshake; True when it's done."""
        channel = self.channel
        assert channel is not None
        try:
            finished = channel.handshake()
        finally:
            self._say_now(channel.pending())  # also the alert that tells the peer why we give up
        if finished:
            self.buffer += channel.read()  # what came along with the last of the handshake
        return finished

    @property
    def established(self) -> bool:
        """Whether TLS is spoken, and not only begun."""
        return self.channel is not None and self.channel.established

    def receive(self) -> bytes:
        """Take one chunk from the kernel into ``buffer``; returns the plain bytes that it brought."""
        if self._in_packets:
            return self._receive_packet()
        try:
            data = self.sock.recv(CHUNK_BYTES)
        except (BlockingIOError, InterruptedError):
            self.drained = True
            return b""
        except ConnectionResetError:
            self.drained = self.ended = self.reset = True
            return b""
        size = len(data)
        self.received_bytes += size
        if not size:
            self.drained = self.ended = True
        elif size < CHUNK_BYTES and not self.ending:
            self.drained = True
        if self.channel is not None:
            data = self._decrypt(self.channel, data)
        self.buffer += data
        return data

    def _receive_packet(self) -> bytes:
        try:
            data = self.sock.recv(DATAGRAM_BYTES)
        except (BlockingIOError, InterruptedError):
            self.drained = True
            return b""
        self.received_bytes += len(data)
        if self._transport is _ICMP:
            data = from_icmp(self.sock, data)
        self.buffer[:] = data  # a datagram stands for itself
        return data

    def _decrypt(self, channel: TlsChannel, data: bytes) -> bytes:
        if data:
            channel.feed(data)
        else:
            channel.end()
        if not channel.established:
            return b""
        plain = channel.read()
        self._say_now(channel.pending())
        if channel.ended:
            self.drained = self.ended = True
        return plain

    def _say_now(self, data: bytes) -> None:
        self.unsent += data
        self.flush()

    def put(self, data: bytes) -> None:
        """``flush`` is to send ``data``; a datagram goes at once."""
        if self.channel is not None:
            self.channel.write(data)
            data = self.channel.pending()
        elif self._transport is _ICMP:
            data = to_icmp(self.sock, data)
        self.unsent = self.unsent + data if self.unsent else data
        if self._in_packets:
            self.flush()

    def flush(self) -> None:
        """Send what waits: as much as the kernel takes now, and the rest when it can."""
        if not self.unsent:
            return
        try:
            sent = self.sock.send(self.unsent)
        except (BlockingIOError, InterruptedError):
            return
        except (BrokenPipeError, ConnectionResetError):
            # What the peer said before it closed is still to be read, and says why.
            self.unsent = b""
            self.drained = False
            return
        self.unsent = self.unsent[sent:]

    def say_no_more(self) -> None:
        """Half-close: the peer sees our end and closes."""
        if self.channel is not None:
            self.channel.say_no_more()
            self.unsent += self.channel.pending()
        self.flush()
        if not self.unsent and not self._in_packets:
            with suppress(OSError):  # it's gone already
                self.sock.shutdown(socket.SHUT_WR)

    def close(self, *, reset: bool) -> None:
        """Close, by a reset where that's harmless and means something; not before the last word is sent."""
        if self.unsent:
            with suppress(OSError):
                self.flush()
            self.unsent = b""
        if reset and self._transport is _TCP:
            close_by_reset(self.sock)
        else:
            self.sock.close()

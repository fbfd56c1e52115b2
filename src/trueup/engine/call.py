"""The line to a peer, from its name to the end of the TLS handshake."""

import errno
import socket
from abc import ABC, abstractmethod
from select import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP
from time import monotonic  # uvloop's own clock has milliseconds only
from typing import TYPE_CHECKING, Final

from trueup.conversation import Dial, StartTls, Transport
from trueup.engine.faults import Fault, Stage, fault_of, handshake_fault, opening_fault, settings_fault
from trueup.engine.resolve import Found, Place
from trueup.engine.sockets import pending_error
from trueup.engine.tls import TlsChannel
from trueup.engine.transcript import Transcript
from trueup.engine.wire import Wire

if TYPE_CHECKING:
    from trueup.engine.engine import Engine

_GONE: Final = EPOLLERR | EPOLLHUP
_ENDING: Final = EPOLLRDHUP | _GONE
READABLE: Final = EPOLLIN | _ENDING

_TCP: Final = Transport.TCP  # looking a member up costs in Python 3.11
_UNIX: Final = Transport.UNIX
_CONNECTING: Final = Stage.CONNECTING
_HANDSHAKING: Final = Stage.HANDSHAKING
_TALKING: Final = Stage.TALKING


class Call(ABC):
    """Dials, redials and hangs up, and tells its heir when the line stands, brings something or fails.

    The engine calls it in rounds: ``hear``, ``go_on``, then ``say`` and ``open`` where it asked for that.
    """

    # How every call begins. Thousands are made each second, and most end with much of it unchanged.
    done = False
    _stage = Stage.RESOLVING
    _wire: Wire | None = None
    _resumed: TlsChannel | None = None
    """Whose TLS session ours goes on with."""

    _began_s = _connect_began_s = _tls_began_s = 0.0

    def __init__(self, engine: "Engine", dial: Dial, timeout_s: float, *, polite: bool) -> None:
        self._engine = engine
        self._polite = polite
        self.timeout_s = timeout_s
        self.transcript = Transcript(dial)

    @abstractmethod
    def _talk(self) -> None:
        """The line stands."""

    @abstractmethod
    def _heard(self, data: bytes) -> None:
        """It brought something: plain bytes, now in the wire's buffer too."""

    @abstractmethod
    def _listen(self) -> None:
        """There may be something to understand, or its end."""

    @abstractmethod
    def _fail(self, fault: Fault) -> None:
        """It comes to nothing."""

    @property
    def wire(self) -> Wire:
        """The open connection."""
        assert self._wire is not None
        return self._wire

    def hear(self, events: int) -> None:
        """The socket is readable: take what came, and think about it in ``go_on``."""
        wire = self._wire
        assert wire is not None
        wire.drained = False  # edge-triggered: each is told once
        if events & _ENDING:
            wire.ending = True
        if self._stage is _TALKING and not wire.buffer:
            try:
                self._heard(wire.receive())
            except Exception as error:  # noqa: BLE001 - whatever it is, it has a value, and no other call suffers
                self._break_off(error)

    def go_on(self, events: int) -> None:
        """The socket is ready for something."""
        wire = self._wire
        assert wire is not None
        try:
            if self._stage is _CONNECTING:
                if events & _GONE and (error := pending_error(wire.sock)) is not None:
                    raise error  # noqa: TRY301 - it gets its value where all others do
                self._connected()
                return
            if events & EPOLLOUT and wire.unsent:
                wire.flush()
            if events & READABLE:
                if self._stage is _HANDSHAKING:
                    self._go_on_shaking_hands()
                else:
                    self._listen()
        except Exception as error:  # noqa: BLE001 - as in hear
            self._break_off(error)

    def say(self) -> None:
        """Send what is to be said."""
        if self._wire is not None:
            try:
                self._wire.flush()
            except Exception as error:  # noqa: BLE001 - as in hear
                self._break_off(error)

    def open(self, place: Place) -> None:
        """Open a connection to ``place``."""
        if self.done:
            return
        transport = self.transcript.dial.transport
        self._stage = _CONNECTING
        self._connect_began_s = monotonic()
        try:
            wire = self._wire = Wire(transport, place.family)
        except OSError as error:
            self._fail(opening_fault(error, transport))
            return
        try:
            wire.connect(place.sockaddr)
            self._engine.watch(wire.fd, self)
            if transport is not _TCP:
                self._connected()
        except Exception as error:  # noqa: BLE001 - as in hear
            self._break_off(error)

    def _dial(self) -> None:
        dial = self.transcript.dial
        if dial.transport is _UNIX:
            self._engine.open_soon(self, Place(socket.AF_UNIX, dial.host, ""))
            return
        found = self._engine.resolver.addresses_of(dial.host, dial.port, self._resolved)
        if found is not None:
            self._reach(found)

    def _resolved(self, found: Found) -> None:
        """The resolver's late reply."""
        if self.done:
            return
        if not self.transcript.redials:
            self.transcript.resolve_ms = (monotonic() - self._began_s) * 1000
        self._reach(found)

    def _reach(self, found: Found) -> None:
        if isinstance(found, BaseException):
            self._fail(fault_of(found, self._stage))
            return
        place, transcript = found[0], self.transcript
        if len(found) > 1 and not transcript.redials:
            transcript.addresses = tuple(other.text for other in found)
        transcript.peer = place.text
        self._engine.open_soon(self, place)

    def _connected(self) -> None:
        transcript, dial = self.transcript, self.transcript.dial
        if transcript.connect_ms is None and (dial.transport is _TCP or dial.transport is _UNIX):
            transcript.connect_ms = (monotonic() - self._connect_began_s) * 1000
        if dial.tls is not None:
            self._begin_tls(StartTls(dial.tls, dial.alpn))
        else:
            self._talk()

    def _redial(self, dial: Dial) -> None:
        self._hang_up()
        self.transcript.redials += 1
        self.transcript.dial = dial
        self._stage = Stage.RESOLVING
        self._keep("note", f"connecting to {dial.host}:{dial.port}".encode())
        self._dial()

    def _begin_tls(self, step: StartTls) -> None:
        self._stage = _HANDSHAKING
        self._tls_began_s = monotonic()
        self.transcript.tls_verified = step.settings is not None and step.settings.verify
        try:
            self.wire.start_tls(step.settings, step.alpn, self.transcript.dial.host, self._resumed)
        except (OSError, ValueError) as error:  # our own files: nothing is known of the peer
            self._fail(settings_fault(error))
            return
        self._handshake()
        if not self.done and self._stage is _HANDSHAKING:
            self._go_on_shaking_hands()  # what came along with the connection tells only once

    def _handshake(self) -> None:
        wire, transcript = self.wire, self.transcript
        channel = wire.channel
        assert channel is not None
        try:
            finished = wire.handshake()
        except OSError as error:
            transcript.tls["first_bytes"] = channel.first_bytes
            self._keep("peer", channel.first_bytes)
            self._fail(handshake_fault(error, channel.first_bytes, ended=wire.ended))
            return
        if finished:
            transcript.tls_ms = (monotonic() - self._tls_began_s) * 1000
            transcript.tls = channel.facts()
            self._keep("note", f"TLS established: {transcript.tls['tls_version']}".encode())
            self._talk()

    def _go_on_shaking_hands(self) -> None:
        wire = self.wire
        while not (wire.drained or self.done or wire.established):
            wire.receive()
            if wire.reset:
                raise ConnectionResetError(errno.ECONNRESET, "reset")
            self._handshake()

    def _keep(self, who: str, data: bytes) -> None:
        self.transcript.keep(who, data, (monotonic() - self._began_s) * 1000)

    def _break_off(self, error: Exception) -> None:
        """The connection failed under us, or we did."""
        if not self.done:
            self._fail(fault_of(error, self._stage, self.transcript.dial.transport))

    def _hang_up(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            self._engine.close_soon(wire, reset=not self._polite)

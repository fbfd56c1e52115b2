"""An HTTP server that a conversation asks one thing after another, perhaps through a proxy."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from trueup.conversation import Ask, Closed, Dial, Quiet, Redial, StartTls, Step, TooLong, Transport
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.target import Login, TlsSettings
from trueup.probes.http_message import Response, request

ALPN: Final = ("http/1.1",)
PORTS: Final = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Scheme, host and port (RFC 6454); ``socket_path`` instead of a network for a unix socket."""

    scheme: str
    host: str
    port: int
    socket_path: str | None = None

    @property
    def name(self) -> str:
        """As the Host header has it."""
        host, port = self.host, self.port
        if ":" in host:
            host = f"[{host}]"
        elif not host.isascii():
            host = _in_ascii(host)
        return host if port == 0 or port == PORTS[self.scheme] else f"{host}:{port}"

    def dial(self, tls: TlsSettings | None) -> Dial:
        """How to connect to it."""
        if self.socket_path is not None:
            return Dial(self.socket_path, transport=Transport.UNIX)
        settings = (tls or TlsSettings()) if self.scheme == "https" else None
        return Dial(self.host, self.port, tls=settings, alpn=ALPN if settings else ())

    def trusts(self, other: "Origin") -> bool:
        """Whether what is meant for this one may be sent to the other: the same, or upgraded to TLS."""
        if self == other:
            return True
        upgraded = (self.scheme, self.port, other.scheme, other.port) == ("http", 80, "https", 443)
        return upgraded and self.host.lower() == other.host.lower()


def _in_ascii(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host.encode("ascii", "replace").decode("ascii")


class Proxy(NamedTuple):
    """A forward proxy, and what it may be told when it asks who we are."""

    origin: Origin
    login: Login | None = None


class ProxyRefused(Exception):  # noqa: N818 - it is how a connection through a proxy ends
    """The proxy makes no connection for us; ``response`` is what it said instead."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.line)
        self.response = response


@dataclass(slots=True, eq=False, repr=False)
class Peer:
    """The server at the other end of the conversation. ``open``: the connection can take a request.

    With a ``proxy`` the connection is to that. Its login is sent once it has asked for one.
    """

    origin: Origin
    tls: TlsSettings | None = None
    open: bool = True
    used: bool = False
    proxy: Proxy | None = None
    proxy_asks: bool = False

    def move(self, origin: Origin) -> Generator[Step, bytes, None]:
        """Connect to another one. Our client certificate is shown to nobody whom it isn't meant for."""
        if self.tls is not None and origin.host.lower() != self.origin.host.lower():
            self.tls = replace(self.tls, cert=None, key=None, server_name=None)
        self.origin = origin
        yield from self._redial()

    def begin(self) -> Generator[Step, bytes, None]:
        """What a fresh connection needs before its first request, beyond what its dial has done.

        Raises:
            ProxyRefused: the proxy doesn't connect us.
            Garbled: it isn't one.
        """
        if self.origin.scheme != "https":
            return
        if self.proxy is not None:
            yield from self._tunnel(self.proxy)
        elif self.origin.socket_path is not None:
            yield from self.secure()

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        secret: bool = False,
        keep: bool = False,
    ) -> Generator[Step, bytes, Response]:
        """Ask for something, over a fresh connection where the old one was closed.

        Raises:
            Garbled: it doesn't speak HTTP.
            Closed, Quiet: nothing came of a response.
        """
        if not self.open:
            yield from self._redial()
        place, given, hidden = target, headers, secret
        if self.proxy is not None and self.origin.scheme == "http":
            place = f"http://{self.origin.name}{target}"  # RFC 9112, 3.2.2
            given, hidden = {**self._proxy_login(), **(headers or {})}, secret or self.proxy_asks
        data = request(method, place, self.origin.name, given, body, keep=keep)
        response, reused = Response(method), self.used
        try:
            yield Ask(data, response, secret=hidden)
        except Closed as closed:
            if response.status:
                response.break_off(Cause.ERROR_ANSWER, "is cut off by a reset" if closed.reset else "ends")
            elif reused and not closed.received:  # it didn't keep it open for us (RFC 9112, 9.3.1)
                self.open = False
                return (yield from self.ask(method, target, headers, body, secret=secret, keep=keep))
            else:
                raise
        except Quiet:
            if not response.status:
                raise
            response.break_off(Cause.SILENT, "stops")
        except TooLong:
            response.cut, response.keeps = True, False
        self.used = True
        self.open = keep and response.keeps
        if response.status == 407 and self.proxy is not None and self.proxy.login and not self.proxy_asks:
            self.proxy_asks = True
            return (yield from self.ask(method, target, headers, body, secret=secret, keep=keep))
        return response

    def secure(self) -> Generator[Step, bytes, None]:
        """Begin TLS on the connection as it is: that of a unix socket, of a tunnel, or by ``tls:``."""
        settings = self.tls or TlsSettings()
        if (self.origin.socket_path or self.proxy) and settings.server_name is None:
            settings = replace(settings, server_name=self.origin.host)
        yield StartTls(settings, ALPN)

    def _redial(self) -> Generator[Step, bytes, None]:
        yield Redial(self.origin.dial(self.tls) if self.proxy is None else self.proxy.origin.dial(None))
        self.open, self.used = True, False
        yield from self.begin()

    def _tunnel(self, proxy: Proxy) -> Generator[Step, bytes, None]:
        """Have the proxy connect us, then speak TLS through it (RFC 9110, 9.3.6)."""
        host = f"[{self.origin.host}]" if ":" in self.origin.host else self.origin.host
        place = f"{host}:{self.origin.port}"
        while True:
            login = self._proxy_login()
            response = Response("CONNECT")
            yield Ask(request("CONNECT", place, place, login, keep=True), response, secret=bool(login))
            if response.broken is None and 200 <= response.status < 300:
                yield from self.secure()
                return
            if response.status != 407 or proxy.login is None or self.proxy_asks:
                raise ProxyRefused(response)
            self.proxy_asks = True
            yield Redial(proxy.origin.dial(None))

    def _proxy_login(self) -> dict[str, str]:
        if self.proxy is None or self.proxy.login is None or not self.proxy_asks:
            return {}
        return {"Proxy-Authorization": basic(self.proxy.login)["Authorization"]}


def basic(login: Login) -> dict[str, str]:
    """The header of HTTP's own login (RFC 7617)."""
    import base64

    word = f"{login.user or ''}:{login.password.reveal()}".encode()
    return {"Authorization": f"Basic {base64.b64encode(word).decode('ascii')}"}


def origin_of(address: Address, port: int | None = None, *, tls: bool = False) -> Origin:
    """Where an address leads, in terms of HTTP; ``port`` is its protocol's own."""
    scheme = "https" if tls or address.scheme == "https" else "http"
    if address.socket_path is not None:
        return Origin(scheme, "localhost", 0, address.socket_path)
    return Origin(scheme, address.host, address.port or port or PORTS[scheme])

"""How the web side is served: at which address, with which certificate."""

import contextlib
import logging
import socket
import ssl
from collections.abc import Iterator
from ipaddress import ip_address

import uvicorn
from starlette.applications import Starlette

from trueup.app.lobby import lobby, visitors_max
from trueup.domain.monitor_settings import Certificate, Listen

_LOG = logging.getLogger("trueup")


def is_own(listen: Listen, host_header: str) -> bool:
    """Whether a Host header names this loopback address: what a rebound name of another site can't.

    The port may be left out.
    """
    port = f":{listen.port}"
    names = {"localhost", "127.0.0.1", "[::1]", str(listen).removesuffix(port)}
    named = host_header.lower().removesuffix(port)
    return _is_loopback(listen.host) and named in names


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def bound(listen: Listen) -> socket.socket:
    """A socket at this address, which whoever asked closes.

    Raises:
        OSError: the address is taken or can't be listened on.
    """
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((listen.host, listen.port))
    except OSError:
        sock.close()
        raise
    return sock


def settings(application: Starlette, tls: Certificate | None) -> uvicorn.Config:
    """How the web side is served; ``tls`` is its certificate, where it shows one."""
    return uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whom to believe is the doorman's matter
        ssl_certfile=tls.cert if tls is not None else None,
        ssl_keyfile=tls.key if tls is not None else None,
        http=lobby(visitors_max()),
        lifespan="off",
        timeout_graceful_shutdown=2,  # an open stream of events would keep it for ever
    )


class WebServer(uvicorn.Server):
    """Uvicorn without its own signal handlers: stopping is the whole process's matter."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class CertificateUnusable(Exception):  # noqa: N818 - it says what is wrong
    """The certificate that the monitor is to show, or its key."""


def try_certificate(tls: Certificate) -> None:
    """Raises:
    CertificateUnusable: it or its key can't be read, or they don't belong together.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.cert, tls.key)
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        words = f"monitor.tls: {tls.cert} and {tls.key} can't be used: {why}; name a certificate and its key"
        raise CertificateUnusable(words) from None


def renew(tls: Certificate | None, server: uvicorn.Config) -> None:
    """Show what the files have now from the next connection on; what can't be used changes nothing."""
    context = getattr(server, "ssl", None)  # which is there once it serves
    if tls is None or context is None:
        return
    try:
        try_certificate(tls)
    except CertificateUnusable as error:
        _LOG.error("%s; the one before is shown on", error)
        return
    context.load_cert_chain(tls.cert, tls.key)

"""TLS over memory: one shared context for each trust setting, and what a handshake shows."""

import asyncio
import contextlib
import os
import ssl
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from trueup.domain.target import TlsSettings

RECORD_BYTES_MAX: Final = 16_384
FIRST_BYTES_KEPT: Final = 512
_AUTHORITIES: Final = ssl.get_default_verify_paths()
Written = tuple[int, ...]
"""What tells one writing of a file from another."""


def context_for(settings: TlsSettings | None, alpn: tuple[str, ...]) -> ssl.SSLContext:
    """The context for ``settings``; None is TLS offered in passing, which isn't verified.

    Building one with the system's authorities costs 20 ms, so each is built once, and again when a file
    that it was read from is replaced: certificates are renewed under a running monitor.

    Raises:
        OSError: a file named in the settings can't be read.
        ssl.SSLError: it holds no certificate or key.
    """
    return _built(settings, alpn, files_of(settings))


def files_of(settings: TlsSettings | None) -> tuple[Written, ...]:
    """What is behind ``settings`` now: it's other where a file was written anew or replaced."""
    if settings is None:
        return ()
    named = [file for file in (settings.ca, settings.cert, settings.key) if file is not None]
    if settings.verify and settings.ca is None:
        named.append(os.environ.get(_AUTHORITIES.openssl_cafile_env, _AUTHORITIES.openssl_cafile))
    return tuple(map(_written, named))


def _written(file: str) -> Written:
    try:
        found = os.stat(file)  # noqa: PTH116 - with each conversation: a Path costs as much as the question
    except (OSError, ValueError):
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev


@lru_cache(maxsize=256)
def _built(
    settings: TlsSettings | None, alpn: tuple[str, ...], _files: tuple[Written, ...]
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = (
        ssl.TLSVersion.TLSv1_2
    )  # as clients do; what came before is deprecated (RFC 8996)
    if settings is None or not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif settings.ca is not None:
        with _reading(settings.ca):
            context.load_verify_locations(settings.ca)
    else:
        context.load_default_certs()
    if settings is not None and settings.cert is not None:
        with _reading(*filter(None, (settings.cert, settings.key))):
            context.load_cert_chain(settings.cert, settings.key)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


@contextlib.contextmanager
def _reading(*files: str) -> Iterator[None]:
    """Errors name the files, which OpenSSL's don't."""
    named = " or ".join(files)
    try:
        yield
    except ssl.SSLError as error:
        raise ssl.SSLError(error.errno, f"{error.strerror or error}: {named}") from None
    except OSError as error:
        raise OSError(error.errno, error.strerror, named) from None


async def prepare(settings: TlsSettings | None, alpn: tuple[str, ...]) -> None:
    """Build the context off the loop, so that others don't wait for it. What fails is said when it's used."""
    with contextlib.suppress(OSError, ValueError):
        await asyncio.to_thread(context_for, settings, alpn)


class TlsChannel:
    """A client's TLS session between bytes of the wire and bytes of the conversation."""

    __slots__ = ("_incoming", "_object", "_outgoing", "_verified", "ended", "established", "first_bytes")

    def __init__(
        self,
        settings: TlsSettings | None,
        alpn: tuple[str, ...],
        host: str,
        resumed: "TlsChannel | None" = None,
    ) -> None:
        """``resumed`` is one of the same settings, whose session is gone on with.

        Raises: OSError or ssl.SSLError as ``context_for`` does.
        """
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        name = (settings.server_name if settings else None) or host
        context = context_for(settings, alpn)
        twin = resumed._object if resumed is not None else None  # noqa: SLF001 - its own kind
        if twin is not None and twin.context is not context:
            twin = None  # a file was replaced since: its session belongs to another trust
        self._object: ssl.SSLObject = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_hostname=name,
            session=twin.session if twin is not None else None,
        )
        self._verified = settings is not None and settings.verify
        self.established = False
        self.ended = False
        """The peer has said that nothing more comes (close_notify), and may wait for us to say so too."""

        self.first_bytes = b""

    def handshake(self) -> bool:
        """Go on with the handshake; True when it's done.

        Raises:
            ssl.SSLError: it failed.
        """
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.established = True
        return True

    def feed(self, data: bytes) -> None:
        """Take bytes of the wire."""
        if len(self.first_bytes) < FIRST_BYTES_KEPT:
            self.first_bytes += data[:FIRST_BYTES_KEPT]
        self._incoming.write(data)

    def end(self) -> None:
        """The wire has ended."""
        self._incoming.write_eof()

    def read(self) -> bytes:
        """Plain bytes that can be had now; empty when there are none.

        Raises:
            ssl.SSLError: the session failed (a fatal alert).
        """
        parts = []
        try:
            while part := self._object.read(RECORD_BYTES_MAX):
                parts.append(part)
            self.ended = True
        except ssl.SSLZeroReturnError:
            self.ended = True
        except (ssl.SSLWantReadError, ssl.SSLEOFError):
            pass  # a peer that ends without close_notify has still ended; the reads say what was missing
        return b"".join(parts)

    def write(self, data: bytes) -> None:
        """Encrypt ``data``; ``pending`` then has the bytes for the wire."""
        self._object.write(data)

    def say_no_more(self) -> None:
        """End our side of the session (close_notify); ``pending`` then has it for the wire."""
        with contextlib.suppress(ssl.SSLError):  # the peer's own end is still to come, or won't
            self._object.unwrap()

    def pending(self) -> bytes:
        """Bytes that the wire must be given."""
        return self._outgoing.read()

    def facts(self) -> dict[str, Any]:
        """Protocol, cipher, and of the certificate its end if it was verified, else itself (DER)."""
        cipher = self._object.cipher()
        facts: dict[str, Any] = {
            "tls_version": self._object.version(),
            "cipher": cipher[0] if cipher else None,
        }
        if protocol := self._object.selected_alpn_protocol():
            facts["alpn"] = protocol
        if self._verified:
            ends = (self._object.getpeercert() or {}).get("notAfter")
            facts["expires_at_s"] = ssl.cert_time_to_seconds(ends) if isinstance(ends, str) else None
        else:
            facts["certificate"] = self._object.getpeercert(binary_form=True)
        return facts

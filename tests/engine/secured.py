"""TLS for the peers on loopback."""

import ssl

from tests.beds.certificates import Authority
from trueup.domain.target import TlsSettings


def server_context(authority: Authority, *alpn: str) -> ssl.SSLContext:
    credentials = authority.valid()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(credentials.certificate, credentials.key)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def trusting(authority: Authority, **more: object) -> TlsSettings:
    return TlsSettings(ca=str(authority.file), **more)  # type: ignore[arg-type]  # fields by name

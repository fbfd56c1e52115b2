"""Contexts are built once for each trust setting, and say what they must."""

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest

from tests.beds.certificates import Authority
from trueup.domain.target import TlsSettings
from trueup.engine import tls
from trueup.engine.tls import TlsChannel, context_for, prepare


@pytest.mark.parametrize(
    ("settings", "verified"),
    [(None, False), (TlsSettings(verify=False), False), (TlsSettings(), True)],
)
def test_verification(settings: TlsSettings | None, verified: bool) -> None:
    context = context_for(settings, ())
    assert context.check_hostname is verified
    assert context.verify_mode is (ssl.CERT_REQUIRED if verified else ssl.CERT_NONE)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_one_context_serves_all_of_one_setting() -> None:
    assert context_for(TlsSettings(), ()) is context_for(TlsSettings(), ())
    assert context_for(TlsSettings(), ()) is not context_for(TlsSettings(), ("h2",))
    assert context_for(TlsSettings(expires_within_s=1.0), ()).verify_mode is ssl.CERT_REQUIRED


def test_a_private_authority_is_the_only_one(authority: Authority) -> None:
    context = context_for(TlsSettings(ca=str(authority.file)), ())
    assert len(context.get_ca_certs()) == 1


def test_files_that_cant_be_read_are_said_when_they_are_used(tmp_path: Path) -> None:
    settings = TlsSettings(ca=str(tmp_path / "none.pem"))
    asyncio.run(prepare(settings, ()))
    with pytest.raises(FileNotFoundError, match=r"none\.pem"):
        context_for(settings, ())
    (tmp_path / "empty.pem").write_text("nothing")
    for settings in (
        TlsSettings(ca=str(tmp_path / "empty.pem")),
        TlsSettings(cert=str(tmp_path / "empty.pem"), key=str(tmp_path / "k")),
    ):
        with pytest.raises(ssl.SSLError, match=r"empty\.pem"):
            context_for(settings, ())


def test_what_was_prepared_is_used(authority: Authority) -> None:
    settings = TlsSettings(ca=str(authority.file), server_name="prepared.example")
    before = tls._built.cache_info().misses
    asyncio.run(prepare(settings, ()))
    context_for(settings, ())
    assert tls._built.cache_info().misses == before + 1


def test_a_file_that_is_replaced_is_read_anew(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path)
    ca, certificate = tmp_path / "ca.pem", tmp_path / "client.pem"
    ca.write_bytes(authority.file.read_bytes())
    certificate.write_bytes(authority.valid().both.read_bytes())
    settings = TlsSettings(ca=str(ca), cert=str(certificate))
    first = context_for(settings, ())
    assert context_for(settings, ()) is first
    other.file.replace(ca)
    second = context_for(settings, ())
    assert second.get_ca_certs(binary_form=True) != first.get_ca_certs(binary_form=True)
    certificate.write_bytes(other.valid().both.read_bytes())
    assert context_for(settings, ()) is not second


def test_the_authorities_of_the_system_may_be_replaced_too(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(authority.file.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    first = context_for(TlsSettings(), ())
    assert len(first.get_ca_certs()) == 1
    bundle.write_bytes(authority.file.read_bytes() + Authority(tmp_path).file.read_bytes())
    assert len(context_for(TlsSettings(), ()).get_ca_certs()) == 2


def test_a_session_of_another_trust_isnt_gone_on_with(authority: Authority, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.file.read_bytes())
    settings = TlsSettings(ca=str(ca))
    before = shaken(settings, authority)
    assert before._object.session is not None
    ca.write_bytes(authority.file.read_bytes() * 2)
    again = TlsChannel(settings, (), "localhost", before)
    assert not again.handshake()
    assert again.pending()


def shaken(settings: TlsSettings, authority: Authority) -> TlsChannel:
    """After its handshake with a server that is in memory too."""
    credentials = authority.valid()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # whose session comes with the handshake
    context.load_cert_chain(credentials.certificate, credentials.key)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    channel = TlsChannel(settings, (), "localhost")
    while not channel.handshake():
        incoming.write(channel.pending())
        with contextlib.suppress(ssl.SSLWantReadError):
            server.do_handshake()
        channel.feed(outgoing.read())
    return channel


def test_a_channel_begins_with_a_hello_for_the_name() -> None:
    channel = TlsChannel(TlsSettings(), (), "shop.example")
    assert not channel.handshake()
    hello = channel.pending()
    assert hello[:1] == b"\x16"
    assert b"shop.example" in hello
    assert channel.pending() == b""


def test_what_the_peer_began_with_is_kept_but_not_more_than_a_bit() -> None:
    channel = TlsChannel(TlsSettings(), (), "shop.example")
    for _ in range(100):
        channel.feed(b"HTTP/1.1 400 Bad Request\r\n")
    assert channel.first_bytes.startswith(b"HTTP/1.1")
    assert len(channel.first_bytes) < 1024

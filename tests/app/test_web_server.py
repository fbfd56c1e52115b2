"""Whose Host header names the monitor's own loopback address, and which certificate it shows."""

import asyncio
import shutil
import ssl
from pathlib import Path

import pytest
import uvicorn

from tests.beds.certificates import Authority
from trueup.app.web_server import is_own, renew
from trueup.domain.monitor_settings import Certificate, Listen


@pytest.mark.parametrize(
    ("listens", "named"),
    [
        ("127.0.0.1", "127.0.0.1:8642"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "LOCALHOST:8642"),
        ("127.0.0.1", "[::1]:8642"),
        ("::1", "[::1]"),
        ("localhost", "localhost"),
        ("127.0.0.2", "127.0.0.2:8642"),
    ],
)
def test_a_loopback_address_that_is_named_as_such(listens: str, named: str) -> None:
    assert is_own(Listen(listens), named)


@pytest.mark.parametrize(
    ("listens", "named"),
    [
        ("127.0.0.1", ""),
        ("127.0.0.1", "shop.example"),
        ("127.0.0.1", "127.0.0.1.shop.example:8642"),
        ("127.0.0.1", "127.0.0.1:8642, shop.example"),
        ("127.0.0.1", "shop.example@127.0.0.1"),
        ("127.0.0.1", "127.0.0.2:8642"),
        ("127.0.0.1", "127.0.0.1:9999"),
        ("0.0.0.0", "127.0.0.1:8642"),
        ("::", "[::1]:8642"),
        ("10.0.0.5", "10.0.0.5:8642"),
    ],
)
def test_any_other_name_and_any_other_place(listens: str, named: str) -> None:
    assert not is_own(Listen(listens), named)


async def shown_by(context: ssl.SSLContext) -> bytes:
    """The certificate that whoever connects now is shown."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=trusting)
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.transport.abort()
    assert isinstance(found, bytes)
    return found


def test_a_renewed_certificate_is_shown_and_one_that_is_none_changes_nothing(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    files = Certificate(tmp_path / "cert.pem", tmp_path / "key.pem")

    def put(name: str) -> None:
        issued = authority.valid(name)
        shutil.copy(issued.certificate, files.cert)
        shutil.copy(issued.key, files.key)

    async def app(_scope: object, _receive: object, _send: object) -> None: ...

    put("localhost")
    config = uvicorn.Config(app, ssl_certfile=files.cert, ssl_keyfile=files.key)
    renew(files, config)  # before it serves there's nothing to renew
    config.load()
    assert config.ssl is not None
    first = asyncio.run(shown_by(config.ssl))
    put("localhost")
    renew(files, config)
    second = asyncio.run(shown_by(config.ssl))
    assert second != first
    files.cert.write_text("no certificate")
    renew(files, config)
    assert asyncio.run(shown_by(config.ssl)) == second
    renew(None, config)

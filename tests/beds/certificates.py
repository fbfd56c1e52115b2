"""A certificate authority of the tests' own, and certificates with every fault that a check must tell apart.

authority = Authority(folder)
with nginx("return 200 ok;", tls=authority.expired()) as server: ...
"""

import datetime as dt
import itertools
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.beds.server import Server

DAY = dt.timedelta(days=1)
NAMES = ("localhost", "127.0.0.1", "::1")
"""What a certificate is good for unless a test says otherwise."""


@dataclass(frozen=True, slots=True)
class Credentials:
    certificate: Path
    """PEM: the server's own, then its intermediates where it is meant to send them."""
    key: Path
    both: Path
    """Certificates and key in one file, as HAProxy and stunnel like it."""

    def copied_to(self, server: Server) -> "Credentials":
        """Readable by the server's own user, in its folder."""
        certificate, key, both = (
            server.write(path.name, path.read_bytes()) for path in (self.certificate, self.key, self.both)
        )
        return Credentials(certificate, key, both)


@dataclass(frozen=True, slots=True)
class _Issuer:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Authority:
    """A root and an intermediate under it, made when first used. Files stay in the folder given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._root = _make_issuer("trueup test root", None)
        self._intermediate = _make_issuer("trueup test intermediate", self._root)
        self.file = folder / "authority.pem"
        """The root, for `tls: {ca: FILE}` and SSL_CERT_FILE."""
        self.file.write_bytes(_pem(self._root.certificate))

    def context(self) -> ssl.SSLContext:
        """A client's that trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.file))

    def valid(self, *names: str) -> Credentials:
        return self._issue(names or NAMES)

    def expired(self) -> Credentials:
        return self._issue(NAMES, valid_from=-10 * DAY, valid_until=-2 * DAY)

    def not_yet_valid(self) -> Credentials:
        return self._issue(NAMES, valid_from=2 * DAY, valid_until=30 * DAY)

    def expiring(self, days: float = 3) -> Credentials:
        return self._issue(NAMES, valid_until=days * DAY)

    def wrong_name(self) -> Credentials:
        return self._issue(("elsewhere.example",))

    def self_signed(self) -> Credentials:
        key = ec.generate_private_key(ec.SECP256R1())
        return self._write([_sign(NAMES, key, None, -DAY, 90 * DAY)], key)

    def missing_intermediate(self) -> Credentials:
        """Signed by the intermediate, which the server keeps to itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._write([_sign(NAMES, key, self._intermediate, -DAY, 90 * DAY)], key)

    def through_intermediate(self) -> Credentials:
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = _sign(NAMES, key, self._intermediate, -DAY, 90 * DAY)
        return self._write([leaf, self._intermediate.certificate], key)

    def expired_intermediate(self) -> Credentials:
        """Its own certificate is valid; that of its issuer, which it sends along, has ended."""
        issuer = _make_issuer("trueup test past intermediate", self._root, until=-DAY)
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = _sign(NAMES, key, issuer, -2 * DAY, 90 * DAY)
        return self._write([leaf, issuer.certificate], key)

    def client(self, name: str = "probe") -> Credentials:
        """For `tls: {cert: FILE, key: FILE}`."""
        return self._issue((name,))

    def _issue(
        self,
        names: Sequence[str],
        valid_from: dt.timedelta = -DAY,
        valid_until: dt.timedelta = 90 * DAY,
    ) -> Credentials:
        key = ec.generate_private_key(ec.SECP256R1())
        return self._write([_sign(names, key, self._root, valid_from, valid_until)], key)

    def _write(self, chain: Sequence[x509.Certificate], key: ec.EllipticCurvePrivateKey) -> Credentials:
        number = next(self._numbers)
        certificates = b"".join(_pem(certificate) for certificate in chain)
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        contents = {"certificate": certificates, "key": secret, "both": certificates + secret}
        paths = {kind: self._folder / f"{number}-{kind}.pem" for kind in contents}
        for kind, content in contents.items():
            paths[kind].touch(mode=0o600)
            paths[kind].write_bytes(content)
        return Credentials(**paths)


def _make_issuer(name: str, parent: _Issuer | None, until: dt.timedelta = 365 * DAY) -> _Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _called(name)
    builder = _unsigned(subject, parent, key, -30 * DAY, until).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = builder.add_extension(usage, critical=True)
    return _Issuer(builder.sign(parent.key if parent else key, hashes.SHA256()), key)


def _sign(
    names: Sequence[str],
    key: ec.EllipticCurvePrivateKey,
    issuer: _Issuer | None,
    valid_from: dt.timedelta,
    valid_until: dt.timedelta,
) -> x509.Certificate:
    """A certificate for servers and clients alike, for these names; without an issuer by its own key."""
    builder = _unsigned(_called(names[0]), issuer, key, valid_from, valid_until)
    for extension, critical in (
        (x509.SubjectAlternativeName([_general(name) for name in names]), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer.key if issuer else key, hashes.SHA256())


def _unsigned(
    subject: x509.Name,
    issuer: _Issuer | None,
    key: ec.EllipticCurvePrivateKey,
    valid_from: dt.timedelta,
    valid_until: dt.timedelta,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    signer = issuer.key if issuer else key
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + valid_from)
        .not_valid_after(now + valid_until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)

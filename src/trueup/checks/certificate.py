"""What a certificate says, for people."""

from datetime import UTC, datetime
from typing import Any, Final

from trueup.domain.clock import timestamp
from trueup.domain.printable import printable

NAMES_MAX: Final = 10


def expiry(expires_at_s: float | None, now: datetime) -> tuple[float | None, str | None]:
    """Seconds left and the moment itself, or None twice."""
    if expires_at_s is None:
        return None, None
    ends = datetime.fromtimestamp(expires_at_s, UTC)
    return (ends - now).total_seconds(), timestamp(ends)


def facts_of(der: bytes) -> dict[str, Any]:
    """Subject, issuer, names and validity of a certificate; empty where it can't be parsed."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        certificate = x509.load_der_x509_certificate(der)
        facts: dict[str, Any] = {
            "subject": printable(certificate.subject.rfc4514_string()),
            "issuer": printable(certificate.issuer.rfc4514_string()),
            "not_before": timestamp(certificate.not_valid_before_utc),
            "expires_at": timestamp(certificate.not_valid_after_utc),
        }
        names = _alternative_names(certificate)
        if not names:
            common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            names = [printable(str(one.value)) for one in common]
    except ValueError:  # a hostile certificate: it says nothing
        return {}
    facts["names"] = names[:NAMES_MAX]
    return facts


def _alternative_names(certificate: Any) -> list[str]:
    from cryptography import x509

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    names = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return [printable(str(name)) for name in [*names, *addresses]]

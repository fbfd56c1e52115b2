"""How one says that somebody else is at home."""

from trueup.probes.registry import SCHEMES, probe_for


def wanted_and_found(expected: str, found: str) -> tuple[str, str] | None:
    """What people call the service that was expected and the one that answers, by their schemes.

    None where one of them is no scheme. The two differ, were it by TLS alone.
    """
    if expected not in SCHEMES or found not in SCHEMES:
        return None
    if probe_for(expected) is not probe_for(found):
        return _named(expected), "something inside TLS" if found == "tls" else _named(found)
    plain = f"plain {probe_for(expected).title}"
    return (_named(expected), plain) if _has_tls(expected) else (plain, _named(found))


def _named(scheme: str) -> str:
    return probe_for(scheme).title + (" inside TLS" if _has_tls(scheme) and scheme != "tls" else "")


def _has_tls(scheme: str) -> bool:
    return probe_for(scheme).schemes[scheme].tls

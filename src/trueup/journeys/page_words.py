"""What Chromium's own errors, and a page's status, mean by our causes."""

import re
from typing import Final, NamedTuple

from trueup.domain.causes import Cause
from trueup.domain.states import Layer

_NET: Final = re.compile(r"net::ERR_([A-Z_0-9]+)")


class Trouble(NamedTuple):
    """Why an action came to nothing."""

    cause: Cause
    words: str
    layer: Layer = Layer.FUNCTION


NET_ERRORS: Final[dict[str, tuple[Cause, Layer]]] = {
    # Chromium's net/base/net_error_list.h.
    "CONNECTION_REFUSED": (Cause.REFUSED, Layer.PORT),
    "CONNECTION_TIMED_OUT": (Cause.NO_ANSWER, Layer.PORT),
    "ADDRESS_UNREACHABLE": (Cause.UNREACHABLE, Layer.PORT),
    "NAME_NOT_RESOLVED": (Cause.UNRESOLVED, Layer.PORT),
    "CONNECTION_CLOSED": (Cause.CLOSES, Layer.SERVICE),
    "CONNECTION_RESET": (Cause.CLOSES, Layer.SERVICE),
    "EMPTY_RESPONSE": (Cause.CLOSES, Layer.SERVICE),
    "TIMED_OUT": (Cause.SILENT, Layer.SERVICE),
    "INVALID_HTTP_RESPONSE": (Cause.WRONG_SERVICE, Layer.SERVICE),
    "TOO_MANY_REDIRECTS": (Cause.WRONG_ANSWER, Layer.SERVICE),
    "SSL_PROTOCOL_ERROR": (Cause.TLS_FAILED, Layer.TLS),
    "CERT_DATE_INVALID": (Cause.TLS_EXPIRED, Layer.TLS),
    "CERT_COMMON_NAME_INVALID": (Cause.TLS_NAME_MISMATCH, Layer.TLS),
    "CERT_AUTHORITY_INVALID": (Cause.TLS_UNTRUSTED, Layer.TLS),
}


def of_load_error(line: str) -> Trouble:
    """The meaning of the first line of an error of ``goto``."""
    match = _NET.search(line)
    if match is None:
        return Trouble(Cause.SILENT, "no page in time", Layer.SERVICE)
    name = match[1]
    words = f"Chromium says {name.replace('_', ' ').lower()}"
    if name in NET_ERRORS:
        cause, layer = NET_ERRORS[name]
        return Trouble(cause, words, layer)
    if name.startswith(("CERT_", "SSL_")):
        return Trouble(
            Cause.TLS_UNTRUSTED if name.startswith("CERT_") else Cause.TLS_FAILED, words, Layer.TLS
        )
    return Trouble(Cause.ERROR_ANSWER, words, Layer.SERVICE)


def of_status(status: int) -> Trouble:
    """The meaning of a status from 400 on, as in the HTTP probe's table."""
    words = f"HTTP {status}"
    if status in (401, 403, 407):
        return Trouble(Cause.LOGIN_REFUSED, words, Layer.SERVICE)
    if status in (502, 503, 504):
        return Trouble(Cause.BAD_UPSTREAM, words, Layer.SERVICE)
    if status == 429:
        return Trouble(Cause.OVERLOADED, words, Layer.SERVICE)
    return Trouble(Cause.ERROR_ANSWER if status >= 500 else Cause.WRONG_ANSWER, words, Layer.SERVICE)

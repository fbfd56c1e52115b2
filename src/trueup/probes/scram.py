"""The client's side of a SCRAM login (RFC 5802, RFC 7677), as PostgreSQL and MongoDB carry it.

``scramp`` knows the messages. It is imported with the first login that needs it: it costs 30 ms.
"""

import base64
import re
from typing import Any, Final

from trueup.conversation import Garbled
from trueup.domain.secret import Secret

NONCE_BYTES: Final = 18
ITERATIONS_MIN: Final = 4096
"""RFC 7677, 4. A server that asks for less is one that ``scramp`` doesn't log in to."""

ITERATIONS_MAX: Final = 200_000
"""The server names the count and we pay for it: this many take 0.1 s, in which nobody else is looked at.
PostgreSQL and MongoDB ask for 4096 to 15000."""


class ScramError(Exception):
    """A limit of ours: the login can't be gone on with, and nothing is known of the peer."""


class ForgedError(Exception):
    """The peer took our proof and has none of its own: it doesn't know the password's key."""


class Scram:
    """One login: ``first``, ``final`` and ``verify`` in this order.

    ``mechanism`` is ``SCRAM-SHA-256`` or ``SCRAM-SHA-1``; channels are never bound.
    """

    def __init__(self, mechanism: str, user: str, password: Secret, nonce: bytes) -> None:
        """Raises: ScramError where user or password can't be prepared (RFC 4013)."""
        import scramp  # type: ignore[import-untyped]  # it ships no types

        self._failure: Any = scramp.ScramException
        word = base64.b64encode(nonce).decode()
        try:
            self._client = scramp.ScramClient([mechanism], user, password.reveal(), c_nonce=word)
        except self._failure:
            raise ScramError("the user or password holds characters that SCRAM can't carry") from None

    def first(self) -> bytes:
        """The client's first message."""
        return str(self._client.get_client_first()).encode()

    def final(self, challenge: bytes) -> bytes:
        """The proof, in answer to the server's first message.

        Raises:
            Garbled: it isn't one.
            ScramError: it asks for more or fewer iterations than we do.
        """
        asked = re.search(rb",i=([0-9]{1,12})(?:,|$)", challenge)
        if asked is not None and not ITERATIONS_MIN <= int(asked[1]) <= ITERATIONS_MAX:
            raise ScramError(
                f"the server asks for {int(asked[1])} iterations of SCRAM; "
                f"{ITERATIONS_MIN} to {ITERATIONS_MAX} are done"
            )
        try:
            self._client.set_server_first(challenge.decode())
            return str(self._client.get_client_final()).encode()
        except (self._failure, UnicodeDecodeError):
            raise Garbled(challenge) from None

    def verify(self, signature: bytes) -> None:
        """Hold the server's last message against what only one who knows the password could say.

        Raises:
            ForgedError: it's another.
        """
        try:
            self._client.set_server_final(signature.decode())
        except (self._failure, UnicodeDecodeError):
            raise ForgedError from None

"""The way from an agent to its monitor: it asks, and is told nothing but whether it was taken."""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from trueup.app.agent_key import public_half
from trueup.app.report_signature import Envelope
from trueup.domain.printable import printable

TIMEOUT_S: Final = 10.0
_ANSWER_BYTES_MAX: Final = 64 * 1024


class Away(Exception):  # noqa: N818 - it says where the monitor is
    """The monitor can't be reached, or can't take anything now: try again. ``after_s``: not sooner."""

    def __init__(self, why: str, after_s: float = 0.0) -> None:
        super().__init__(why)
        self.after_s = after_s


class Refused(Exception):  # noqa: N818 - it says what the monitor did
    """The monitor doesn't take it, and won't if it's sent again as it is."""

    def __init__(self, status: int, why: str, sequence: int | None) -> None:
        super().__init__(f"{status}: {why}")
        self.status = status
        self.sequence = sequence
        """The last number that it took, where it's too low that is the matter."""


@dataclass(slots=True)
class Link:
    """``to`` is the monitor's URL. ``send`` and ``enrol`` wait: call them in a thread, one at a time."""

    to: str
    host: str
    sequence: int = 0

    def enrol(self, token: str, key: Ed25519PrivateKey) -> None:
        """Exchange the token for the right to report with ``key``.

        Raises:
            Away: try again.
            Refused: the token isn't good for this host.
        """
        body = json.dumps({"public_key": public_half(key)}).encode()
        self._post("enrol", body, {"Authorization": f"Bearer {token}"})

    def send(self, key: Ed25519PrivateKey, body: bytes) -> None:
        """Send a report, compressed as gzip.

        Raises:
            Away: try again.
            Refused: it isn't taken.
        """
        now_ms = time.time_ns() // 1_000_000
        self.sequence = max(self.sequence + 1, now_ms)
        signed = Envelope(self.sequence, now_ms).sign(key, self.host, body)
        self._post("report", body, {**signed.headers(), "Content-Encoding": "gzip"})

    def _post(self, what: str, body: bytes, headers: Mapping[str, str]) -> None:
        parts = urlsplit(self.to)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        path = f"{parts.path.rstrip('/')}/api/v1/agents/{quote(self.host, safe='')}/{what}"
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            said = answer.read(_ANSWER_BYTES_MAX)
        except (OSError, http.client.HTTPException) as error:
            raise Away(f"{self.to} can't be reached: {type(error).__name__}: {error}") from error
        finally:
            connection.close()
        if answer.status != 200:
            raise _problem(answer.status, said, answer.headers.get("Retry-After", ""))


def _problem(status: int, said: bytes, retry_after: str) -> Away | Refused:
    try:
        answer: Any = json.loads(said)
    except ValueError:
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    why = printable(
        f"{answer.get('error', 'it answers otherwise than trueup')}; {answer.get('hint', '')}", 300
    )
    if status in (408, 425, 429) or status >= 500:
        return Away(f"it answers {status}: {why}", float(retry_after) if retry_after.isdecimal() else 0.0)
    sequence = answer.get("sequence")
    return Refused(status, why, sequence if isinstance(sequence, int) else None)

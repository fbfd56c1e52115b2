"""Decides which agents are heard: who may speak for which host, with what, once, and in time."""

import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from trueup.app.report_signature import Envelope
from trueup.domain.clock import Clock
from trueup.domain.printable import printable
from trueup.host.agent_report import AgentReport, agent_report_from
from trueup.host.report_json import MalformedReport
from trueup.store.agents import Agents, Enrolled
from trueup.store.failure import StoreFailed
from trueup.store.tokens import Token, Tokens
from trueup.web.refusal import Refusal

WINDOW: Final = timedelta(minutes=5)
"""So far may an agent's clock be from ours."""
INFLATED_BYTES_MAX: Final = 32 * 2**20
_KEY: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MAKE_ONE: Final = "make one on the monitor: trueup token create --scope agent:{host}"


@dataclass(frozen=True, slots=True)
class Told:
    """A report that was found good. ``sent_at`` is by the agent's clock, ``received_at`` by ours."""

    host: str
    told: AgentReport
    sent_at: datetime
    received_at: datetime


class Desk:
    """Uses the stores from any thread; ``taken`` is called on the loop with each good report."""

    def __init__(self, tokens: Tokens, agents: Agents, clock: Clock, taken: Callable[[Told], None]) -> None:
        self._tokens = tokens
        self._agents = agents
        self._clock = clock
        self._taken = taken

    def admit(self, host: str, headers: Mapping[str, str]) -> None:
        with _readable():
            self._speaker(host, headers)

    def enrol(self, host: str, headers: Mapping[str, str], body: bytes) -> None:
        with _readable():
            token = self._token(host, headers, used=True)
            if token is None:
                raise Refusal(401, "enrolling needs a token", _MAKE_ONE.format(host=host))
            key = _public_key(body)
            if self._agents.enrol(token, key, self._clock.now()):
                return
            agent = self._agents.find(host)
            # Asked again: the answer to the first time may have been lost.
            if agent is None or (agent.token_id, agent.public_key) != (token.id, key):
                raise Refusal(401, "the token was used before", _MAKE_ONE.format(host=host))

    def check(self, host: str, headers: Mapping[str, str], body: bytes) -> Told:
        now = self._clock.now()
        with _readable():
            agent = self._speaker(host, headers)
            envelope = Envelope.from_headers(headers)
            if agent is None or envelope is None:
                _report(host, headers, body)  # what is wrong with it is said before who may send it
                raise Refusal(401, "a token enrols; reports are signed", f"run: trueup agent --host {host}")
            if not envelope.is_signed_by(agent.public_key, host, body):
                raise Refusal(401, "the signature isn't this host's agent's", _MAKE_ONE.format(host=host))
            sent_at = _sent_at(envelope, now)
            if envelope.sequence <= agent.sequence:
                raise _replayed(agent.sequence)
            told = _report(host, headers, body)
            if not self._agents.advance(host, envelope.sequence):
                raise _replayed(envelope.sequence)
        return Told(host, told, sent_at, now)

    def take(self, checked: Told) -> None:
        self._taken(checked)

    # ---- who speaks --------------------------------------------------------------------------------------

    def _speaker(self, host: str, headers: Mapping[str, str]) -> Enrolled | None:
        """The enrolled agent of ``host`` that claims to speak; None for one that has only a token yet.

        Raises:
            Refusal: neither.
        """
        if "x-trueup-signature" in headers:
            agent = self._agents.find(host)
            if agent is None:
                raise Refusal(401, f"no agent of {printable(host)} has enrolled", _MAKE_ONE.format(host=host))
            return agent
        if self._token(host, headers) is None:
            raise Refusal(401, "a report is signed with the key of its agent", _MAKE_ONE.format(host=host))
        return None

    def _token(self, host: str, headers: Mapping[str, str], *, used: bool = False) -> Token | None:
        """The token sent along, good for ``host``; None where none is. ``used``: one that's used up will do.

        Raises:
            Refusal: it's unknown, used or revoked, or another host's.
        """
        kind, _, word = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not word:
            return None
        token = self._tokens.find(word.strip())
        if token is None or not (token.is_good or (used and token.revoked_at is None)):
            why = "unknown" if token is None else "revoked" if token.revoked_at else "used up"
            raise Refusal(401, f"the token is {why}", _MAKE_ONE.format(host=host))
        if token.host != host:
            raise Refusal(403, f"the token is for {token.scope}, not for this host", "report your own host")
        return token


def _public_key(body: bytes) -> bytes:
    try:
        said = json.loads(body)
        key = said["public_key"] if isinstance(said, dict) else None
    except (ValueError, KeyError, RecursionError):
        key = None
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise Refusal(400, "no public key", 'send {"public_key": "64 hexadecimal digits"}')
    return bytes.fromhex(key)


def _sent_at(envelope: Envelope, now: datetime) -> datetime:
    try:
        sent_at = datetime.fromtimestamp(envelope.sent_ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        raise Refusal(409, "sent at no time", "set the clock of the agent's machine") from None
    if abs(sent_at - now) > WINDOW:
        away_s = (sent_at - now).total_seconds()
        hint = f"its clock is {away_s:.0f} s from the monitor's: synchronise both"
        raise Refusal(409, f"not sent within {WINDOW.total_seconds():.0f} s of now", hint)
    return sent_at


def _replayed(last: int) -> Refusal:
    return Refusal(409, "this report, or a later one, was taken before", "number it higher", sequence=last)


def _report(host: str, headers: Mapping[str, str], body: bytes) -> AgentReport:
    """Raises:
    Refusal: too much, malformed, or of another host.
    """
    try:
        told = agent_report_from(_inflated(body) if headers.get("content-encoding") == "gzip" else body)
    except MalformedReport as error:
        raise Refusal(
            400, printable(str(error)), "the agent and the monitor may be of versions too far apart"
        ) from error
    if told.report.host != host:
        raise Refusal(403, f"the report is of {printable(told.report.host)}", "an agent reports its own host")
    return told


def _inflated(body: bytes) -> bytes:
    inflate = zlib.decompressobj(31)  # gzip alone
    try:
        found = inflate.decompress(body, INFLATED_BYTES_MAX)
    except zlib.error as error:
        raise Refusal(400, "not gzip", "send what Content-Encoding says") from error
    if inflate.unconsumed_tail or not inflate.eof:
        if len(found) >= INFLATED_BYTES_MAX:
            raise Refusal(413, f"more than {INFLATED_BYTES_MAX} bytes when inflated", "send less at once")
        raise Refusal(400, "gzip ends early", "send it whole")
    return found


@contextmanager
def _readable() -> Iterator[None]:
    """Raises:
    Refusal: the stores can't be used now.
    """
    try:
        yield
    except StoreFailed as error:
        raise Refusal(503, "the monitor can't use its data now", "send it again later") from error

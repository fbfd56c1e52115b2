"""Agents that have enrolled: whose reports are taken, and which was the last."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from trueup.domain.clock import timestamp
from trueup.store.database import Database
from trueup.store.tables import AGENT, TOKEN
from trueup.store.tokens import Token


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An agent: ``public_key`` is Ed25519's 32 bytes, ``sequence`` the number of its last report."""

    host: str
    public_key: bytes
    token_id: str
    enrolled_at: str
    sequence: int


class Agents:
    """Used from any thread, on the database that has the tokens; whoever opened it closes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def enrol(self, token: Token, public_key: bytes, now: datetime) -> bool:
        """Whether the token was still good: in one transaction it's used up, and the key takes the place of
        the one that its host had before.

        Raises:
            StoreFailed: nothing of it was stored.
        """
        at = timestamp(now)
        good = (TOKEN.c.id == token.id) & TOKEN.c.used_at.is_(None) & TOKEN.c.revoked_at.is_(None)
        agent = {
            "host": token.host,
            "public_key": public_key,
            "token_id": token.id,
            "enrolled_at": at,
            "sequence": 0,
        }
        with self._database.writing() as connection:
            if connection.execute(update(TOKEN).where(good).values(used_at=at)).rowcount != 1:
                return False
            connection.execute(self._database.upsert(AGENT), agent)
            return True

    def find(self, host: str) -> Enrolled | None:
        """The agent of a host; None also where its token was revoked.

        Raises:
            StoreFailed: it can't be read.
        """
        revoked = select(TOKEN.c.id).where(TOKEN.c.revoked_at.is_not(None))
        query = select(AGENT).where(AGENT.c.host == host, AGENT.c.token_id.not_in(revoked))
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return Enrolled(*row) if row is not None else None

    def advance(self, host: str, sequence: int) -> bool:
        """Whether this number is higher than that of every report before; then it's the last one now.

        Raises:
            StoreFailed: it can't be stored.
        """
        higher = update(AGENT).where(AGENT.c.host == host, AGENT.c.sequence < sequence)
        with self._database.writing() as connection:
            return connection.execute(higher.values(sequence=sequence)).rowcount == 1

"""Tokens of the API: shown once, kept as SHA-256."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, insert, select, update

from trueup.domain.clock import timestamp
from trueup.store.database import Database
from trueup.store.tables import TOKEN

PREFIX: Final = "tu_"
_BYTES: Final = 32
_SCOPE: Final = re.compile(r"read|write|agent:[A-Za-z0-9][A-Za-z0-9._-]{0,252}", re.ASCII)
_SHOWN: Final = (TOKEN.c.id, TOKEN.c.scope, TOKEN.c.created_at, TOKEN.c.used_at, TOKEN.c.revoked_at)


class WrongScope(ValueError):  # noqa: N818 - it says what is wrong
    """Not a scope: ``read``, ``write`` or ``agent:HOST``."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token without its word. Times are RFC 3339.

    ``used_at``: an agent's token enrols once, and is worth nothing afterwards.
    """

    id: str
    scope: str
    created_at: str
    used_at: str | None = None
    revoked_at: str | None = None

    @property
    def is_good(self) -> bool:
        return self.used_at is None and self.revoked_at is None

    @property
    def host(self) -> str | None:
        """The only host that it may speak for; None where it isn't an agent's."""
        kind, _, host = self.scope.partition(":")
        return host if kind == "agent" else None


class Tokens:
    """Used from any thread; whoever opened the database closes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, scope: str, now: datetime) -> tuple[str, Token]:
        """A new token: its word, which is known to nobody afterwards, and the rest.

        Raises:
            WrongScope: ``scope`` is none.
            StoreFailed: it can't be stored.
        """
        if not _SCOPE.fullmatch(scope):
            raise WrongScope(f"{scope!r} is no scope; write read, write or agent:HOST")
        word = PREFIX + secrets.token_urlsafe(_BYTES)
        token = Token(secrets.token_hex(4), scope, timestamp(now))
        row = {
            "id": token.id,
            "scope": token.scope,
            "hash": hash_of(word),
            "created_at": token.created_at,
        }
        with self._database.writing() as connection:
            connection.execute(insert(TOKEN), row)
        return word, token

    def all(self) -> list[Token]:
        """Every token, the oldest first.

        Raises:
            StoreFailed: they can't be read.
        """
        query = select(*_SHOWN).order_by(TOKEN.c.created_at, TOKEN.c.id)
        with self._database.reading() as connection:
            return [Token(*row) for row in connection.execute(query)]

    def find(self, word: str) -> Token | None:
        """The token of this word, also one that's worth nothing any more.

        Raises:
            StoreFailed: it can't be read.
        """
        query = select(*_SHOWN).where(TOKEN.c.hash == hash_of(word))
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return Token(*row) if row is not None else None

    def revoke(self, token_id: str, now: datetime) -> bool:
        """Whether there was such a token. From now on it's worth nothing.

        Raises:
            StoreFailed: it can't be stored.
        """
        revoked_at = func.coalesce(TOKEN.c.revoked_at, timestamp(now))
        revoked = update(TOKEN).where(TOKEN.c.id == token_id).values(revoked_at=revoked_at)
        with self._database.writing() as connection:
            return connection.execute(revoked).rowcount == 1


def hash_of(word: str) -> str:
    """A word of 256 random bits needs no slow hash."""
    return hashlib.sha256(word.encode(errors="surrogateescape")).hexdigest()

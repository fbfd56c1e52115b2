"""Who has a right to ask: tokens and people, as the web needs them of the store."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Protocol


class Role(IntEnum):
    """What a person may do; each may do what those before it may."""

    VIEWER = 1
    EDITOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token without its word: ``read``, ``write`` or ``agent:HOST``. Times are RFC 3339."""

    id: str
    scope: str
    created_at: str
    used_at: str | None = None
    revoked_at: str | None = None

    @property
    def is_good(self) -> bool:
        return self.used_at is None and self.revoked_at is None


class Accounts(Protocol):
    """Everything waits for a disk, and ``verify`` and ``set_up`` for argon2id: call them in threads.

    Raises:
        StoreFailed: any of them, when the store can't be used now.
    """

    def has_people(self) -> bool:
        """Whether anybody has an account: until then the first must be set up."""
        ...

    def verify(self, name: str, password: str) -> Person | None:
        """Who it is; as slow for a name that is none."""
        ...

    def set_up(self, word: str, name: str, password: str, now: datetime) -> Person | None:
        """Make the first account, an admin's; None where the word of the console isn't that, or was used, or
        somebody has an account already.

        Raises:
            ValueError: the name or the password can't be taken, in words for whoever chose it.
        """
        ...

    def begin_session(self, person: Person, now: datetime) -> str:
        """The word of the new session, known to nobody else."""
        ...

    def session(self, word: str, now: datetime) -> Person | None:
        """Whose it is. None: it was idle for 12 hours, is a week old, was ended, or never was."""
        ...

    def end_session(self, word: str) -> None: ...

    def token(self, word: str) -> KnownToken | None:
        """The token of this word, also one that's worth nothing any more."""
        ...

    def tokens(self) -> list[KnownToken]: ...

    def create_token(self, scope: str, now: datetime) -> tuple[str, KnownToken]:
        """The word, shown once, and the token.

        Raises:
            ValueError: no such scope.
        """
        ...

    def revoke_token(self, token_id: str, now: datetime) -> bool:
        """Whether there was one."""
        ...

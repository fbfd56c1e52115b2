"""People: their passwords, their roles, and the sessions that they have opened."""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from trueup.domain.clock import timestamp
from trueup.domain.secret import Secret
from trueup.store.database import Database
from trueup.store.passwords import hash_password, is_password, is_stale, pretend
from trueup.store.tables import ACCOUNT, SESSION, SETTING
from trueup.store.tokens import hash_of

PASSWORD_CHARS_MIN: Final = 8
PASSWORD_CHARS_MAX: Final = 1024
IDLE: Final = timedelta(hours=12)
ABSOLUTE: Final = timedelta(days=7)
_SEEN_EVERY: Final = timedelta(minutes=1)
_SET_UP: Final = "set_up_hash"
_WORD_BYTES: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}", re.ASCII)


class Role(StrEnum):
    """What a person may do; each may do what those before it may."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"


class WrongUser(ValueError):  # noqa: N818 - it says what is wrong
    """A name or a password that can't be taken."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has logged in, and as what. ``csrf`` is what a form of theirs must send along."""

    user: User
    began_at: datetime
    csrf: str


class Users:
    """Used from any thread; whoever opened the database closes it.

    ``set_password``, ``verify`` and ``set_up`` take tens of milliseconds of CPU each: not on a loop.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- passwords -----------------------------------------------------------------------------

    def set_password(self, name: str, password: Secret, role: Role, now: datetime) -> None:
        """Make or change a user. Whoever was logged in as it is logged out.

        Raises:
            WrongUser: the name or the password can't be taken.
            StoreFailed: nothing was changed.
        """
        row = _account(name, password, role, now)
        with self._database.writing() as connection:
            connection.execute(self._database.upsert(ACCOUNT), row)
            connection.execute(delete(SESSION).where(SESSION.c.name == name))

    def verify(self, name: str, password: Secret) -> User | None:
        """The user of that name and password. A wrong name takes as long as a wrong password.

        Raises:
            StoreFailed: users can't be read.
        """
        if len(password.reveal()) > PASSWORD_CHARS_MAX:
            return None
        found = select(ACCOUNT.c.role, ACCOUNT.c.password_hash).where(ACCOUNT.c.name == name)
        with self._database.reading() as connection:
            row = connection.execute(found).one_or_none()
        if row is None:
            pretend(password)
            return None
        if not is_password(row.password_hash, password):
            return None
        if is_stale(row.password_hash):
            self._rehash(name, row.password_hash, password)
        return User(name, Role(row.role))

    def all(self) -> list[User]:
        """Every user by name.

        Raises:
            StoreFailed: they can't be read.
        """
        with self._database.reading() as connection:
            found = connection.execute(select(ACCOUNT.c.name, ACCOUNT.c.role).order_by(ACCOUNT.c.name))
            return [User(row.name, Role(row.role)) for row in found]

    def is_empty(self) -> bool:
        """Whether there's no user yet.

        Raises:
            StoreFailed: users can't be read.
        """
        with self._database.reading() as connection:
            return _is_empty(connection)

    def remove(self, name: str) -> bool:
        """Whether there was such a user. It's logged out.

        Raises:
            StoreFailed: nothing was changed.
        """
        with self._database.writing() as connection:
            connection.execute(delete(SESSION).where(SESSION.c.name == name))
            return connection.execute(delete(ACCOUNT).where(ACCOUNT.c.name == name)).rowcount == 1

    def _rehash(self, name: str, old: str, password: Secret) -> None:
        """With the present parameters, unless the password was changed meanwhile."""
        same = (ACCOUNT.c.name == name) & (ACCOUNT.c.password_hash == old)
        with self._database.writing() as connection:
            connection.execute(update(ACCOUNT).where(same).values(password_hash=hash_password(password)))

    # -- the first user ------------------------------------------------------------------------

    def new_set_up_word(self) -> str | None:
        """The word with which the first user is made, once; None where there's a user already.

        It takes the place of the one before, which is worth nothing any more.

        Raises:
            StoreFailed: it can't be stored.
        """
        word = secrets.token_urlsafe(_WORD_BYTES)
        with self._database.writing() as connection:
            if not _is_empty(connection):
                return None
            row = {"name": _SET_UP, "value": hash_of(word)}
            connection.execute(self._database.upsert(SETTING), row)
        return word

    def set_up(self, word: str, name: str, password: Secret, now: datetime) -> User | None:
        """Make the first user, an admin; None where the word isn't the newest, or there's a user already.

        Raises:
            WrongUser: the name or the password can't be taken; the word is good as before.
            StoreFailed: nothing was changed.
        """
        row = _account(name, password, Role.ADMIN, now)
        with self._database.writing() as connection:
            wanted = select(SETTING.c.value).where(SETTING.c.name == _SET_UP)
            kept = connection.execute(wanted).scalar()
            if kept is None or not hmac.compare_digest(kept, hash_of(word)) or not _is_empty(connection):
                return None
            connection.execute(insert(ACCOUNT), row)
            connection.execute(delete(SETTING).where(SETTING.c.name == _SET_UP))
        return User(name, Role.ADMIN)

    # -- sessions ------------------------------------------------------------------------------

    def begin_session(self, user: User, now: datetime) -> str:
        """The word of a new session, which is known to its browser alone.

        Raises:
            StoreFailed: it can't be stored.
        """
        word = secrets.token_urlsafe(_WORD_BYTES)
        row = {
            "hash": hash_of(word),
            "name": user.name,
            "role": user.role.value,
            "began_at": now,
            "seen_at": now,
        }
        with self._database.writing() as connection:
            connection.execute(delete(SESSION).where(_is_over(now)))
            connection.execute(insert(SESSION), row)
        return word

    def session(self, word: str, now: datetime) -> Session | None:
        """The session of that word, while it lasts: it ends when it's idle for 12 hours, and after 7 days.

        Raises:
            StoreFailed: it can't be read, or its use not be noted.
        """
        hashed = hash_of(word)
        wanted = select(SESSION).where(SESSION.c.hash == hashed, ~_is_over(now))
        with self._database.reading() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            return None
        if now - row.seen_at >= _SEEN_EVERY:
            with self._database.writing() as connection:
                connection.execute(update(SESSION).where(SESSION.c.hash == hashed).values(seen_at=now))
        return Session(User(row.name, Role(row.role)), row.began_at, hash_of(f"csrf {word}"))

    def end_session(self, word: str) -> None:
        """Log out.

        Raises:
            StoreFailed: it goes on.
        """
        with self._database.writing() as connection:
            connection.execute(delete(SESSION).where(SESSION.c.hash == hash_of(word)))


def _account(name: str, password: Secret, role: Role, now: datetime) -> dict[str, str]:
    if not _NAME.fullmatch(name):
        raise WrongUser("a user's name is of a-z, A-Z, 0-9 and, not as the first, . _ @ + -; at most 128")
    chars = len(password.reveal())
    if not PASSWORD_CHARS_MIN <= chars <= PASSWORD_CHARS_MAX:
        raise WrongUser(
            f"a password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters, not {chars}"
        )
    return {
        "name": name,
        "role": role.value,
        "password_hash": hash_password(password),
        "changed_at": timestamp(now),
    }


def _is_empty(connection: Connection) -> bool:
    return connection.execute(select(func.count()).select_from(ACCOUNT)).scalar_one() == 0


def _is_over(now: datetime) -> ColumnElement[bool]:
    return (SESSION.c.seen_at <= now - IDLE) | (SESSION.c.began_at <= now - ABSOLUTE)

"""Tokens and people of the store, as the web asks for them."""

from datetime import datetime

from trueup.domain.secret import Secret
from trueup.store.tokens import Token, Tokens
from trueup.store.users import Role as StoredRole
from trueup.store.users import User, Users
from trueup.web.accounts import KnownToken, Person, Role


class StoredAccounts:
    """Used from any thread."""

    def __init__(self, tokens: Tokens, users: Users) -> None:
        self._tokens = tokens
        self._users = users

    def has_people(self) -> bool:
        return not self._users.is_empty()

    def verify(self, name: str, password: str) -> Person | None:
        user = self._users.verify(name, Secret(password))
        return _person(user) if user is not None else None

    def set_up(self, word: str, name: str, password: str, now: datetime) -> Person | None:
        user = self._users.set_up(word, name, Secret(password), now)
        return _person(user) if user is not None else None

    def begin_session(self, person: Person, now: datetime) -> str:
        return self._users.begin_session(User(person.name, StoredRole(person.role.word)), now)

    def session(self, word: str, now: datetime) -> Person | None:
        session = self._users.session(word, now)
        return _person(session.user) if session is not None else None

    def end_session(self, word: str) -> None:
        self._users.end_session(word)

    def token(self, word: str) -> KnownToken | None:
        token = self._tokens.find(word)
        return _known(token) if token is not None else None

    def tokens(self) -> list[KnownToken]:
        return [_known(token) for token in self._tokens.all()]

    def create_token(self, scope: str, now: datetime) -> tuple[str, KnownToken]:
        word, token = self._tokens.create(scope, now)
        return word, _known(token)

    def revoke_token(self, token_id: str, now: datetime) -> bool:
        return self._tokens.revoke(token_id, now)


def _person(user: User) -> Person:
    return Person(user.name, Role[user.role.name])


def _known(token: Token) -> KnownToken:
    return KnownToken(token.id, token.scope, token.created_at, token.used_at, token.revoked_at)

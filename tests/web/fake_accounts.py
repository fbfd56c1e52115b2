"""Accounts in memory: passwords as they are, tokens by their words."""

from datetime import datetime

from trueup.web.accounts import KnownToken, Person, Role

READ, WRITE, AGENT, REVOKED = "tu_read", "tu_write", "tu_agent", "tu_revoked"
PASSWORD = "correct horse battery"


class FakeAccounts:
    def __init__(self, *people: str) -> None:
        """``people`` are named after their roles."""
        at = "2026-11-21T10:00:00.000Z"
        self.words = {
            READ: KnownToken("r", "read", at),
            WRITE: KnownToken("w", "write", at),
            AGENT: KnownToken("a", "agent:db-1", at),
            REVOKED: KnownToken("x", "write", at, revoked_at=at),
        }
        self.people = {name: (PASSWORD, Person(name, Role[name.upper()])) for name in people}
        self.sessions = {f"session-{name}": name for name in people}
        self.verified = 0
        self.set_up_word: str | None = "console-word"

    def has_people(self) -> bool:
        return bool(self.people)

    def verify(self, name: str, password: str) -> Person | None:
        self.verified += 1
        known = self.people.get(name)
        return known[1] if known is not None and known[0] == password else None

    def set_up(self, word: str, name: str, password: str, now: datetime) -> Person | None:
        if not name:
            raise ValueError("a name has letters")
        if word != self.set_up_word or self.people:
            return None
        self.set_up_word = None
        self.people[name] = (password, Person(name, Role.ADMIN))
        return self.people[name][1]

    def begin_session(self, person: Person, now: datetime) -> str:
        word = f"session-{person.name}-{len(self.sessions)}"
        self.sessions[word] = person.name
        return word

    def session(self, word: str, now: datetime) -> Person | None:
        name = self.sessions.get(word)
        return self.people[name][1] if name is not None else None

    def end_session(self, word: str) -> None:
        self.sessions.pop(word, None)

    def token(self, word: str) -> KnownToken | None:
        return self.words.get(word)

    def tokens(self) -> list[KnownToken]:
        return list(self.words.values())

    def create_token(self, scope: str, now: datetime) -> tuple[str, KnownToken]:
        made = KnownToken(f"n{len(self.words)}", scope, now.isoformat())
        self.words[f"tu_new{len(self.words)}"] = made
        return f"tu_new{len(self.words) - 1}", made

    def revoke_token(self, token_id: str, now: datetime) -> bool:
        known = [word for word, token in self.words.items() if token.id == token_id]
        for word in known:
            old = self.words[word]
            self.words[word] = KnownToken(old.id, old.scope, old.created_at, old.used_at, now.isoformat())
        return bool(known)

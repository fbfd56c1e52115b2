"""How a password is kept: argon2id, with the parameters that OWASP's cheat sheet gives for 19 MiB."""

from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from trueup.domain.secret import Secret

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def hash_password(password: Secret) -> str:
    """What is kept of it: salted, in the PHC string format."""
    return _HASHER.hash(_bytes(password))


def is_password(kept: str, password: Secret) -> bool:
    """Whether ``kept`` is of this password."""
    try:
        return _HASHER.verify(kept, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def is_stale(kept: str) -> bool:
    """Whether it was kept with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


def pretend(password: Secret) -> None:
    """Take the time of a look at a password that there isn't."""
    is_password(_nobodys(), password)


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody's")


def _bytes(password: Secret) -> bytes:
    return password.reveal().encode("utf-8", "surrogateescape")

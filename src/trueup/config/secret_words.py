"""Which of the words from the environment and from files may be shown, and which are secrets."""

from collections.abc import Iterable, Sequence

from trueup.domain.address import Address
from trueup.domain.secret import Secret


def secret_words(words: Iterable[str], addresses: Sequence[Address], shown: str = "") -> tuple[Secret, ...]:
    """Those that are no part of where we connect to, which everybody may see, nor of ``shown``.

    What stands behind a host, in an address's path, may be a key.
    """
    return tuple(Secret(word) for word in words if word not in shown and not _is_shown(word, addresses))


def _is_shown(word: str, addresses: Sequence[Address]) -> bool:
    authorities = [address.text[: len(address.text) - len(address.path)] for address in addresses]
    return any(word in authority or (authority and authority in word) for authority in authorities)

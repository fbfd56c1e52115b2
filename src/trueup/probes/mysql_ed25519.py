"""MariaDB's ``client_ed25519``: the server's nonce, signed by a key that the password gives.

It's Ed25519 (RFC 8032, 5.1) but for one thing: the password, of any length, stands where RFC 8032 has 32
random bytes, so that no library signs it as a whole. PyNaCl has the arithmetic; it's an extra.
https://mariadb.com/kb/en/authentication-plugin-ed25519/
"""

import hashlib
from importlib.util import find_spec
from typing import Final

PLUGIN: Final = "client_ed25519"
EXTRA: Final = "nacl"
INSTALL: Final = "pip install 'trueup[mariadb]'"
NONCE_BYTES: Final = 32


def is_installed() -> bool:
    """Whether the extra is there."""
    return find_spec(EXTRA) is not None


def sign(password: bytes, nonce: bytes) -> bytes:
    """The signature of 64 bytes.

    Raises:
        ImportError: the extra isn't there.
    """
    from nacl.bindings import (
        crypto_core_ed25519_scalar_add,
        crypto_core_ed25519_scalar_mul,
        crypto_core_ed25519_scalar_reduce,
        crypto_scalarmult_ed25519_base_noclamp,
    )

    def reduced(*parts: bytes) -> bytes:
        return crypto_core_ed25519_scalar_reduce(hashlib.sha512(b"".join(parts)).digest())

    expanded = hashlib.sha512(password).digest()
    secret, prefix = _clamped(expanded[:32]), expanded[32:]
    public = crypto_scalarmult_ed25519_base_noclamp(secret)
    once = reduced(prefix, nonce)
    point = crypto_scalarmult_ed25519_base_noclamp(once)
    proof = crypto_core_ed25519_scalar_mul(reduced(point, public, nonce), secret)
    return point + crypto_core_ed25519_scalar_add(once, proof)


def _clamped(half: bytes) -> bytes:
    """RFC 8032, 5.1.5, step 2."""
    return bytes([half[0] & 0xF8, *half[1:31], half[31] & 0x7F | 0x40])

"""The agent's own key: made on its machine, which it never leaves, and enrolled with a token once."""

import contextlib
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class BadKey(Exception):  # noqa: N818 - it says what the file is
    """The file of the key can't be used."""


def key_file(token_file: Path) -> Path:
    """Beside the token."""
    return token_file.with_name(f"{token_file.name}.key")


def load_key(path: Path) -> Ed25519PrivateKey | None:
    """The key; None where there is none yet.

    Raises:
        BadKey: it isn't one, others may read it, or it can't be read.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise BadKey(f"others may read {path}; run: chmod 600 {path}")
            return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(file.read(200).decode("ascii").strip()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadKey(f"the key in {path} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise BadKey(f"there is no key in {path}; remove it, and enrol with a new token") from error


def store_key(path: Path, key: Ed25519PrivateKey) -> None:
    """Write it for its user alone, whole or not at all.

    Raises:
        BadKey: it can't be written.
    """
    made = path.with_name(f"{path.name}.new")
    words = key.private_bytes_raw().hex().encode() + b"\n"
    try:
        with contextlib.suppress(FileNotFoundError):
            made.unlink()
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(words)
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    except OSError as error:
        raise BadKey(f"the key can't be written to {path}: {error.strerror}") from error


def public_half(key: Ed25519PrivateKey) -> str:
    """As 64 hexadecimal digits."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return raw.hex()

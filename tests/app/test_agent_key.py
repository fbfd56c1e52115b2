import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from trueup.app.agent_key import BadKey, key_file, load_key, public_half, store_key


def test_a_key_is_kept_for_its_user_alone_and_comes_back(tmp_path: Path) -> None:
    path = key_file(tmp_path / "token")
    assert path.name == "token.key"
    assert load_key(path) is None
    key = Ed25519PrivateKey.generate()
    before = os.umask(0)
    try:
        store_key(path, key)
        store_key(path, key)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["token.key"]
    again = load_key(path)
    assert again is not None
    assert public_half(again) == public_half(key)


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "token.key"
    store_key(path, Ed25519PrivateKey.generate())
    path.chmod(0o640)
    with pytest.raises(BadKey, match="chmod 600"):
        load_key(path)


@pytest.mark.parametrize("words", [b"", b"nonsense", b"00" * 31, b"\xff"])
def test_what_is_no_key_is_said(tmp_path: Path, words: bytes) -> None:
    path = tmp_path / "token.key"
    path.write_bytes(words)
    path.chmod(0o600)
    with pytest.raises(BadKey, match="remove it"):
        load_key(path)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadKey, match="can't be written"):
        store_key(tmp_path / "nowhere" / "key", Ed25519PrivateKey.generate())

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trueup.domain.monitor_settings import Store
from trueup.store.folder import HISTORY_FILE, STATE_FILE
from trueup.store.opening import Stores, open_stores
from trueup.store.tokens import PREFIX, Tokens, WrongScope, hash_of

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.fixture
def tokens(stores: Stores) -> Tokens:
    return stores.tokens


def test_a_token_is_found_by_its_word_and_the_word_is_not_kept(tokens: Tokens, tmp_path: Path) -> None:
    word, token = tokens.create("read", NOW)
    assert word.startswith(PREFIX)
    assert tokens.find(word) == token
    assert tokens.find(word + "x") is None
    folder = tmp_path / "data"
    if (folder / STATE_FILE).exists():
        kept = b"".join(path.read_bytes() for path in folder.iterdir())
        assert word.removeprefix(PREFIX).encode() not in kept
        assert hash_of(word).encode() in kept


def test_a_revoked_token_is_known_and_no_good(tokens: Tokens) -> None:
    word, token = tokens.create("agent:db-1", NOW)
    assert token.is_good
    assert tokens.revoke(token.id, NOW)
    found = tokens.find(word)
    assert found is not None
    assert not found.is_good
    assert not tokens.revoke("nobody", NOW)
    assert [one.id for one in tokens.all()] == [token.id]


def test_only_an_agent_s_token_has_a_host(tokens: Tokens) -> None:
    assert tokens.create("agent:db-1", NOW)[1].host == "db-1"
    assert tokens.create("write", NOW)[1].host is None


@pytest.mark.parametrize("scope", ["", "admin", "agent:", "agent:a/b", "agent:a b", "read\n", "agent:-x"])
def test_what_is_no_scope_is_refused(tokens: Tokens, scope: str) -> None:
    with pytest.raises(WrongScope):
        tokens.create(scope, NOW)
    assert tokens.all() == []


def test_nobody_else_reads_the_file(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    open_stores(tmp_path, Store()).close()
    for name in (STATE_FILE, HISTORY_FILE):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600

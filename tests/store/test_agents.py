from datetime import UTC, datetime

import pytest

from trueup.store.agents import Agents
from trueup.store.opening import Stores
from trueup.store.tokens import Tokens

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
KEY = b"k" * 32


@pytest.fixture
def desk(stores: Stores) -> tuple[Tokens, Agents]:
    return stores.tokens, stores.agents


def test_a_token_enrols_once(desk: tuple[Tokens, Agents]) -> None:
    tokens, agents = desk
    word, token = tokens.create("agent:db-1", NOW)
    assert agents.enrol(token, KEY, NOW)
    assert not agents.enrol(token, b"x" * 32, NOW)
    found = agents.find("db-1")
    assert found is not None
    assert (found.public_key, found.sequence) == (KEY, 0)
    again = tokens.find(word)
    assert again is not None
    assert not again.is_good


def test_a_revoked_token_enrols_nobody_and_its_agent_is_gone(desk: tuple[Tokens, Agents]) -> None:
    tokens, agents = desk
    _, token = tokens.create("agent:db-1", NOW)
    assert agents.enrol(token, KEY, NOW)
    tokens.revoke(token.id, NOW)
    assert agents.find("db-1") is None
    _, second = tokens.create("agent:db-2", NOW)
    tokens.revoke(second.id, NOW)
    assert not agents.enrol(second, KEY, NOW)


def test_a_sequence_only_rises_and_begins_anew_with_a_new_key(desk: tuple[Tokens, Agents]) -> None:
    tokens, agents = desk
    agents.enrol(tokens.create("agent:db-1", NOW)[1], KEY, NOW)
    assert agents.advance("db-1", 5)
    assert not agents.advance("db-1", 5)
    assert not agents.advance("db-1", 4)
    assert agents.advance("db-1", 6)
    assert not agents.advance("db-2", 1)
    agents.enrol(tokens.create("agent:db-1", NOW)[1], b"n" * 32, NOW)
    assert agents.advance("db-1", 1)

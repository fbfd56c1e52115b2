from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trueup.domain.secret import Secret
from trueup.store.opening import Stores
from trueup.store.users import ABSOLUTE, IDLE, Role, User, Users, WrongUser

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
WORD = Secret("correct horse battery")
ANN = User("ann", Role.EDITOR)


@pytest.fixture
def users(stores: Stores) -> Users:
    return stores.users


def test_a_user_is_known_by_name_and_password(users: Users, tmp_path: Path) -> None:
    users.set_password("ann", WORD, Role.EDITOR, NOW)
    assert users.verify("ann", WORD) == ANN
    assert users.verify("ann", Secret("wrong horse battery")) is None
    assert users.verify("bob", WORD) is None
    assert users.verify("ann", Secret("x" * 5000)) is None
    assert users.all() == [ANN]
    folder = tmp_path / "data"
    if folder.exists():
        assert all(b"correct horse" not in path.read_bytes() for path in folder.iterdir())


def test_a_session_lasts_while_it_is_used_and_seven_days_at_most(users: Users) -> None:
    word = users.begin_session(ANN, NOW)
    found = users.session(word, NOW + timedelta(hours=11))
    assert found is not None
    assert (found.user, found.began_at) == (ANN, NOW)
    assert users.session(word, NOW + timedelta(hours=22)) is not None
    assert users.session(word, NOW + timedelta(hours=22) + IDLE) is None
    assert users.session(word + "x", NOW) is None
    at = NOW
    while at < NOW + ABSOLUTE:
        assert users.session(word, at) is not None
        at += timedelta(hours=10)
    assert users.session(word, NOW + ABSOLUTE) is None


def test_a_new_password_ends_every_session(users: Users) -> None:
    users.set_password("ann", WORD, Role.EDITOR, NOW)
    hers, his = users.begin_session(ANN, NOW), users.begin_session(User("bob", Role.VIEWER), NOW)
    users.set_password("ann", Secret("another password"), Role.ADMIN, NOW)
    assert users.session(hers, NOW) is None
    assert users.session(his, NOW) is not None
    assert users.verify("ann", WORD) is None
    assert users.verify("ann", Secret("another password")) == User("ann", Role.ADMIN)


def test_a_session_is_ended_and_two_have_forms_of_their_own(users: Users) -> None:
    one, other = users.begin_session(ANN, NOW), users.begin_session(ANN, NOW)
    first, second = users.session(one, NOW), users.session(other, NOW)
    assert first is not None
    assert second is not None
    assert first.csrf != second.csrf
    assert one not in first.csrf
    users.end_session(one)
    assert users.session(one, NOW) is None
    assert users.session(other, NOW) is not None


def test_the_first_user_is_made_once_with_the_newest_word(users: Users) -> None:
    old = users.new_set_up_word()
    word = users.new_set_up_word()
    assert old is not None
    assert word is not None
    assert users.set_up(old, "ann", WORD, NOW) is None
    with pytest.raises(WrongUser):
        users.set_up(word, "ann", Secret("short"), NOW)
    assert users.set_up(word, "ann", WORD, NOW) == User("ann", Role.ADMIN)
    assert users.set_up(word, "eve", WORD, NOW) is None
    assert users.new_set_up_word() is None
    assert users.all() == [User("ann", Role.ADMIN)]


@pytest.mark.parametrize("name", ["", "a b", "a/b", "-a", "a\n", "x" * 129, "ä"])
def test_what_is_no_name_is_refused(users: Users, name: str) -> None:
    with pytest.raises(WrongUser):
        users.set_password(name, WORD, Role.ADMIN, NOW)
    assert users.is_empty()


def test_a_removed_user_is_logged_out(users: Users) -> None:
    users.set_password("ann", WORD, Role.EDITOR, NOW)
    word = users.begin_session(ANN, NOW)
    assert users.remove("ann")
    assert not users.remove("ann")
    assert users.session(word, NOW) is None

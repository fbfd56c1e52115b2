from trueup.app.hidden import Hidden
from trueup.app.watched import Watched
from trueup.checks.check import check_address
from trueup.domain.address import parse_address
from trueup.domain.states import State
from trueup.domain.target import Target
from trueup.domain.verdict import Verdict
from trueup.monitor.holding import Needs
from trueup.probes.registry import SCHEMES

DB = check_address(parse_address("redis://user:swordfish@127.0.0.1", SCHEMES), 1.0)
TARGETS = (Target("db"), Target("web", needs=("db",)), Target("other"))


def hidden() -> Hidden:
    return Hidden(Watched(TARGETS, {"db": (DB,)}, {}), Needs(TARGETS))


def test_what_a_peer_sends_back_is_hidden_in_all_that_is_said_of_its_target() -> None:
    assert hidden().text("db", "no user swordfish") == "no user ***"
    assert hidden().value("db", {"detail": ["swordfish"]}) == {"detail": ["***"]}
    told = hidden().verdict(Verdict("db", State.DOWN, "no user swordfish", next=("try swordfish",)))
    assert (told.summary, told.next) == ("no user ***", ("try ***",))


def test_and_in_what_those_say_that_need_it() -> None:
    assert hidden().text("web", "db says: no user swordfish") == "db says: no user ***"


def test_who_was_never_told_it_cannot_give_it_away() -> None:
    assert hidden().text("other", "a swordfish") == "a swordfish"

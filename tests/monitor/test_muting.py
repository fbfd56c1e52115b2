from datetime import UTC, datetime, timedelta

from trueup.domain.cron import parse_cron
from trueup.domain.maintenance import Maintenance
from trueup.domain.selector import Selector
from trueup.domain.silence import Silence
from trueup.domain.target import Target
from trueup.monitor.muting import Muting

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DATA = Target("shop-db", tags=("data",))
WEB = Target("shop-web")


def silence(*words: str, number: int = 1, planned: bool = False, hours: int = 2) -> Silence:
    return Silence(number, Selector(words), NOW, NOW + hours * HOUR, "ada", "moving house", planned)


def test_a_silence_says_who_until_when_and_why() -> None:
    muted = Muting((), [silence("tag:data")]).of(DATA, NOW)
    assert muted is not None
    assert muted.why == "silenced by ada until 2026-11-30T11:00:00.000Z: moving house"
    assert muted.until_at == NOW + 2 * HOUR


def test_it_holds_for_whom_it_names_and_while_it_lasts() -> None:
    muting = Muting((), [silence("shop-d*")])
    assert muting.of(WEB, NOW) is None
    assert muting.of(DATA, NOW + 2 * HOUR) is None
    assert muting.of(DATA, NOW - HOUR) is None


def test_of_several_the_longest_counts() -> None:
    muting = Muting((), [silence("*", number=1, hours=1), silence("shop-db", number=2, hours=3)])
    muted = muting.of(DATA, NOW)
    assert muted is not None
    assert muted.until_at == NOW + 3 * HOUR


def test_ending_one_is_putting_it_anew() -> None:
    muting = Muting((), [silence("*")])
    muting.put(Silence(1, Selector(("*",)), NOW, NOW, "ada"))
    assert muting.of(WEB, NOW) is None
    assert [one.until_at for one in muting.silences] == [NOW]


def test_maintenance_comes_again() -> None:
    nightly = Maintenance(Selector(("*",)), 3600.0, cron=parse_cron("0 9 * * *"), note="backups")
    muting = Muting([nightly])
    for day in range(2):
        muted = muting.of(WEB, NOW + timedelta(days=day, minutes=30))
        assert muted is not None
        assert "(backups)" in muted.why
        assert muting.of(WEB, NOW + timedelta(days=day, minutes=61)) is None
    muting.plan(())
    assert muting.of(WEB, NOW) is None

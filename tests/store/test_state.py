import time
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trueup.domain.alert import Alert, Delivery, EventKind, Notification
from trueup.domain.causes import Cause
from trueup.domain.incident import Happening, Incident, Told
from trueup.domain.monitor_settings import Store
from trueup.domain.selector import Selector
from trueup.domain.silence import Silence
from trueup.domain.states import Layer, State
from trueup.store.database import BUSY_TIMEOUT_S
from trueup.store.failure import StoreFailed
from trueup.store.opening import Stores, open_stores
from trueup.store.state import Batch, Beat, Kept

NOW = datetime(2026, 11, 21, 10, 0, 0, 123000, tzinfo=UTC)


def kept(target: str, state: str = "up") -> Kept:
    return Kept(target, state, "2026-11-21T10:00:00.000Z", "2026-11-21T10:00:01.000Z", "{}", '{"streak": 1}')


def incident(number: int, target: str = "db", closed_at: datetime | None = None) -> Incident:
    return Incident(
        id=number,
        target=target,
        tier=1,
        state=State.DOWN,
        summary="it's down: 100% – «quoted»",
        opened_at=NOW + timedelta(minutes=number),
        confirmed_at=NOW + timedelta(minutes=number, microseconds=7),
        closed_at=closed_at,
        layer=Layer.SERVICE,
        cause=Cause.OVERLOADED,
        blame="db",
        next=("look", "mend"),
        held_by="storage",
    )


def notification(alert_id: str, number: int = 1, channel: str = "hook", **others: object) -> Notification:
    alert = Alert(
        id=alert_id,
        event=EventKind.OPENED,
        at=NOW,
        incident=number,
        target="db",
        tier=1,
        state=State.DOWN,
        summary="down",
        layer=Layer.PORT,
        cause=Cause.REFUSED,
        next=("look",),
        impact=("checkout",),
        url="https://monitor.example/incidents/1",
        since=NOW - timedelta(minutes=5),
        host="db-1",
    )
    given = {field.name for field in fields(Alert) if getattr(alert, field.name) != field.default}
    assert given == {field.name for field in fields(Alert)} - {"blame"}, "a new field is to be kept too"
    return replace(Notification(alert, channel, seq=number, due_at=NOW), **others)  # type: ignore[arg-type]


def test_everything_of_a_batch_outlives_the_process(store: Store, tmp_path: Path) -> None:
    silence = Silence(
        3, Selector(("shop-*", "tag:data")), NOW, NOW + timedelta(hours=1), "ann", "patching", True
    )
    beat = Beat("nightly", NOW, "0", "done", started_at=None, took_s=12.5)
    waiting = notification("a1", attempts=2, result="503")
    batch = Batch(
        kept=(kept("db"), kept("web")),
        incidents=(incident(1),),
        happenings=((1, Happening(NOW, "it failed")), (1, Happening(NOW, "and again"))),
        notifications=(waiting,),
        silences=(silence,),
        beats=(beat,),
    )
    first = open_stores(tmp_path, store)
    first.state.record(batch)
    first.state.record(batch)
    first.close()
    again = open_stores(tmp_path, store)
    found = again.state.load()
    again.close()
    assert found.kept == {"db": kept("db"), "web": kept("web")}
    (record,) = found.incidents
    assert record.incident == incident(1)
    assert [line.what for line in record.timeline] == ["it failed", "and again"]
    assert record.notifications == (Told("hook", EventKind.OPENED, None, "503"),)
    assert found.undelivered == (waiting,)
    assert found.silences == (silence,)
    assert found.beats == {"nightly": beat}
    assert (found.last_incident_id, found.last_seq) == (1, 1)


def test_an_empty_store_remembers_nothing(stores: Stores) -> None:
    found = stores.state.load()
    assert (found.kept, found.incidents, found.last_incident_id) == ({}, (), 0)
    assert stores.state.incident(1) is None


def test_the_newest_takes_the_place_of_what_was_there(stores: Stores) -> None:
    stores.state.record(Batch(kept=(kept("a"), kept("b")), incidents=(incident(1),)))
    closed = incident(1, closed_at=NOW + timedelta(hours=1))
    stores.state.record(Batch(kept=(kept("a", "down"),), incidents=(closed,)))
    found = stores.state.load()
    assert {name: one.state for name, one in found.kept.items()} == {"a": "down", "b": "up"}
    assert found.incidents == ()
    record = stores.state.incident(1)
    assert record is not None
    assert record.incident == closed


def test_a_batch_is_stored_whole_or_not_at_all(stores: Stores) -> None:
    refused = kept(None)  # type: ignore[arg-type]  # what the table refuses
    with pytest.raises(StoreFailed):
        stores.state.record(Batch(kept=(kept("a"), refused), incidents=(incident(1),)))
    with pytest.raises(StoreFailed):
        stores.state.record(Batch(kept=(kept("a"),), beats=(Beat("b", None, "0"),)))  # type: ignore[arg-type]
    found = stores.state.load()
    assert (found.kept, found.last_incident_id) == ({}, 0)
    stores.state.record(Batch(kept=(kept("a"),)))
    assert set(stores.state.load().kept) == {"a"}


def test_a_sending_that_nobody_saw_end_waits_again_as_a_repeat(stores: Stores) -> None:
    sent = notification("a3", 3, delivery=Delivery.SENT, sent_at=NOW, result="200")
    stores.state.record(
        Batch(
            incidents=(incident(1),),
            notifications=(
                notification("a2", 2, delivery=Delivery.SENDING, attempts=1),
                notification("a1", 1),
                sent,
                notification("a4", 4, delivery=Delivery.DEAD, result="gave up"),
            ),
        )
    )
    found = stores.state.load()
    assert [one.alert.id for one in found.undelivered] == ["a1", "a2"]
    assert [one.is_repeat for one in found.undelivered] == [False, True]
    assert {one.delivery for one in found.undelivered} == {Delivery.WAITING}
    assert found.last_seq == 4
    (dead,) = stores.state.notifications(delivery=Delivery.DEAD, limit=10)
    assert (dead.alert.id, dead.result) == ("a4", "gave up")
    record = stores.state.incident(1)
    assert record is not None
    assert [one.result for one in record.notifications] == ["waiting"]
    assert sent in stores.state.notifications(limit=10)
    assert len(stores.state.notifications(limit=2)) == 2


def test_what_was_given_up_is_remembered_while_its_incident_is_open(stores: Stores) -> None:
    given_up = [
        notification(f"of-{number}", number, delivery=Delivery.DEAD, result="no channel") for number in (1, 2)
    ]
    over = incident(2, "web", NOW + timedelta(hours=1))
    stores.state.record(Batch(incidents=(incident(1), over), notifications=tuple(given_up)))
    assert stores.state.load().given_up == (given_up[0],)


def test_incidents_come_by_pages_and_by_what_is_asked_for(stores: Stores) -> None:
    closed = [incident(n, "web", NOW + timedelta(hours=n)) for n in (1, 2, 3)]
    stores.state.record(Batch(incidents=(*closed, incident(4), incident(5, "web"))))

    def ids(**asked: object) -> list[int]:
        return [one.incident.id for one in stores.state.incidents(**{"limit": 10, **asked})]  # type: ignore[arg-type]

    assert ids() == [5, 4, 3, 2, 1]
    assert ids(limit=2) == [5, 4]
    assert ids(limit=2, before_id=4) == [3, 2]
    assert ids(target="web") == [5, 3, 2, 1]
    assert ids(is_open=True) == [5, 4]
    assert ids(is_open=False, target="web") == [3, 2, 1]
    assert ids(since=NOW + timedelta(hours=2)) == [5, 4, 3, 2]


def test_old_incidents_are_forgotten_and_their_numbers_not_given_again(stores: Stores) -> None:
    over = [incident(n, closed_at=NOW) for n in (1, 2)]
    stores.state.record(
        Batch(
            incidents=tuple(over),
            happenings=((1, Happening(NOW, "x")), (2, Happening(NOW, "y"))),
            notifications=(notification("a1", 1, delivery=Delivery.SENT),),
            silences=(Silence(1, Selector(("a",)), NOW, NOW, "ann"),),
        )
    )
    assert stores.state.expire(NOW) == 0
    assert stores.state.expire(NOW + timedelta(days=1)) == 1
    assert stores.state.incident(1) is None
    assert stores.state.notifications(limit=10) == []
    found = stores.state.load()
    assert (found.last_incident_id, found.silences) == (2, ())
    kept_one = stores.state.incident(2)
    assert kept_one is not None
    assert [line.what for line in kept_one.timeline] == ["y"]


def test_a_thousand_incidents_are_read_with_what_belongs_to_them(stores: Stores) -> None:
    numbers = range(1, 1101)
    stores.state.record(
        Batch(
            incidents=tuple(incident(n) for n in numbers),
            happenings=tuple((n, Happening(NOW, f"line {n}")) for n in numbers),
        )
    )
    found = stores.state.load().incidents
    assert [record.timeline[0].what for record in found] == [f"line {n}" for n in numbers]


def test_a_checkpoint_begins_the_journal_anew_and_waits_for_no_reader(stores: Stores) -> None:
    state, database = stores.state, stores.databases[0]
    state.record(Batch(incidents=(incident(1),)))
    if database.path is None:
        state.checkpoint()
        assert [one.incident.id for one in state.load().incidents] == [1]
        return
    journal = database.path.with_name(f"{database.path.name}-wal")
    with database.reading() as reader:
        reader.exec_driver_sql("select count(*) from incident").scalar_one()
        state.record(Batch(incidents=(incident(2),)))
        began_s = time.monotonic()
        state.checkpoint()
        assert time.monotonic() - began_s < BUSY_TIMEOUT_S
    assert journal.stat().st_size > 0
    state.checkpoint()
    assert journal.stat().st_size == 0
    assert [one.incident.id for one in state.load().incidents] == [1, 2]

from datetime import timedelta

from tests.host.fake_reader import NOW, FakeReader, listening, process
from trueup.host.facts import Owner
from trueup.host.join import Joiner


def test_what_looks_as_before_is_the_same_object() -> None:
    joiner = Joiner(FakeReader())
    socket, owners = listening(80), {1080: Owner(5, (5,))}
    (first,) = joiner.join([socket], owners, {5: process(5)}, (), NOW)
    (second,) = joiner.join([socket], dict(owners), {5: process(5)}, (), NOW)
    assert second is first
    (third,) = joiner.join([socket], {1080: Owner(6, (6,))}, {6: process(6, "other")}, (), NOW)
    assert (third.owner.pid, third.process) == (6, "other")
    (fourth,) = joiner.join([listening(80, queue=1)], owners, {5: process(5)}, (), NOW)
    assert (fourth.socket.queue, fourth.queued_since) == (1, NOW)


def test_one_socket_of_several_that_has_changed_is_joined_anew_and_no_other() -> None:
    joiner = Joiner(FakeReader())
    owners, running = {1080: Owner(5, (5,)), 1081: Owner(5, (5,))}, {5: process(5)}
    before = joiner.join((listening(80), steady := listening(81)), owners, running, (), NOW)
    waits, same = joiner.join((listening(80, queue=1), steady), owners, running, (), NOW)
    assert (waits.socket.queue, waits.queued_since) == (1, NOW)
    assert same is before[1]


def test_where_all_looks_as_before_it_is_the_same_tuple() -> None:
    joiner = Joiner(FakeReader())
    sockets, owners = (listening(80), listening(81, queue=2)), {1080: Owner(5, (5,)), 1081: Owner(5, (5,))}
    later = NOW + timedelta(minutes=1)
    first = joiner.join(sockets, owners, {5: process(5)}, (), NOW)
    assert joiner.join(sockets, owners, {5: process(5)}, (), later) is first
    assert joiner.join(list(sockets), dict(owners), {5: process(5)}, (), later) is first
    renamed = joiner.join(sockets, owners, {5: process(5, "other")}, (), later)
    assert [one.process for one in renamed] == ["other", "other"]
    assert [one.queued_since for one in renamed] == [None, NOW]
    (alone,) = joiner.join(sockets[:1], owners, {5: process(5, "other")}, (), later)
    assert alone is renamed[0]


def test_the_kernels_own_sockets_have_no_inode_and_are_all_kept() -> None:
    joiner = Joiner(FakeReader())
    sockets = [listening(port, inode=0) for port in (2049, 111)]
    found = joiner.join(sockets, {}, {}, (), NOW)
    assert [one.socket.port for one in found] == [2049, 111]

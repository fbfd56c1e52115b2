from itertools import pairwise

from trueup.monitor.schedule import Planned, Schedule, phase


def scheduled(*planned: Planned, now_s: float = 1000.0) -> Schedule:
    schedule = Schedule()
    schedule.plan(planned, now_s)
    return schedule


def run(schedule: Schedule, from_s: float, to_s: float, *, step_s: float = 0.5) -> list[tuple[float, str]]:
    looks, now_s = [], from_s
    while now_s <= to_s:
        for name in schedule.due(now_s):
            looks.append((now_s, name))
            schedule.finished(name)
        now_s += step_s
    return looks


def test_an_interval_is_an_interval() -> None:
    schedule = scheduled(Planned("a", 60.0, 2))
    times = [when_s for when_s, _ in run(schedule, 1000.0, 2000.0)]
    assert [later - earlier for earlier, later in pairwise(times[1:])] == [60.0] * (len(times) - 2)


def test_everything_is_looked_at_soon_after_the_start_and_not_all_at_once() -> None:
    schedule = scheduled(*(Planned(f"t{number}", 60.0, 2) for number in range(1000)))
    looks = run(schedule, 1000.0, 1002.5, step_s=0.1)
    assert len(looks) == 1000
    busiest = max(sum(when_s == moment for when_s, _ in looks) for moment in {when_s for when_s, _ in looks})
    assert busiest < 200


def test_the_same_names_have_the_same_phases_after_a_restart() -> None:
    one, two = (scheduled(Planned("a", 60.0, 2), now_s=start) for start in (1000.0, 1017.0))
    assert run(one, 1100.0, 1300.0)[1:] == run(two, 1100.0, 1300.0)[1:]
    assert phase("a") != phase("b")


def test_what_is_under_way_is_not_begun_twice() -> None:
    schedule = scheduled(Planned("a", 10.0, 2))
    assert schedule.due(1001.0) == ["a"]
    assert schedule.due(1100.0) == []
    schedule.finished("a")
    assert schedule.due(1200.0) == ["a"]


def test_a_long_sleep_is_not_caught_up_with() -> None:
    schedule = scheduled(Planned("a", 10.0, 2))
    run(schedule, 1000.0, 1020.0)
    assert len(run(schedule, 9000.0, 9005.0)) == 1


def test_lower_tiers_come_last() -> None:
    schedule = scheduled(Planned("low", 10.0, 3), Planned("high", 10.0, 1))
    assert schedule.due(1011.0) == ["high", "low"]


def test_a_changed_plan_keeps_what_did_not_change() -> None:
    schedule = scheduled(Planned("a", 60.0, 2), Planned("b", 60.0, 2))
    run(schedule, 1000.0, 1001.0)
    before = schedule.next_due_s()
    schedule.plan([Planned("a", 60.0, 2), Planned("b", 60.0, 2)], 1002.0)
    assert schedule.next_due_s() == before
    schedule.plan([Planned("c", 60.0, 2)], 1003.0)
    assert {name for _, name in run(schedule, 1003.0, 1200.0)} == {"c"}


def test_a_look_out_of_turn() -> None:
    schedule = scheduled(Planned("a", 60.0, 2))
    run(schedule, 1000.0, 1001.0)
    schedule.look_at("a", 1005.0)
    assert [when_s for when_s, _ in run(schedule, 1001.0, 1006.0)] == [1005.0]
    schedule.look_at("nobody", 1005.0)


def test_after_a_gap_everything_is_looked_at_anew_and_not_all_at_once() -> None:
    """Also what isn't due for long: until it's looked at, nobody knows how it is."""
    schedule = scheduled(*(Planned(f"t{number}", 86400.0, 2) for number in range(1000)))
    assert len(run(schedule, 1000.0, 1002.5, step_s=0.1)) == 1000
    schedule.spread(1010.0)
    looks = run(schedule, 1010.0, 1012.5, step_s=0.1)
    assert len({name for _, name in looks}) == 1000
    assert len([name for when_s, name in looks if when_s == 1010.0]) < 200

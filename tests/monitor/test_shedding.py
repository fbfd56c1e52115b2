from trueup.monitor.shedding import CALM_S, LOOKS_LEAST, WINDOW_S, Shedding


def late(shedding: Shedding, late_s: float, from_s: float, to_s: float) -> float:
    """Looks all the time, each begun so late; the moment at which that ends."""
    now_s = from_s
    while now_s < to_s:
        shedding.see([late_s] * LOOKS_LEAST, now_s)
        now_s += 5.0
    return now_s


def test_the_least_important_tier_makes_room_first_and_the_first_never() -> None:
    shedding = Shedding([1, 2, 3])
    now_s = late(shedding, 1.0, 0.0, 10.0)
    assert shedding.shed == {3}
    now_s = late(shedding, 1.0, now_s, now_s + WINDOW_S / 4 + 5)
    assert shedding.shed == {2, 3}
    late(shedding, 1.0, now_s, now_s + 5 * WINDOW_S)
    assert shedding.shed == {2, 3}


def test_it_takes_a_while_of_calm_to_go_back() -> None:
    shedding = Shedding([1, 3])
    now_s = late(shedding, 1.0, 0.0, 10.0)
    now_s = late(shedding, 0.0, now_s, now_s + WINDOW_S + CALM_S / 2)
    assert shedding.shed == {3}
    late(shedding, 0.0, now_s, now_s + CALM_S + WINDOW_S)
    assert shedding.shed == frozenset()


def test_of_few_looks_nothing_is_concluded() -> None:
    shedding = Shedding([1, 3])
    shedding.see([9.0] * (LOOKS_LEAST - 1), 0.0)
    assert shedding.shed == frozenset()


def test_a_reload_with_fewer_tiers() -> None:
    shedding = Shedding([1, 2, 3])
    late(shedding, 1.0, 0.0, 100.0)
    shedding.plan([1])
    assert shedding.shed == frozenset()
    assert Shedding([1]).late_p99_s() == 0.0

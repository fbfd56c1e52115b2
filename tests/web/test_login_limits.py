"""How often somebody may try, by a clock of the test."""

from trueup.web.login_limits import TRIES, TRIES_OF_ADDRESS, WINDOW_S, LoginLimits


def test_the_window_moves_on() -> None:
    limits = LoginLimits()
    assert [limits.wait_s("ann", "a", float(n)) for n in range(TRIES)] == [0.0] * TRIES
    assert limits.wait_s("ANN", "a", 10.0) == WINDOW_S - 10
    assert limits.wait_s("ann", "b", 10.0) == 0.0
    assert limits.wait_s("ann", "a", WINDOW_S) == 0.0
    assert limits.wait_s("ann", "a", WINDOW_S) > 0


def test_one_address_cannot_try_every_name() -> None:
    limits = LoginLimits()
    waits = [limits.wait_s(f"name{n}", "a", 0.0) for n in range(TRIES_OF_ADDRESS + 1)]
    assert waits[:-1] == [0.0] * TRIES_OF_ADDRESS
    assert waits[-1] > 0


def test_what_is_remembered_is_bounded() -> None:
    limits = LoginLimits()
    for n in range(15_000):
        limits.wait_s("ann", f"address{n}", 0.0)
    assert len(limits._tries) <= 10_001

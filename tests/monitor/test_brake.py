from trueup.monitor.brake import WINDOW_S, Brake


def test_it_is_on_while_much_has_just_gone_bad() -> None:
    brake = Brake(10)
    for number in range(3):
        brake.went_bad(f"t{number}", 100.0)
    assert not brake.is_on(100.0)
    brake.went_bad("t2", 101.0)  # the same again
    assert not brake.is_on(101.0)
    brake.went_bad("t3", 102.0)
    assert brake.is_on(102.0)
    assert not brake.is_on(102.0 + WINDOW_S)


def test_of_few_targets_nothing_is_much() -> None:
    brake = Brake(9)
    for number in range(9):
        brake.went_bad(f"t{number}", 100.0)
    assert not brake.is_on(100.0)

import pytest

from trueup.config.problems import ConfigurationError, Place, Problem, Problems, show_path
from trueup.domain.secret import Secret


def test_a_problem_is_a_line_of_the_contract() -> None:
    problem = Problem("trueup.yaml", 7, "services.db.slow", "30 has no unit", "write 30s")
    assert str(problem) == "trueup.yaml:7: services.db.slow: 30 has no unit; write 30s"


def test_a_path_shows_places_in_lists_and_no_control_characters() -> None:
    assert show_path(("journeys", "a b", "steps", 2, "http")) == "journeys.a b.steps[2].http"
    assert show_path(("services", "\x1b[2J")) == "services.\\x1b[2J"
    assert show_path(()) == "configuration"


def test_problems_are_in_the_order_of_files_and_lines_and_said_once() -> None:
    problems = Problems()
    for file, line in (("b", 2), ("a", 9), ("a", 3), ("a", 3)):
        problems.add(Place(file, line), ("x",), "wrong", "right")
    with pytest.raises(ConfigurationError) as raised:
        problems.raise_any(("b", "a"))
    assert [(problem.file, problem.line) for problem in raised.value.problems] == [
        ("b", 2),
        ("a", 3),
        ("a", 9),
    ]
    assert str(raised.value).splitlines()[0] == "b:2: x: wrong; right"


def test_nothing_is_raised_where_nothing_is_wrong() -> None:
    Problems().raise_any()


def test_words_from_elsewhere_are_never_said() -> None:
    problems = Problems()
    problems.words.add(Secret("hunter2"))
    problems.add(Place("a", 1), "p", "hunter2 is wrong", "not hunter2")
    with pytest.raises(ConfigurationError) as raised:
        problems.raise_any()
    assert str(raised.value) == "a:1: p: *** is wrong; not ***"

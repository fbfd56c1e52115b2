import pytest
from yaml.nodes import MappingNode

from tests.config.written import loaded, problem, problems
from trueup.config.composing import compose
from trueup.config.nodes import Tree
from trueup.config.problems import ConfigurationError, Place, Problems


def tree(text: str) -> Tree:
    root = compose(text.encode(), "f", Problems())
    assert isinstance(root, MappingNode)
    return Tree(root, Problems(), {"X": "x"})


def test_values_are_python_values() -> None:
    one = tree("a: [1, -0x10, 0o17, 1.5, .inf, true, null, text, '7', \"${X}\"]\nb: {c: ~}")
    value = one.value(one.root, ())
    assert value["a"] == [1, "-0x10", 15, 1.5, float("inf"), True, None, "text", "7", "x"]
    assert value["b"] == {"c": None}


def test_a_value_is_a_fresh_copy_each_time() -> None:
    one = tree("a: &list [1]\nb: *list")
    value = one.value(one.root, ())
    value["a"].append(2)
    assert value["b"] == [1]


def test_keys_can_be_merged_and_overridden() -> None:
    one = tree("base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: 4}\nx: {<<: [*base, *more], a: 9}")
    assert one.value(one.root, ())["x"] == {"a": 9, "b": 2, "c": 4}


def test_a_place_is_the_line_of_the_key() -> None:
    one = tree("a:\n  b:\n    - x\n    - y: 1\n")
    assert one.find(("a", "b"))[0] == Place("f", 2)
    assert one.find(("a", "b", 1))[0] == Place("f", 4)
    assert one.find(("a", "b", 1, "y"))[1] == ("a", "b", 1, "y")


def test_what_isnt_there_is_at_the_place_of_what_misses_it() -> None:
    one = tree("a:\n  b: 1\n")
    place, path, _ = one.find(("a", "tuple[str, ...]", "c", 0))
    assert (place, path) == (Place("f", 1), ("a",))


def test_a_key_written_twice() -> None:
    text = """
        services:
          a: redis://h
          b: redis://h
          a: redis://other
        """
    assert problem(text) == "4: services.a: it is written twice; keep one; the first is at 2"


def test_a_key_written_twice_deep_inside() -> None:
    text = """
        services:
          a:
            at: redis://h
            expect: {role: primary, role: replica}
        """
    assert problem(text) == "4: services.a.expect.role: it is written twice; keep one; the first is at 4"


def test_keys_that_are_no_words() -> None:
    assert problem("services:\n  ? [a]\n  : redis://h\n").startswith("2: services: a key is a list")


def test_a_merge_of_what_has_no_keys() -> None:
    text = "x-a: &a 5\nservices:\n  b:\n    <<: *a\n    at: redis://h\n"
    assert problem(text) == "1: services.b: << merges something that has no keys; write <<: *ANCHOR"


def test_an_unknown_type() -> None:
    said = "2: services.a: the type '!foo' isn't known; put a value that begins with ! in quotes"
    assert said in problems("services:\n  a: !foo redis://h\n")


def test_anchors_keep_what_services_share() -> None:
    text = """
        x-web: &web {tier: 1, tags: [web]}
        services:
          a: {<<: *web, at: http://a.example}
          b: {<<: *web, at: http://b.example, tier: 3}
        """
    assert [(target.tier, target.tags) for target in loaded(text).targets] == [(1, ("web",)), (3, ("web",))]


def test_an_anchor_within_itself() -> None:
    assert any(
        "nested too deeply" in one for one in problems("services:\n  a: &a {at: redis://h, expect: *a}\n")
    )
    assert any(
        "<< merges something" in one for one in problems("services:\n  a: &a {at: redis://h, <<: *a}\n")
    )


def test_a_bomb_of_anchors_is_put_out() -> None:
    lines = ["x-0: &x0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"x-{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 10)]
    root = compose("\n".join(lines).encode(), "f", Problems())
    assert isinstance(root, MappingNode)
    found = Problems()
    Tree(root, found, {}).value(root, ())
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        found.raise_any()

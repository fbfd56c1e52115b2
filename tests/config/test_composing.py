import pytest
from hypothesis import given
from hypothesis import strategies as st
from yaml.nodes import MappingNode

from trueup.config.composing import BOOL, FLOAT, INT, NULL, STR, compose
from trueup.config.problems import ConfigurationError, Problems


def problem_of(text: str | bytes) -> str:
    problems = Problems()
    assert compose(text if isinstance(text, bytes) else text.encode(), "f", problems) is None
    with pytest.raises(ConfigurationError) as raised:
        problems.raise_any()
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\n\tb: 2\n", "f:2: yaml: a tab indents it; indent with spaces"),
        ("a:\n\t- b\n", "f:2: yaml: a tab indents it; indent with spaces"),
        ("a: @x\n", "f:1: yaml: a value begins with a character that YAML reserves; put it in quotes"),
        ("a: 1\nb: *hunter2\n", "f:2: yaml: a value begins with *, which names an anchor; put it in quotes"),
        ("a: !hunter2!x b", "f:1: yaml: a value begins with !, which names a type; put it in quotes"),
        ("a: b: c", "f:1: yaml: a value has a colon and a space in it; put the value in quotes"),
        ("a: {b: ü: c}", "f:1: yaml: a value has a colon and a space in it; put the value in quotes"),
        ("a: 1\n  b: 2", "f:2: yaml: a key stands where none can; check its indentation and quotes"),
        ("x: 1\na: 'x\nb: 1\n", "f:2: yaml: a quote isn't closed; close it"),
        ("a: [1, 2\nb: 3\n", "f:2: yaml: a bracket isn't closed; close it, or add a comma"),
        (
            "a: {b: 1}}\n",
            "f:1: yaml: a key is expected here; check its indentation, its brackets, and the line above",
        ),
        ("- a\nb: 1\n", "f:2: yaml: a list goes on without -; check its indentation, and the line above"),
        (
            " a: 1\nb: 2\n",
            "f:2: yaml: this line is indented less than the first; indent all keys of the top alike",
        ),
        ("a: |\n x\nb\n", "f:3: yaml: a key has no colon; write KEY: VALUE, a space after the colon"),
        ('a: "\\q"\n', "f:1: yaml: an unknown escape; write the backslash twice, or use single quotes"),
        (
            "---\na: 1\n---\nb: 2\n",
            "f:3: yaml: a second document begins; write one document a file, without ---",
        ),
        ("a: &  b", "f:1: yaml: a value begins with * or &, which name an anchor; put it in quotes"),
        ("a: &x 1\nb: &x 2", "f:2: yaml: an anchor is defined twice; give it another name"),
        ("a: 1\nb: \x01", "f:2: yaml: it holds the control character 0x01; remove it"),
        (b"a: 1\nb: \xff\xfe", "f:2: yaml: it isn't text in UTF-8; save it as UTF-8"),
    ],
)
def test_what_isnt_yaml_says_where_and_why(text: str | bytes, said: str) -> None:
    assert problem_of(text) == said


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "a:\n  " + "- " * 100_000])
def test_deep_nesting_ends_no_process(text: str) -> None:
    assert problem_of(text) == "f:1: yaml: it is nested too deeply; at most 1000 levels"


def test_many_brackets_beside_each_other_are_no_depth() -> None:
    problems = Problems()
    assert compose(b"\n".join(b"- [a, {b: c}]" for _ in range(5000)), "f", problems) is not None
    assert not problems


@pytest.mark.parametrize(
    ("word", "tag"),
    [
        ("12", INT),
        ("-3", INT),
        ("0x1f", INT),
        ("1.5", FLOAT),
        ("1e3", FLOAT),
        (".inf", FLOAT),
        ("true", BOOL),
        ("False", BOOL),
        ("null", NULL),
        ("~", NULL),
        ("", NULL),
        # what YAML 1.1 would take for something else
        ("yes", STR),
        ("no", STR),
        ("on", STR),
        ("1:30", STR),
        ("09:00-18:00", STR),
        ("2026-12-01", STR),
        ("1_000", STR),
        ("9" * 5000, STR),
        ("<<x", STR),
        ('"12"', STR),
        ("'true'", STR),
    ],
)
def test_the_scalars_of_the_core_schema(word: str, tag: str) -> None:
    node = compose(f"key: {word}".encode(), "f", Problems())
    assert isinstance(node, MappingNode)
    assert node.value[0][1].tag == tag


def test_a_node_knows_its_file_and_line() -> None:
    node = compose(b"a: 1\nb: 2", "conf.d/x.yaml", Problems())
    assert isinstance(node, MappingNode)
    mark = node.value[1][0].start_mark
    assert (mark.name, mark.line) == ("conf.d/x.yaml", 1)


@given(st.binary(max_size=200) | st.text("ab:- \n\t{}[]'\"&*!#%@|>?,", max_size=60).map(str.encode))
def test_any_bytes_are_a_tree_or_a_problem(text: bytes) -> None:
    problems = Problems()
    node = compose(text, "f", problems)
    assert node is None or not problems

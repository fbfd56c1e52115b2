from pathlib import Path

import pytest

from trueup.config.substitution import Saved, Substitution
from trueup.domain.understood import NotUnderstood

ENV = {"USER": "monitor", "DB_PASSWORD": "pa$$w${x}rd", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("plain", "plain"),
        ("${USER}", "monitor"),
        ("postgres://${USER}@h", "postgres://monitor@h"),
        ("$$", "$"),
        ("$${USER}", "${USER}"),
        ("$USER costs 5$", "$USER costs 5$"),
        ("${EMPTY}", ""),
        ("${DB_PASSWORD}", "pa$$w${x}rd"),  # what comes from elsewhere isn't read again
    ],
)
def test_words_take_their_places(text: str, done: str) -> None:
    assert Substitution(ENV).substituted(text) == done


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${DB_PASSWRD}", "the environment has no DB_PASSWRD; did you mean ${DB_PASSWORD}?"),
        ("${db_password}", "the environment has no db_password; did you mean ${DB_PASSWORD}?"),
        ("${NOWHERE_NEAR}", "the environment has no NOWHERE_NEAR; set NOWHERE_NEAR"),
        ("${}", "'${}' names no variable; write ${NAME}, ${file:/path}, or $${ for the text itself"),
        ("${A:-b}", "'${A:-b}' names no variable; write ${NAME}, ${file:/path}, or $${ for the text itself"),
        ("${A", "${ isn't closed; write ${NAME}, or $${ for the text itself"),
        ("${file:secret}", "'secret' is no whole path; write ${file:/path}"),
        (
            "${file:/nowhere/secret}",
            "can't read '/nowhere/secret': No such file or directory; check its path",
        ),
    ],
)
def test_a_word_that_isnt_to_be_had(text: str, said: str) -> None:
    with pytest.raises(NotUnderstood) as raised:
        Substitution(ENV).substituted(text)
    assert str(raised.value) == said


def test_a_file_gives_what_it_holds_without_its_last_line_end(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    assert Substitution({}).substituted(f"x${{file:{tmp_path}/secret}}y") == "xhunter2y"


def test_a_file_that_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "log").write_bytes(b"x" * (1 << 21))
    for name, said in (("image", "isn't text; save it as UTF-8"), ("log", "holds more than 1 MiB")):
        with pytest.raises(NotUnderstood, match=said):
            Substitution({}).substituted(f"${{file:{tmp_path}/{name}}}")


def test_what_a_journey_has_saved_is_left_for_later() -> None:
    saved = Saved(frozenset({"token"}))
    assert Substitution(ENV).substituted("${token} of ${USER}", saved) == "${token} of monitor"


def test_a_saved_name_wins_over_the_environment() -> None:
    assert Substitution(ENV).substituted("${USER}", Saved(frozenset({"USER"}))) == "${USER}"


@pytest.mark.parametrize("text", ["$${token}", "$$${token}{token}", "${EVIL}"])
def test_text_that_would_be_taken_for_a_saved_value(text: str) -> None:
    env = {"EVIL": "${token}"}
    if text == "$$${token}{token}":
        assert Substitution(env).substituted(text, Saved(frozenset({"token"}))) == "$${token}{token}"
        return
    with pytest.raises(NotUnderstood, match="it would be taken for a saved value"):
        Substitution(env).substituted(text, Saved(frozenset({"token"})))


def test_a_value_that_a_later_step_saves() -> None:
    with pytest.raises(NotUnderstood) as raised:
        Substitution({}).substituted("${token}", Saved(later={"token": 3}))
    assert str(raised.value) == "token isn't saved yet; step 4 saves it, and comes no earlier"


def test_all_that_was_put_anywhere_is_known() -> None:
    substitution = Substitution(ENV)
    substitution.substituted("${USER} $$ ${EMPTY}")
    assert substitution.words == ["monitor", ""]

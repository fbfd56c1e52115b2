import base64
import json
import pickle
from dataclasses import dataclass

import pytest

from trueup.domain.secret import Secret, hide, hide_in, secrets_in

CANARY = "canary-8f3e"


def test_a_secret_prints_as_stars_however_it_is_printed() -> None:
    secret = Secret(CANARY)
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!r:>20}",
        str([secret]),
        str({"a": secret}),
    ]
    assert all(CANARY not in text and "***" in text for text in shown)
    assert secret.reveal() == CANARY


def test_a_secret_is_not_serialised() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(CANARY))
    with pytest.raises(TypeError):
        json.dumps(Secret(CANARY))


def test_secrets_are_equal_by_their_word() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")


def test_what_a_peer_sends_back_is_hidden() -> None:
    assert hide(f"bad password {CANARY}!", [Secret(CANARY)]) == "bad password ***!"
    assert hide("up and running", [Secret("up")]) == "up and running"


def test_a_login_sent_back_as_it_travels_is_hidden() -> None:
    """RFC 7617: the base64 of user:password."""
    for user in ("u", "us", "use"):  # the word begins at any of three places in it
        coded = base64.b64encode(f"{user}:{CANARY}".encode()).decode()
        assert hide(f"Basic {coded}, not understood", [Secret(CANARY)]) == "Basic ***, not understood"
        assert hide(f"Basic {coded[:12]}…", [Secret(CANARY)]) == "Basic ***…"
    assert hide("authentication required by 0123456789", [Secret(CANARY)]).startswith("authentication")


def test_what_a_dataclass_names_as_secret_is_found() -> None:
    @dataclass
    class Headers:
        values: dict[str, str]

        @property
        def secrets(self) -> list[Secret]:
            return [Secret(word) for word in self.values.values()]

    assert list(secrets_in([Headers({"X-Key": CANARY})])) == [Secret(CANARY)]


def test_secrets_are_found_wherever_they_are() -> None:
    @dataclass
    class Inner:
        word: Secret

    found = list(secrets_in({"a": [Inner(Secret("one"))], "b": (Secret("two"), "three")}))
    assert found == [Secret("one"), Secret("two")]


def test_secrets_are_hidden_in_every_string_of_a_document() -> None:
    value = {"a": [f"x{CANARY}", 1, None], "b": {"c": CANARY}}
    assert hide_in(value, [Secret(CANARY)]) == {"a": ["x***", 1, None], "b": {"c": "***"}}


def test_what_a_cut_leaves_of_a_secret_is_hidden() -> None:
    word = Secret("swordfish")
    assert hide("you said swordf…", [word]) == "you said ***…"
    assert hide("…dfish is what", [word]) == "…*** is what"
    assert hide("a sw… b", [word]) == "a sw… b"
    assert hide("one swor… two sword…rdfish", [word]) == "one ***… two ***…***"

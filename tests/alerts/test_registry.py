"""Kinds of channels are found by their files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.alerts.made import FakeClock, channel
from trueup.alerts.channels.registry import all_kinds, sender_for
from trueup.alerts.secrecy import shown
from trueup.config.sections import OWN_SCHEMES

KINDS = ["alertmanager", "apprise", "ntfy", "pagerduty", "slack", "smtp", "telegram", "webhook"]


def test_every_file_is_a_kind() -> None:
    assert [kind.name for kind in all_kinds()] == KINDS


@pytest.mark.parametrize(
    ("to", "name"),
    [
        ("https://ops.example/hooks/trueup", "webhook"),
        ("HTTP://ops.example", "webhook"),
        ("tgram://token/chat", "telegram"),
        ("mailtos://user:secret@smtp.example?to=ops@example.org", "smtp"),
        ("discord://1/2", "apprise"),
        ("slack://a", "apprise"),
    ],
)
def test_a_channel_has_its_kind(to: str, name: str) -> None:
    assert sender_for(channel(to), FakeClock())[0].name == name


def test_no_scheme_has_two_kinds() -> None:
    taken = [(scheme, kind.form) for kind in all_kinds() for scheme in kind.schemes]
    assert len(taken) == len(set(taken))


def test_what_trueup_sends_to_by_itself_is_known_without_apprise() -> None:
    assert {scheme for kind in all_kinds() for scheme in kind.schemes} == OWN_SCHEMES


SCHEMES = [scheme for kind in all_kinds() for scheme in kind.schemes] + ["discord", "x"]


@given(
    scheme=st.sampled_from(SCHEMES),
    rest=st.text(st.sampled_from("ab1:@/?#&=%[]+. -,é\r\n0"), max_size=40),
    said=st.text(max_size=20),
)
def test_no_url_breaks_what_reads_it(scheme: str, rest: str, said: str) -> None:
    one = channel(f"{scheme}://{rest}")
    kind, _ = sender_for(one, FakeClock())
    assert scheme in kind.schemes or kind.name == "apprise"
    assert "\n" not in shown(said, one)

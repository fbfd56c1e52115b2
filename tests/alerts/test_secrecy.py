import pytest

from tests.alerts.made import channel
from trueup.alerts.secrecy import SAID_CHARS_MAX, shown
from trueup.domain.secret import Secret

# What a receiver or a library says, and what may be shown of it.
SAID = [
    ("tgram://123:t0ken-abc/-100500", "POST /bot123:t0ken-abc/send failed", "POST /bot***/send failed"),
    ("tgram://t0ken-abc/chat", "bott0ken-abc", "bot***"),
    ("https://ops.example/hooks/T0KEN9876", "no hook T0KEN9876 at ops.example", "no hook *** at ops.example"),
    ("https://ops.example/hooks?key=k3y1", "bad key k3y1", "bad key ***"),
    ("https://me:pa55@ops.example", "me: pa55 unknown", "me: *** unknown"),
    ("https://ops.example/a%2Fb%20secret", "a/b secret, a%2Fb%20secret", "***, ***"),
    (
        "mailtos://user:s3cret@smtp.example?to=a@b.example",
        "535 s3cret at smtp.example",
        "535 *** at smtp.example",
    ),
    ("mailto://mail?pass=s3cret&to=a@b.example", "s3cret for a@b.example", "*** for a@b.example"),
    ("pagerduty://integr4tion@apikey99", "integr4tion apikey99", "*** ***"),
    ("slack://T0AAAAAA/B0AAAAAA/X0AAAAAAA/#ops", "T0AAAAAA/B0AAAAAA/X0AAAAAAA #ops", "***/***/*** #ops"),
    ("slack://xoxb-12-34/#ops", "token xoxb-12-34", "token ***"),
    ("ntfy://tk_abcdefg@push.example/ops", "tk_abcdefg at push.example", "*** at push.example"),
    ("ntfy://h/ops?token=abcd1234", "abcd1234", "***"),
]


@pytest.mark.parametrize(("to", "said", "safe"), SAID)
def test_no_token_is_shown(to: str, said: str, safe: str) -> None:
    assert shown(said, channel(to)) == safe


def test_neither_are_the_secret_and_the_headers() -> None:
    one = channel("https://ops.example", secret=Secret("s3cret"), headers={"X-Key": Secret("k3y-of-mine")})
    assert shown("s3cret and k3y-of-mine", one) == "*** and ***"


def test_what_is_said_is_one_line_escaped_and_short() -> None:
    assert shown("a\x1b[2Jb\r\nc", channel()) == "a\\x1b[2Jb\\r\\nc"
    assert shown(b"caf\xe9", channel()) == "caf\\xe9"
    assert len(shown("x" * 5000, channel())) == SAID_CHARS_MAX

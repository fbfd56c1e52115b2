from trueup.domain.channel import Channel
from trueup.domain.secret import Secret


def test_only_the_scheme_of_a_channel_may_be_shown() -> None:
    channel = Channel(Secret("TGRAM://t0ken/chat"))
    assert channel.scheme == "tgram"
    assert "t0ken" not in repr(channel)

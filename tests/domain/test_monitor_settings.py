from trueup.domain.monitor_settings import Listen


def test_an_address_of_ipv6_is_shown_in_brackets() -> None:
    assert [str(Listen()), str(Listen("::1", 80))] == ["127.0.0.1:8642", "[::1]:80"]

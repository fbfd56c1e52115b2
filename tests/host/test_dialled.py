import pytest

from trueup.host.dialled import met_at


@pytest.mark.parametrize(
    ("called", "met"),
    [
        ("0.0.0.0", "127.0.0.1"),
        ("::", "::1"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("FE80:0::1%eth0", "fe80::1"),
        ("10.0.0.7", "10.0.0.7"),
        ("shop.example", "shop.example"),
        ("", ""),
    ],
)
def test_where_a_call_arrives(called: str, met: str) -> None:
    assert met_at(called) == met

from pathlib import Path

from trueup.engine.routes import has_default_route, leads_out_v4, leads_out_v6

HEADER = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
LAN = "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
DEFAULT = "eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
NOTHING = "0" * 32
NOWHERE_V6 = f"{NOTHING} 00 {NOTHING} 00 {NOTHING} ffffffff 00000001 00000000 00200200       lo\n"
DEFAULT_V6 = f"{NOTHING} 00 {NOTHING} 00 fe800000000000000000000000000001 00000400 1 0 00000003 eth0\n"


def test_a_default_route_leads_out_and_a_local_network_does_not() -> None:
    assert leads_out_v4(HEADER + LAN + DEFAULT)
    assert not leads_out_v4(HEADER + LAN)
    assert not leads_out_v4(HEADER + DEFAULT.replace("0003", "0201"))
    assert leads_out_v6(NOWHERE_V6 + DEFAULT_V6)
    assert not leads_out_v6(NOWHERE_V6)
    assert not leads_out_v6("")


def test_each_family_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "route").write_text(HEADER + DEFAULT)
    (tmp_path / "ipv6_route").write_text(NOWHERE_V6)
    assert has_default_route("192.0.2.1", tmp_path)
    assert not has_default_route("2001:db8::1", tmp_path)


def test_what_can_not_be_read_blames_nobody_of_us(tmp_path: Path) -> None:
    assert has_default_route("192.0.2.1", tmp_path)

import pytest

from tests.host.units import unit
from trueup.host.software import (
    SOFTWARE,
    configuration_of,
    patterns,
    schemes_of_unit,
    software_of,
    stands_for_others,
)


def test_the_tls_of_a_scheme_is_the_same_software() -> None:
    assert software_of("rediss") is SOFTWARE["redis"]
    assert software_of("submission") is SOFTWARE["smtp"]
    assert software_of("tcp") is None


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("postgresql@15-main.service", "postgres"),
        ("postgresql-15.service", "postgres"),
        ("mariadb.service", "mysql"),
        ("redis-server.service", "redis"),
        ("ssh.socket", "ssh"),
    ],
)
def test_units_by_distribution(name: str, scheme: str) -> None:
    assert scheme in schemes_of_unit(name)


def test_what_is_nobodys() -> None:
    assert schemes_of_unit("shop.service") == ()
    assert configuration_of("java") == ()
    assert "/etc/nginx" in configuration_of("nginx")


def test_debians_postgresql_stands_for_its_clusters() -> None:
    assert stands_for_others(unit("postgresql.service", type="oneshot", command=("/bin/true",)))
    assert not stands_for_others(unit("postgresql.service", type="notify", command=("/usr/bin/postgres",)))


def test_names_of_processes_are_as_long_as_the_kernel_keeps_them() -> None:
    assert all(len(name) <= 15 for software in SOFTWARE.values() for name in software.processes)
    assert len(set(patterns())) == len(patterns())

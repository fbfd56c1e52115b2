import pytest

from tests.host.units import unit
from trueup.host.boot_survival import starts_at_boot


@pytest.mark.parametrize(
    ("state", "starts"),
    [
        ("enabled", True),
        ("disabled", False),
        ("static", False),
        ("indirect", False),
        ("masked", False),
        ("masked-runtime", False),
        ("enabled-runtime", False),
        ("linked", False),
        ("transient", False),
        ("generated", False),
    ],
)
def test_a_unit_that_nothing_pulls_in(state: str, starts: bool) -> None:
    assert starts_at_boot(unit(unit_file_state=state), {}).starts is starts


@pytest.mark.parametrize("state", ["disabled", "static", "indirect", "generated"])
def test_a_target_of_the_boot_pulls_it_in(state: str) -> None:
    wanted = unit(unit_file_state=state, wanted_by=("multi-user.target",))
    assert starts_at_boot(wanted, {}).starts is True


def test_a_mask_outweighs_what_wants_it() -> None:
    assert (
        starts_at_boot(unit(unit_file_state="masked", wanted_by=("multi-user.target",)), {}).starts is False
    )


def test_an_enabled_socket_starts_its_service_on_demand() -> None:
    socket = unit("shop.socket", unit_file_state="enabled")
    service = unit("shop.service", unit_file_state="static", triggered_by=("shop.socket",))
    found = starts_at_boot(service, {"shop.socket": socket})
    assert found.starts is True
    assert found.why == "is started on demand by shop.socket, which is enabled"


def test_a_disabled_socket_does_not() -> None:
    socket = unit("shop.socket", unit_file_state="disabled")
    service = unit("shop.service", unit_file_state="static", triggered_by=("shop.socket",))
    assert starts_at_boot(service, {"shop.socket": socket}).starts is False


@pytest.mark.parametrize(("parent", "starts"), [("enabled", True), ("disabled", False)])
def test_a_generated_instance_follows_its_parent(parent: str, starts: bool) -> None:
    """As postgresql@15-main.service, which Debian's generator hangs below postgresql.service."""
    postgresql = unit("postgresql.service", unit_file_state=parent)
    instance = unit(
        "postgresql@15-main.service",
        unit_file_state="enabled-runtime",
        wants_generated=True,
        wanted_by=("postgresql.service",),
    )
    assert starts_at_boot(instance, {"postgresql.service": postgresql}).starts is starts


def test_what_was_not_looked_at_leaves_it_open() -> None:
    assert starts_at_boot(unit(unit_file_state="static", wanted_by=("other.service",)), {}).starts is None
    assert starts_at_boot(unit(load_state="not-found", unit_file_state=""), {}).starts is None


def test_a_circle_ends() -> None:
    one = unit("one.service", unit_file_state="static", wanted_by=("two.service",))
    two = unit("two.service", unit_file_state="static", wanted_by=("one.service",))
    assert starts_at_boot(one, {"one.service": one, "two.service": two}).starts is None

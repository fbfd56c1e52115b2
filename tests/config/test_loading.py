import gc
import shutil
import time
from pathlib import Path

import pytest

from tests.config.written import loaded
from trueup.config import Configuration, ConfigurationError, load
from trueup.domain.journey import HttpRequest, MailRoundTrip, StepKind
from trueup.domain.secret import Secret
from trueup.domain.target import Kind
from trueup.domain.tier import Tier

EXAMPLE = Path(__file__).parent / "contract_example.yaml"
ENV = {"DB_PASSWORD": "pw1", "PROBE_PASSWORD": "pw2", "HOOK_SECRET": "pw3"}
REST = "services:\n  storage: tcp://10.0.0.8:2049\n  mail: smtp://mail.example\n"
"""What the contract's example needs and doesn't define."""


@pytest.fixture
def example(tmp_path: Path) -> Configuration:
    shutil.copy(EXAMPLE, tmp_path)
    (tmp_path / "rest.yaml").write_text(REST)
    return load(tmp_path, ENV)


def test_the_contracts_example_alone_lacks_the_two_targets_that_it_needs() -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(EXAMPLE, ENV)
    assert [(problem.line, problem.path, problem.problem) for problem in raised.value.problems] == [
        (11, "services.shop-db.needs[0]", "there is no target 'storage'"),
        (25, "journeys.checkout.needs[3]", "there is no target 'mail'"),
    ]


def test_the_contracts_example_loads(example: Configuration) -> None:
    assert [(target.name, target.kind) for target in example.targets] == [
        ("shop-db", Kind.SERVICE),
        ("shop-web", Kind.SERVICE),
        ("cache", Kind.SERVICE),
        ("storage", Kind.SERVICE),
        ("mail", Kind.SERVICE),
        ("checkout", Kind.JOURNEY),
        ("nightly-backup", Kind.HEARTBEAT),
    ]
    (check,) = example.checks["shop-db"]
    assert check.options.login.password == Secret("pw1")
    assert (check.options.query, check.options.expect.role) == ("select count(*) from orders", "primary")
    (check,) = example.checks["shop-web"]
    assert check.tls is not None
    assert check.tls.expires_within_s == 14 * 86400
    assert check.options.expect.json == {"db.status": "up"}
    assert example.policies["checkout"] == Tier(60, remind_s=3600)
    assert set(example.channels) == {"pager", "mail", "hook", "am"}
    assert example.channels["am"].secret == Secret("pw3")
    assert str(example.places["cache"]).endswith("contract_example.yaml:21")


def test_the_journey_of_the_contracts_example(example: Configuration) -> None:
    steps = example.journeys["checkout"].steps
    kinds = [StepKind.HTTP, StepKind.HTTP, StepKind.REDIS, StepKind.POSTGRES, StepKind.MAIL, StepKind.HTTP]
    assert [step.kind for step in steps] == kinds
    login, cart, *_, mail, delete = steps
    assert isinstance(login.action, HttpRequest)
    assert login.action.json == {"user": "probe", "password": "pw2"}
    assert login.secrets == (Secret("pw2"),)
    assert [save.name for save in login.save] == ["token"]
    assert isinstance(cart.action, HttpRequest)
    assert cart.action.headers == {"Authorization": Secret("Bearer ${token}")}
    assert isinstance(mail.action, MailRoundTrip)
    assert mail.action.within_s == 60.0
    assert isinstance(delete.action, HttpRequest)
    assert (delete.action.method, delete.always) == ("DELETE", True)


def test_the_tiers_of_the_contracts_example_are_the_defaults(example: Configuration) -> None:
    assert example.tiers == load(None, {}).tiers


def test_without_a_file_there_are_the_defaults_and_no_target() -> None:
    configuration = load(None, {})
    assert configuration.targets == ()
    assert configuration.policies == {}
    assert str(configuration.monitor.listen) == "127.0.0.1:8642"


def test_the_same_text_gives_an_equal_configuration(example: Configuration, tmp_path: Path) -> None:
    again = load(tmp_path, ENV)
    assert again == example
    other = load(tmp_path, {**ENV, "DB_PASSWORD": "changed"})
    assert other.checks["shop-web"] == example.checks["shop-web"]
    assert other.checks["shop-db"] != example.checks["shop-db"]


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_collection_is_left_as_it_was(*, enabled: bool) -> None:
    was = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        loaded("services: {a: redis://h}")
        assert gc.isenabled() is enabled
        with pytest.raises(ConfigurationError):
            loaded("services: {a: nothing}")
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()


def _services(count: int) -> str:
    keys = 'tier: 1\n    login: {user: m, password: "${DB_PASSWORD}"}\n    slow: 100ms\n    tags: [a, b]'
    return "services:\n" + "".join(
        f"  svc-{n}:\n    at: postgres://db{n}.internal/shop\n    {keys}\n    needs: [svc-{max(n - 1, 0)}]\n"
        for n in range(1, count)
    ).replace("needs: [svc-0]", "needs: []")


def _cpu_s(count: int) -> float:
    text = _services(count)
    took = []
    for _ in range(3):
        start = time.process_time()
        loaded(text, ENV)
        took.append(time.process_time() - start)
    return min(took)


def test_ten_times_the_services_take_ten_times_as_long() -> None:
    loaded(_services(10), ENV)  # what is made once
    assert _cpu_s(3000) < 25 * _cpu_s(300)

"""Steps that are one look each, with real servers: DNS, AMQP, and any address."""

from tests.beds.nats import nats
from tests.beds.server import Server, free_port
from tests.beds.unbound import unbound
from tests.checks.strangers import stranger
from tests.journeys.performed import perform
from trueup.domain.states import State


def test_dns_healthy_and_broken() -> None:
    with unbound() as server:
        at = f"{server.url}/www.example.test"
        step = f"- dns: {at}\n  expect: {{records: [192.0.2.80]}}"
        assert perform(step).verdict.state is State.UP
        other = perform(f"- dns: {at}\n  expect: {{records: [192.0.2.81]}}")
        assert other.inner == ("1 dns", "wrong-answer")
        assert other.failed.facts["expected"] == "records: '192.0.2.81'"
        unknown = perform(f"- dns: {server.url}/nobody.example.test")
        assert unknown.verdict.state is State.DOWN
        with server.paused():
            assert perform(f"- {{dns: '{at}', timeout: 500ms}}").inner == ("1 dns", "silent")
    assert perform(step).inner[0] == "1 dns"


def test_amqp_healthy_and_broken(rabbitmq_server: Server) -> None:
    at = f"amqp://guest:guest@127.0.0.1:{rabbitmq_server.port}"
    done = perform(f"- amqp: {{at: '{at}', roundtrip: true}}")
    assert done.verdict.state is State.UP, done.verdict.summary
    assert "amqp://guest:***@" in done.look.observations[0].detail
    refused = perform(f"- amqp: {{at: '{at.replace(':guest@', ':other-word@')}', roundtrip: true}}")
    assert refused.inner == ("1 amqp", "login-refused")
    nowhere = perform(f"- amqp: {{at: '{at}', queue: no-such-queue}}")
    assert nowhere.verdict.state is State.DOWN
    gone = perform(f"- amqp: amqp://127.0.0.1:{free_port()}")
    assert gone.inner == ("1 amqp", "refused")
    assert gone.verdict.next


def test_any_address_whole_and_broken() -> None:
    with nats() as server:
        assert perform(f"- probe: {server.url}").verdict.state is State.UP
        assert perform(f"- probe: 127.0.0.1:{server.port}").verdict.state is State.UP
        wrong = perform(f"- probe: redis://127.0.0.1:{server.port}")
    assert wrong.inner == ("1 probe", "wrong-service")
    assert wrong.failed.facts["found"] == "nats"
    assert perform(f"- probe: 127.0.0.1:{free_port()}").inner == ("1 probe", "refused")
    with stranger(None) as silent:
        assert perform(f"- {{probe: 'nats://127.0.0.1:{silent}', timeout: 400ms}}").inner == (
            "1 probe",
            "silent",
        )

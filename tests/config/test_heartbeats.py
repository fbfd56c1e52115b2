import pytest

from tests.config.written import loaded, problem
from trueup.domain.secret import Secret
from trueup.domain.target import Kind

FIELDS = '4 fields where cron has 5; write minute hour day month weekday, as in "0 3 * * *"'


def test_a_heartbeat_is_a_target_with_a_promise() -> None:
    text = "heartbeats: {job: {every: 24h, grace: 1h, tier: 1, needs: [db], tags: batch}}\nservices: {db: redis://h}"
    configuration = loaded(text)
    target = configuration.targets[1]
    assert (target.name, target.kind, target.tier, target.needs) == ("job", Kind.HEARTBEAT, 1, ("db",))
    heartbeat = configuration.heartbeats["job"]
    assert (heartbeat.every_s, heartbeat.grace_s, heartbeat.cron) == (86400, 3600, None)
    assert configuration.policies["job"].every_s == 60  # its period is no interval between looks


def test_a_heartbeat_by_cron() -> None:
    text = """
        heartbeats:
          job: {cron: "0 3 * * *", timezone: Europe/Berlin, token: t0ken, alert: [], when: business}
        """
    configuration = loaded(text)
    heartbeat = configuration.heartbeats["job"]
    assert str(heartbeat.cron) == "0 3 * * *"
    assert str(heartbeat.timezone) == "Europe/Berlin"
    assert heartbeat.token == Secret("t0ken")
    assert (configuration.policies["job"].alert, configuration.policies["job"].when) == ((), "business")


def test_a_service_may_have_a_heartbeat_too() -> None:
    configuration = loaded("services: {a: {at: redis://h, heartbeat: {every: 5m}}}")
    assert configuration.heartbeats["a"].every_s == 300


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("{grace: 1h}", "1: heartbeats.job: it has neither every: nor cron:; write one of them"),
        (
            '{every: 1h, cron: "@daily"}',
            "1: heartbeats.job: it has every: and cron:; write one of them",
        ),
        (
            '{cron: "0 3 * *"}',
            f"1: heartbeats.job.cron: {FIELDS}",
        ),
        ("{every: 24}", "1: heartbeats.job.every: 24 has no unit; write 24s"),
        ("{evry: 24h}", "1: heartbeats.job.evry: unknown key 'evry'; did you mean every?"),
        ("24h", None),
        ("{every: 1h, when: never}", None),
    ],
)
def test_what_is_wrong_with_a_heartbeat(keys: str, said: str | None) -> None:
    found = problem(f"heartbeats: {{job: {keys}}}")
    assert said is None or found == said


def test_a_name_of_two_kinds_of_targets() -> None:
    text = "services:\n  job: redis://h\nheartbeats:\n  job: {every: 1h}\n"
    assert (
        problem(text) == "4: heartbeats.job: the name is taken; it is one of the services at 2; take another"
    )

"""No word from the environment or from a file, and no password, is ever in a message."""

from pathlib import Path

import pytest

from tests.config.written import loaded, problems
from trueup.domain.secret import Secret, secrets_in

ENV = {"CANARY": "c4nary-hunter2"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: {db: '${CANARY}'}", "'${CANARY}' names no port and no scheme"),
        ("services: {db: 'postgress://u:${CANARY}@h'}", "unknown scheme 'postgress'"),
        ("services: {db: 'redis://${CANARY}:x'}", "has no valid port"),
        ("services: {db: {at: redis://h, slow: '${CANARY}'}}", "'${CANARY}' is no duration"),
        ("services: {db: {at: redis://h, tier: '${CANARY}'}}", "it needs a whole number, not '${CANARY}'"),
        ("services: {db: {at: redis://h, internal: '${CANARY}'}}", "it needs true or false, not '${CANARY}'"),
        ("services: {db: {at: redis://h, needs: '${CANARY}'}}", "there is no target '${CANARY}'"),
        ("services: {db: {at: redis://h, alert: '${CANARY}'}}", "there is no channel '${CANARY}'"),
        ("services: {db: {at: redis://h, when: '${CANARY}'}}", "'${CANARY}' is none of always business"),
        ("services: {db: {at: redis://h, expect: '${CANARY}'}}", "it needs keys, not '${CANARY}'"),
        ("services: {db: {at: redis://h, expect: {role: '${CANARY}'}}}", "'${CANARY}' is none of primary"),
        ("services: {db: {at: https://h, expect: {status: '${CANARY}'}}}", "'***' is no status"),
        ("channels: {x: '${CANARY}'}", "it isn't a URL"),
        ("monitor: {listen: '${CANARY}'}", "'${CANARY}' names no port"),
        ("monitor: {store: 'mysql://x:${CANARY}@h'}", "unknown scheme 'mysql'"),
        ("monitor: {trusted_proxies: '${CANARY}'}", "'${CANARY}' is no network"),
        ("business_hours: {timezone: '${CANARY}'}", "'${CANARY}' is no time zone"),
        ("heartbeats: {x: {cron: '${CANARY}'}}", "1 field where cron has 5"),
        ("maintenance: [{targets: '${CANARY}', for: 1h, cron: '@daily'}]", "there is no target '${CANARY}'"),
        ("uplink: '${CANARY}'", "'${CANARY}' names no port"),
        ("status_page: {groups: {x: '${CANARY}'}}", "there is no target '${CANARY}'"),
    ],
)
def test_a_word_from_elsewhere_is_said_as_it_is_written(text: str, said: str) -> None:
    found = "\n".join(problems(text, ENV))
    assert said in found
    assert "c4nary" not in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    "text",
    [
        "services: {db: {at: redis://h, login: [c4nary]}}",
        "services: {db: {at: redis://h, login: {password: [c4nary]}}}",
        "services: {db: {at: 'postgres://u:c4nary@h:port'}}",
        "services: {db: 'postgress://u:c4nary@h'}",
        "channels: {x: c4nary}",
        "channels: {x: {to: c4nary}}",
        "monitor: {watchdog: c4nary}",
        "services: {db: {at: redis://h, login: {password: *c4nary}}}",
        "services: {db: {at: redis://h, login: {password: !c4nary!x}}}",
        "services: {db: {at: redis://h, login: {password: 'c4nary}}}",
    ],
)
def test_a_password_that_is_written_isnt_said(text: str) -> None:
    assert "c4nary" not in "\n".join(problems(text))


def test_a_secret_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("c4nary-hunter2\n")
    text = "services: {db: {at: redis://h, login: '${file:%s}', slow: '${file:%s}'}}"
    found = "\n".join(problems(text % (tmp_path / "secret", tmp_path / "secret")))
    assert "c4nary" not in found


def test_where_a_key_is_secret_its_value_is_a_secret() -> None:
    text = """
        services:
          db: {at: "redis://u:${CANARY}@h", login: "${CANARY}"}
          web: {at: https://h, http: {headers: {X: "${CANARY}"}}}
        channels:
          hook: {to: "https://h/${CANARY}", secret: "${CANARY}", headers: {X: "${CANARY}"}}
        heartbeats: {job: {every: 1h, token: "${CANARY}"}}
        monitor: {watchdog: "https://h/${CANARY}", store: "postgres://u:${CANARY}@h"}
        """
    configuration = loaded(text, ENV)
    assert "c4nary" not in repr(configuration)
    assert {Secret("c4nary-hunter2"), Secret("https://h/c4nary-hunter2")} == set(secrets_in(configuration))


def test_the_words_of_a_step_are_its_secrets_but_for_those_that_its_address_shows() -> None:
    text = """
        journeys:
          j:
            steps:
              - http: {post: "https://${HOST}/", json: {password: "${CANARY}", again: ["${CANARY}"]}}
              - http: {get: "https://${HOST}/"}
        """
    one, other = loaded(text, {**ENV, "HOST": "shop.example"}).journeys["j"].steps
    assert one.secrets == (Secret("c4nary-hunter2"),)
    assert other.secrets == ()

"""The order of steps: what runs, what doesn't, what is cleaned up, and what is said of it."""

import time

import pytest

from tests.beds.redis import redis
from tests.beds.server import Server, free_port
from tests.checks.strangers import stranger
from tests.journeys.application import application
from tests.journeys.performed import perform
from trueup.domain.causes import Cause
from trueup.domain.journey import Step
from trueup.domain.states import Outcome, State
from trueup.journeys.walk import StepResult, Walk


def test_nothing_runs_after_a_failure_but_the_clean_up() -> None:
    with application() as app:
        done = perform(
            f"""
            - {{name: look, http: {app.url}/nowhere}}
            - {{name: pay, http: {{post: "{app.url}/pay"}}}}
            - {{name: clean, http: {{delete: "{app.url}/round", redirects: false}}, always: true}}
            """
        )
    assert done.outcomes == ["fail", "pass"]
    assert app.requests == ["GET /nowhere", "DELETE /round"]
    assert done.failed.facts["not_run"] == ["pay"]
    assert set(done.failed.facts["took_ms"]) == {"look", "clean"}
    assert done.verdict.summary.startswith("checkout fails at step 1 of 3 (look): GET")


def test_a_clean_up_that_fails_is_a_failure_too_and_the_first_is_named() -> None:
    with application() as app:
        gone = f"- {{name: clean, http: {{delete: '{app.url}/gone'}}, always: true}}"
        done = perform(f"- {{name: first, http: {app.url}/round}}\n{gone}")
        alone = perform(gone)
    assert done.outcomes == ["fail", "fail"]
    assert done.inner[0] == "first"
    assert "(first)" in done.verdict.summary
    assert (alone.verdict.state, alone.inner[0]) == (State.DOWN, "clean")


def test_nothing_is_cleaned_up_of_what_never_was() -> None:
    with application() as app:
        done = perform(
            f"""
            - http: {app.url}/nowhere
              save: {{cart: json.cart}}
            - {{http: {{delete: "{app.url}/cart/${{cart}}"}}, always: true}}
            """
        )
    assert app.requests == ["GET /nowhere"]
    assert done.failed.facts["not_run"] == ["2 http (nothing has saved cart)"]


def test_no_step_starts_after_the_deadline_but_the_clean_up() -> None:
    with stranger(None) as silent, application() as app:
        began_s = time.monotonic()
        done = perform(
            f"""
            - redis: redis://127.0.0.1:{silent}
            - http: {app.url}/cart
            - {{http: {{delete: "{app.url}/round", redirects: false}}, always: true}}
            """,
            keys="timeout: 500ms",
        )
    assert done.outcomes == ["fail", "pass"]
    assert done.inner == ("1 redis", "silent")
    assert app.requests == ["DELETE /round"]
    assert time.monotonic() - began_s < 10


def test_a_step_has_a_time_of_its_own() -> None:
    with stranger(None) as silent:
        done = perform(f"- {{redis: redis://127.0.0.1:{silent}, timeout: 300ms}}")
    assert done.inner == ("1 redis", "silent")
    assert "within 0.3 s" in done.verdict.summary


def test_slow_steps_and_a_slow_journey() -> None:
    with redis() as server:
        done = perform(
            f"- {{redis: {server.url}, slow: 1ms, name: a}}\n- redis: {server.url}", keys="slow: 1h"
        )
        assert done.verdict.state in (State.UP, State.DEGRADED)
        step = perform(f"- {{redis: {{at: {server.url}, roundtrip: true}}, slow: 0ms}}")
        whole = perform(f"- redis: {server.url}\n- redis: {server.url}", keys="slow: 0ms")
    assert (step.verdict.state, step.verdict.cause) == (State.DEGRADED, "slow")
    assert step.verdict.summary.startswith("checkout works, but slowly: step 1 of 1 (redis)")
    assert step.outcomes == ["slow"]
    assert whole.outcomes == ["pass", "pass", "slow"]
    assert "its 2 steps take" in whole.verdict.summary


def test_redis_healthy_and_broken() -> None:
    with redis() as server:
        step = f"- redis: {{at: {server.url}, roundtrip: true}}"
        assert perform(step).verdict.state is State.UP
    assert perform(step).inner == ("1 redis", "refused")
    with redis(requirepass="sesame") as server:
        locked = perform(f"- redis: {{at: {server.url}, roundtrip: true}}")
        assert locked.inner == ("1 redis", "login-refused")
        assert locked.failed.facts["expected"] == "what is written is read back"
    with redis(min_replicas_to_write=1) as server:
        assert perform(f"- redis: {{at: {server.url}, roundtrip: true}}").inner == ("1 redis", "read-only")


def test_postgres_healthy_and_broken(postgres_server: Server) -> None:
    url = f"postgres://postgres@127.0.0.1:{postgres_server.port}/postgres"
    done = perform(
        f"""
        - postgres: {{at: {url}, query: "select 'n-' || 41 + 1"}}
          save: {{n: value}}
        - postgres: {{at: {url}, query: "select 1 where 'n-42' = '${{n}}'"}}
          expect: {{rows: 1}}
        """
    )
    assert done.verdict.state is State.UP, done.verdict.summary
    none = perform(f"- postgres: {{at: {url}, query: select 1 where false}}\n  expect: {{rows: 1}}")
    assert none.inner == ("1 postgres", "wrong-answer")
    assert none.failed.facts["expected"] == "rows: 1"
    assert none.failed.facts["seen"] == "the query gives 0 rows, and 1 are expected"
    error = perform(f"- postgres: {{at: {url}, query: select * from nowhere}}")
    assert error.inner == ("1 postgres", "error-answer")
    empty = perform(
        f"- postgres: {{at: {url}, query: select null}}\n  save: {{n: value}}\n- redis: 'redis://127.0.0.1:1/${{n}}'"
    )
    assert empty.inner == ("1 postgres", "wrong-answer")
    assert "it is NULL" in empty.verdict.summary
    gone = perform(f"- postgres: postgres://127.0.0.1:{free_port()}")
    assert gone.inner == ("1 postgres", "refused")


def test_mysql_healthy_and_broken(mariadb_server: Server) -> None:
    url = f"mysql://root:@127.0.0.1:{mariadb_server.port}"
    done = perform(
        f"""
        - mysql: {{at: "{url}", query: "select 40 + 2"}}
          save: {{n: value}}
        - mysql: {{at: "{url}", query: "select 'yes' where 42 = ${{n}}"}}
          expect: {{value: "yes"}}
        """
    )
    assert done.verdict.state is State.UP, done.verdict.summary
    wrong = perform(f"- mysql: {{at: '{url}', query: select 1}}\n  expect: {{value: 2}}")
    assert wrong.inner == ("1 mysql", "wrong-answer")
    assert wrong.failed.facts["expected"] == "value: 2"
    stranger_to_it = url.replace("root:", "nobody:wrong-word")
    refused = perform(f"- mysql: {{at: '{stranger_to_it}', query: select 1}}")
    assert refused.inner == ("1 mysql", "login-refused")


def test_our_own_trouble_is_no_failure() -> None:
    """A file of ours that isn't there: nobody is blamed, and a clean-up that fails then proves nothing."""
    with application() as app:
        done = perform(
            f"""
            - http: {app.url.replace("http:", "https:")}/
            - http: {app.url}/cart
            - {{http: {{delete: "{app.url}/gone"}}, always: true}}
            """,
            keys="tls: {ca: /nonexistent/ca.pem}",
        )
    assert done.outcomes == ["unknown", "unknown"]
    assert (done.verdict.state, done.verdict.blame) == (State.UNKNOWN, None)


def test_a_step_that_comes_too_late_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    async def take(_walk: Walk, step: Step, timeout_s: float) -> StepResult:
        taken.append((step.name, timeout_s))
        return StepResult(Outcome.PASS, "done", took_ms=900.0)

    monkeypatch.setattr("trueup.journeys.perform.performer_of", lambda _kind: take)
    steps = "\n".join(f"- {{name: {name}, redis: 'redis://127.0.0.1'}}" for name in "abc")
    clean = "\n- {name: d, redis: 'redis://127.0.0.1', always: true}" * 3
    done = perform(steps + clean, keys="timeout: 1500ms")
    assert [name for name, _ in taken] == ["a", "b", "d", "d", "d"]
    assert [round(left_s, 1) for _, left_s in taken] == [1.5, 0.6, 10.0, 10.0, 10.0]
    assert done.inner == ("c", "slow")
    assert "not begun: the steps before it took 1.8 s of 1.5 s" in done.verdict.summary


def test_clean_up_has_no_more_than_its_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []

    async def take(_walk: Walk, _step: Step, timeout_s: float) -> StepResult:
        given.append(round(timeout_s, 3))
        return StepResult(Outcome.FAIL, "no", Cause.SILENT, took_ms=timeout_s * 1000)

    monkeypatch.setattr("trueup.journeys.perform.performer_of", lambda _kind: take)
    clean = "\n- {redis: 'redis://127.0.0.1', always: true}" * 4
    done = perform("- redis: redis://127.0.0.1" + clean, keys="timeout: 2s")
    assert given == [2.0, 10.0, 10.0]
    assert done.outcomes == ["fail"] * 5

"""A whole monitor: a real process, real services, and a receiver of what it tells."""

import contextlib
import os
import signal
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.beds.redis import redis
from tests.beds.server import Server
from tests.beds.webhook import Webhook, webhook
from tests.cli.monitor import Monitor, monitor
from tests.cli.trueup import trueup

QUICK = "tiers: {2: {every: 1s, confirm: {failures: 2, apart: 300ms}, recover: 2}}\n"


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as receiver:
        yield receiver


def channels(hook: Webhook) -> str:
    return f"{QUICK}channels: {{hook: '{hook.url}'}}\n"


def kill(*servers: Server) -> None:
    for server in servers:
        server.signal(signal.SIGKILL)


def events(hook: Webhook) -> list[str]:
    return [f"{target} {event}" for target, event in hook.told()]


def test_an_outage_is_told_and_so_is_its_end(tmp_path: Path, hook: Webhook) -> None:
    with redis() as server:
        port = server.port
        configuration = (
            channels(hook) + f"services:\n  cache: {{at: '{server.url}', runbook: 'https://x.example/'}}\n"
        )
        with monitor(tmp_path, configuration) as ran:
            assert ran.target("cache")["hard"] is True
            kill(server)
            hook.wait_for(lambda told: ("cache", "opened") in told)
            assert ran.get("/health/cache")[0] == 503
            (incident,) = ran.incidents()
            assert ran.target("cache")["incident"] == incident["id"]
            with redis(port=port):
                hook.wait_for(lambda told: ("cache", "closed") in told)
                ran.until(lambda: ran.get("/health/cache")[0] == 200)
            metrics = ran.get("/metrics")[1].decode()
            history = ran.json("/api/v1/targets/cache/history?since=1h")
            (incident,) = ran.incidents()
    assert events(hook) == ["cache opened", "cache closed"]
    opened, closed = hook.events
    assert (opened["state"], opened["blame"], closed["state"]) == ("down", "cache", "up")
    assert closed["cause"] == opened["cause"]
    assert opened["id"] != closed["id"]
    assert opened["incident"] == closed["incident"] == incident["id"]
    assert incident["closed_at"] is not None
    assert [told["event"] for told in incident["notifications"]] == ["opened", "closed"]
    assert 'trueup_notifications_total{channel="hook",result="sent"} 2' in metrics
    assert "trueup_incidents_open 0" in metrics
    assert {state for point in history["points"] for state in point["counts"]} == {"up", "down"}


@pytest.mark.parametrize("parent_first", [True, False])
def test_whoever_fails_first_the_root_alone_is_told(
    tmp_path: Path, hook: Webhook, *, parent_first: bool
) -> None:
    with redis() as parent, redis() as child:
        configuration = channels(hook) + (
            f"services:\n  web: {{at: '{child.url}', needs: [db]}}\n  db: {{at: '{parent.url}'}}\n"
        )
        with monitor(tmp_path, configuration) as ran:
            kill(*((parent, child) if parent_first else (child, parent)))
            hook.wait_for(bool)
            ran.until(lambda: len(ran.incidents()) == 2)
            held = next(one for one in ran.incidents() if one["target"] == "web")
            ran.until(lambda: ran.json(f"/api/v1/incidents/{held['id']}")["held_by"] == "db")
            assert ran.target("web")["incident"] == held["id"]
    assert events(hook) == ["db opened"]
    assert hook.events[0]["impact"] == ["web"]


def test_a_restart_says_nothing_twice(tmp_path: Path, hook: Webhook) -> None:
    with redis() as server:
        configuration = channels(hook) + f"services:\n  cache: {{at: '{server.url}'}}\n"
        with monitor(tmp_path, configuration) as ran:
            kill(server)
            hook.wait_for(lambda told: ("cache", "opened") in told)
            ran.until(lambda: ran.incidents()[0]["notifications"][0]["sent_at"] is not None)
            (before,) = ran.incidents()
            ran.process.kill()
            ran.process.wait()
        with monitor(tmp_path, configuration) as ran:
            ran.until(lambda: ran.target("cache")["state"] == "down")
            assert ran.target("cache")["incident"] == before["id"]
            assert ran.target("cache")["hard"] is True
            with redis(port=server.port):
                hook.wait_for(lambda told: ("cache", "closed") in told)
            (after,) = ran.incidents()
    assert events(hook) == ["cache opened", "cache closed"]
    assert after["id"] == before["id"]
    assert len({one["id"] for one in hook.events}) == 2


def test_an_alert_that_a_crash_cuts_off_is_sent_again_under_its_id(tmp_path: Path, hook: Webhook) -> None:
    with redis() as server:
        configuration = channels(hook) + f"services:\n  cache: {{at: '{server.url}'}}\n"
        with monitor(tmp_path, configuration) as ran:
            hook.before_answer = lambda _: ran.process.kill()
            kill(server)
            hook.wait_for(bool)
            ran.process.wait()
        hook.before_answer = lambda _: None
        with monitor(tmp_path, configuration), redis(port=server.port):
            hook.wait_for(lambda told: ("cache", "closed") in told)
    assert [one["event"] for one in hook.events] == ["opened", "opened", "closed"]
    assert hook.events[0] == hook.events[1]


def test_a_failure_before_a_restart_and_one_after_it_are_two(tmp_path: Path, hook: Webhook) -> None:
    """What was counted before a crash still counts."""
    slow = channels(hook).replace("failures: 2, apart: 300ms", "failures: 2, apart: 8s")
    with redis() as server:
        configuration = slow + f"services:\n  cache: {{at: '{server.url}', host: elsewhere}}\n"
        with monitor(tmp_path, configuration) as ran:
            kill(server)
            ran.until(lambda: ran.target("cache")["state"] == "down")
            began = ran.target("cache")["since"]
            assert ran.target("cache")["hard"] is False
            ran.until(lambda: '"row"' in kept_memory(ran.data, "cache"))
            ran.process.kill()
            ran.process.wait()
        with monitor(tmp_path, configuration) as ran:
            hook.wait_for(lambda told: told == [("cache", "opened")], within_s=60)
            (incident,) = ran.incidents()
    assert abs(seconds(incident["opened_at"]) - seconds(began)) < 1
    assert seconds(incident["confirmed_at"]) - seconds(incident["opened_at"]) >= 7


def kept_memory(data: Path, target: str) -> str:
    with contextlib.closing(sqlite3.connect(data / "state.db")) as database:
        row = database.execute("select memory from verdict where target = ?", (target,)).fetchone()
    return str(row[0]) if row is not None else ""


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def reload(ran: Monitor, folder: Path, configuration: str) -> None:
    (folder / "trueup.yaml").write_text(configuration)
    ran.process.send_signal(signal.SIGHUP)


def test_a_reload_changes_what_changed_and_nothing_else(tmp_path: Path, hook: Webhook) -> None:
    with redis() as stays, redis() as goes, redis() as comes:
        both = channels(hook) + f"services:\n  stays: {{at: '{stays.url}'}}\n  goes: {{at: '{goes.url}'}}\n"
        with monitor(tmp_path, both) as ran:
            kill(stays, goes)
            hook.wait_for(lambda told: len(told) == 2)
            before = ran.target("stays")
            reload(ran, tmp_path, both.replace("  goes:", "  goes: {att: 1}\n  goes:"))
            ran.until(lambda: ran.json("/health")["state"] == "degraded")
            assert [one["name"] for one in ran.json("/api/v1/targets")["targets"]] == ["stays", "goes"]
            reload(
                ran,
                tmp_path,
                both.replace(f"  goes: {{at: '{goes.url}'}}", f"  comes: {{at: '{comes.url}'}}"),
            )
            hook.wait_for(lambda told: ("goes", "closed") in told)
            ran.until(lambda: ran.target("comes")["state"] == "up")
            assert ran.json("/health")["state"] == "up"
            after = ran.target("stays")
            assert (after["since"], after["incident"]) == (before["since"], before["incident"])
            assert ran.get("/api/v1/targets/goes")[0] == 404
    assert events(hook).count("stays opened") == 1
    assert "no longer watched" in hook.events[-1]["summary"]


def test_a_changed_file_is_read_without_being_asked(tmp_path: Path) -> None:
    with redis() as server:
        one = QUICK + f"services:\n  one: {{at: '{server.url}'}}\n"
        with monitor(tmp_path, one) as ran:
            (tmp_path / "trueup.yaml").write_text(one + f"  two: {{at: '{server.url}'}}\n")
            ran.until(lambda: ran.get("/api/v1/targets/two")[0] == 200)


def test_what_operators_do_on_the_command_line(tmp_path: Path, hook: Webhook) -> None:
    with redis() as server:
        configuration = channels(hook) + f"services:\n  cache: {{at: '{server.url}'}}\n"
        with monitor(tmp_path, configuration) as ran:
            token = trueup("token", "create", "--scope", "write", "--data", str(ran.data)).stdout.split()[0]
            at = {"TRUEUP_URL": ran.url}
            allowed = {**at, "TRUEUP_TOKEN": token}
            refused = trueup("silence", "cache", "--for", "1h", env=at)
            assert (refused.returncode, "--scope write" in refused.stderr) == (64, True)
            done = trueup("silence", "cache", "--for", "1h", "--why", "moving", env=allowed)
            assert (done.returncode, "moving" in done.stdout) == (0, True), done.stderr
            kill(server)
            ran.until(lambda: bool(ran.incidents()))
            (incident,) = ran.incidents()
            assert any("silenced by" in line["what"] for line in incident["timeline"])
            assert hook.events == []
            number = done.stdout.split()[0]
            assert trueup("silence", "end", number, env=allowed).returncode == 0
            hook.wait_for(lambda told: told == [("cache", "opened")])
            done = trueup("ack", "cache", "--note", "on it", env=allowed)
            assert (done.returncode, "is acknowledged by" in done.stdout) == (0, True), done.stderr
            shown = trueup("incidents", "--open", "--target", "cache", env=at)
            assert "opened: to be told by hook\n" in shown.stdout
            assert (shown.returncode, "on it" in shown.stdout, "told   hook opened" in shown.stdout) == (
                0,
                True,
                True,
            )
            past = trueup("history", "cache", "--since", "1h", env=at)
            assert (past.returncode, "service" in past.stdout) == (0, True), past.stderr
            planned = trueup("maintenance", "cache", "--for", "1h", "--note", "disks", env=allowed)
            assert (planned.returncode, "disks" in trueup("maintenance", "list", env=at).stdout) == (0, True)
            for words in (["silence", "cahce", "--for", "1h"], ["silence", "cache"], ["ack", "cahce"]):
                assert trueup(*words, env=allowed).returncode == 64, words
            assert "did you mean cache" in trueup("history", "cahce", env=at).stderr


def children(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {int(child) for task in tasks for child in (task / "children").read_text().split()}


def test_processes_of_their_own_look_and_one_that_dies_is_no_failure(tmp_path: Path, hook: Webhook) -> None:
    with redis() as one, redis() as two:
        services = f"services:\n  one: {{at: '{one.url}'}}\n  two: {{at: '{two.url}'}}\n"
        configuration = channels(hook) + "monitor: {workers: 2}\n" + services
        with monitor(tmp_path, configuration) as ran:
            assert [one["state"] for one in ran.json("/api/v1/targets")["targets"]] == ["up", "up"]
            before = children(ran.process.pid)
            assert len(before) == 2
            for pid in before:
                os.kill(pid, signal.SIGKILL)
            ran.until(lambda: len(children(ran.process.pid) - before) == 2)
            ran.until(lambda: [ran.target(name)["state"] for name in ("one", "two")] == ["up", "up"])
            assert ran.incidents() == []
            reload(ran, tmp_path, configuration + f"  three: {{at: '{one.url}'}}\n")
            ran.until(lambda: ran.get("/api/v1/targets/three")[0] == 200)
            ran.until(lambda: ran.target("three")["state"] == "up")
            kill(two)
            hook.wait_for(lambda told: ("two", "opened") in told)
            started = children(ran.process.pid)
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)

"""A secret planted wherever a service can hold one is looked for in everything that comes out."""

import json
from pathlib import Path

import pytest

from tests.beds.server import Server
from tests.canary import assert_kept_to_itself, assert_nowhere, planted, titles
from tests.cli.monitor import monitor
from tests.cli.trueup import trueup

WORD, PLAIN = "${CANARY_PASSWORD}", "${PLAIN_TOKEN}"


def services(url: str, redis_port: int, file: Path, database: Server) -> str:
    """Each way in which one holds a secret; each of them fails, and most are told what they said."""
    secured = url.replace("http://", f"http://probe:{PLAIN}@")
    login = f'login: {{user: probe, password: "{WORD}"}}'
    oauth = f'{{token_url: "{url}/t", client_id: a, client_secret: "{WORD}"}}'
    sql = f"postgres://postgres@127.0.0.1:{database.port}"
    at = {
        "headers": f'{url}/x", send: {{headers: {{X-Key: "{PLAIN}", Authorization: "Bearer {WORD}"}}}}',
        "more_headers": f'{url}/x", http: {{headers: {{X-Key: "{PLAIN}"}}}}',
        "body": f'{url}/x", send: {{method: POST, body: "q={WORD}"}}',
        "json": f'{url}/x", send: {{method: POST, json: {{words: "{WORD}", more: "${{file:{file}}}"}}}}',
        "login": f'{url}/x", {login}',
        "token": f'{url}/x", login: {{password: "{PLAIN}"}}',
        "address": f'{secured}/x"',
        "query": f'{url}/x?key={PLAIN}"',
        "path": f'{url}/hooks/{PLAIN}/x"',
        "expect": f'{url}/x", expect: {{status: 500, contains: "{WORD} and more"}}',
        "proxy": f'{url}/x", http: {{proxy: "{secured}"}}',
        "oauth": f'{url}/x", http: {{oauth2: {oauth}}}',
        "ws": f'{url.replace("http", "ws")}/x", send: {{text: "{PLAIN}"}}, {login}',
        "search": f'{url.replace("http", "elasticsearch")}", {login}',
        "redis": f'redis://127.0.0.1:{redis_port}", {login}, roundtrip: true',
        "user": f'redis://127.0.0.1:{redis_port}", login: {{user: "{PLAIN}", password: x}}, roundtrip: true',
        "nats": f'nats://127.0.0.1:{redis_port}", {login}',
        "sql": f'{sql}", query: "select \'{PLAIN}\'::int"',
        "value": f'{sql}", query: "select 1", expect: {{value: "{PLAIN}"}}',
    }
    return "services:\n" + "".join(f'  s_{name}: {{at: "{rest}}}\n' for name, rest in at.items())


def test_what_check_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_server: Server) -> None:
    with planted(tmp_path, monkeypatch) as places, titles() as seen:
        config = tmp_path / "trueup.yaml"
        config.write_text(services(*places, postgres_server))
        for more in ((), ("--json", "--transcript")):
            done = trueup("check", "-c", str(config), "--no-host", *more)
            assert done.returncode == 2, done.stdout + done.stderr
            assert_nowhere(done.stdout + done.stderr)
        found = {one["name"]: one for one in json.loads(done.stdout)["targets"]}
        well = [name for name, one in found.items() if one["cause"] is None]
        assert not well, "what works says little"
        assert found["s_query"]["at"].endswith("/x?key=***")
        assert "***" in found["s_sql"]["summary"]
    assert_nowhere(b"\n".join(seen))


def test_what_a_monitor_says_and_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_server: Server
) -> None:
    with (
        planted(tmp_path, monkeypatch) as places,
        monitor(tmp_path, services(*places, postgres_server)) as running,
    ):
        shown = running.json("/api/v1/targets")["targets"]
        assert all(one["cause"] for one in shown), "each has been looked at"
        assert_kept_to_itself(running, "/targets/s_query")

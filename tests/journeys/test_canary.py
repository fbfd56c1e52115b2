"""A secret planted wherever a journey can hold one is looked for in everything that comes out."""

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.beds.nginx import nginx
from tests.beds.server import free_port
from tests.canary import CANARY, ENV, PLAIN, SAVED, assert_kept_to_itself, assert_nowhere, planted, titles
from tests.cli.monitor import monitor
from tests.cli.trueup import trueup
from tests.journeys.performed import perform
from trueup.domain.journey import Step
from trueup.journeys import kinds
from trueup.journeys.walk import StepResult, Walk


def journeys(url: str, redis_port: int, file: Path) -> str:
    """Each step that can hold a secret, each in a journey of its own: so that each one fails."""
    said = '{user: probe, password: "${CANARY_PASSWORD}", deep: [{key: "${PLAIN_TOKEN}"}]}'
    login = f"""
      - http: {{post: "{url}/login", json: {said}}}
        save: {{token: json.token, sess: cookie.session}}"""
    word = "${CANARY_PASSWORD}"
    bearer = 'Authorization: "Bearer ${CANARY_PASSWORD}"'
    secured = url.replace("http://", "http://probe:${PLAIN_TOKEN}@")
    steps = {
        "headers": f'{{get: "{url}/x", headers: {{{bearer}, X-Key: "${{PLAIN_TOKEN}}"}}}}',
        "saved": f'{{get: "{url}/x?t=${{token}}", headers: {{Authorization: "Bearer ${{token}}"}}}}',
        "cookie": f'{{get: "{url}/${{sess}}", headers: {{X-Session: "${{sess}}"}}}}',
        "json": f'{{post: "{url}/x", json: {{a: {{b: ["{word}"]}}, password: "${{PLAIN_TOKEN}}"}}}}',
        "form": f'{{post: "{url}/x", form: {{password: "{word}", other: "${{PLAIN_TOKEN}}", kind: step}}}}',
        "body": f'{{post: "{url}/x", body: "q=${{CANARY_PASSWORD}}"}}',
        "query": f'{{get: "{url}/x?key=${{PLAIN_TOKEN}}"}}',
        "basic": f'{{get: "{secured}/x"}}',
        "from_file": f'{{post: "{url}/x", body: "${{file:{file}}}"}}',
    }
    text = "journeys:\n"
    for name, step in steps.items():
        text += f"  j_{name}:\n    steps:{login}\n      - http: {step}\n        expect: {{contains: never}}\n"
    url_login = f"redis://probe:${{PLAIN_TOKEN}}@127.0.0.1:{redis_port}"
    text += f'  j_login:\n    steps: [{{redis: {{at: "{url_login}", roundtrip: true}}}}]\n'
    by_key = f'{{at: "redis://127.0.0.1:{redis_port}", roundtrip: true, login: {{password: "{word}"}}}}'
    text += f"  j_key:\n    steps: [{{redis: {by_key}}}]\n"
    mail = f'{{send: "smtp://127.0.0.1:{free_port()}", receive: "imap://127.0.0.1:{free_port()}"'
    text += f'  j_mail:\n    steps: [{{mail: {mail}, login: {{user: probe, password: "{word}"}}}}}}]\n'
    command = '[sh, -c, "echo $$CANARY_PASSWORD $$PLAIN_TOKEN >&2; echo $$PLAIN_TOKEN; sleep 0.3; exit 3"]'
    text += f"  j_command:\n    steps: [{{command: {command}}}]\n"
    return text + "monitor: {allow_commands: true}\n"


def test_what_check_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with planted(tmp_path, monkeypatch) as places, titles() as seen:
        config = tmp_path / "trueup.yaml"
        config.write_text(journeys(*places))
        for more in ((), ("--transcript",), ("--json", "--transcript")):
            done = trueup("check", "-c", str(config), "--no-host", *more)
            assert done.returncode == 2, done.stdout + done.stderr
            assert_nowhere(done.stdout)
            assert_nowhere(done.stderr)
        assert "***" in done.stdout
        states = {one["name"]: one["cause"] for one in json.loads(done.stdout)["targets"]}
        assert set(states.values()) == {"step-failed"}, states
    assert any(b"sleep" in title for title in seen)
    assert_nowhere(b"\n".join(seen))


def test_what_a_monitor_says_and_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with planted(tmp_path, monkeypatch) as places, monitor(tmp_path, journeys(*places)) as running:
        listed = running.get("/api/v1/targets")[1]
        assert b"step-failed" in listed
        assert listed.count(b"fails at step") >= len(json.loads(listed)["targets"]), (
            "an ordinary word is none"
        )
        assert_kept_to_itself(running)


def test_an_exception_of_ours_says_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def perform_badly(_walk: Walk, step: Step, _timeout_s: float) -> StepResult:
        await asyncio.sleep(0)
        raise RuntimeError(f"while doing {step} with {CANARY}")

    monkeypatch.setattr("trueup.journeys.perform.performer_of", lambda _kind: perform_badly)
    with caplog.at_level(logging.DEBUG):
        done = perform("- http: {post: 'http://127.0.0.1:1/', body: '${CANARY_PASSWORD}'}", env=ENV)
    assert done.outcomes == ["unknown"]
    assert "RuntimeError" in done.verdict.summary
    assert_nowhere(repr(done.look) + repr(done.verdict) + caplog.text)
    assert kinds.performer_of is not None


def test_a_screenshot_shows_no_field(tmp_path: Path) -> None:
    """Two pages that differ only in what was filled in look the same."""
    page = """default_type text/html;
        location / { return 200 '<form><input type=password id=a><input id=b></form>'; }"""

    def shot(words: Mapping[str, str]) -> bytes:
        """Once more where the machine was too busy to judge."""
        fills = "{fill: {'#a': \"${A}\", '#b': \"${B}\"}}"
        with nginx(page) as server:
            step = f"- browser: [{{open: {server.url}/}}, {fills}, {{see: 'never there'}}]\n  timeout: 3s"
            for _ in range(5):
                look = perform(step, env=words).look
                assert_nowhere(repr(look))
                if look.screenshot is not None:
                    return look.screenshot
        pytest.fail(look.observations[0].detail)

    with titles() as seen:
        one = shot({"A": PLAIN, "B": SAVED})
        other = shot({"A": "x1-other-words", "B": "y2-and-others"})
    assert one == other
    assert_nowhere(one)
    assert_nowhere(b"\n".join(seen))

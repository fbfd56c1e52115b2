"""``trueup status`` and ``trueup explain`` against a real monitor."""

import json
import os
import socket
import ssl
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.beds.certificates import Authority
from tests.beds.redis import redis
from tests.beds.server import free_port
from tests.cli.monitor import monitor
from tests.cli.trueup import trueup


def test_status_and_explain_read_a_running_monitor(tmp_path: Path) -> None:
    with redis() as server, monitor(tmp_path, f"services:\n  cache: {{at: {server.url}, tier: 1}}\n") as ran:
        at = {"TRUEUP_URL": ran.url}
        done = trueup("status", env=at)
        assert (done.returncode, done.stdout.split()[:2]) == (0, ["UP", "cache"]), done.stderr
        assert trueup("explain", "cache", "--url", ran.url).returncode == 0
        server.signal(9)  # type: ignore[arg-type]
        ends_s = time.monotonic() + 20
        while (status := trueup("status", "--json", env=at)).returncode != 2:
            assert time.monotonic() < ends_s, status.stdout
        document = json.loads(status.stdout)
        assert (document["schema"], document["state"]) == (1, "down")
        done = trueup("explain", "cache", env=at)
        assert done.returncode == 0
        assert "DOWN" in done.stdout
        assert "What happened, in order of time:" in done.stdout
        assert "speaks                former-ended: The process that held the port has ended" in done.stdout
        assert "\x1b" not in done.stdout
        (others,) = (line for line in done.stdout.splitlines() if line.startswith("  no "))
        assert "paused, killed-for-memory, " in others
        explained = json.loads(trueup("explain", "cache", "--json", env=at).stdout)
        assert {"state", "summary", "timeline", "rules", "log", "missing"} <= explained.keys()
        done = trueup("explain", "cahce", env=at)
        assert (done.returncode, "did you mean cache" in done.stderr) == (64, True)
        assert trueup("explain", "cach\udcff", env=at).returncode == 64
        assert "see: trueup incidents 1" in trueup("explain", "cache", env=at).stdout
        (one,) = json.loads(trueup("incidents", "1", "--json", env=at).stdout)["incidents"]
        assert (one["id"], one["target"]) == (1, "cache")
        (one,) = json.loads(trueup("incidents", "cache", "--json", env=at).stdout)["incidents"]
        assert one["id"] == 1
        done = trueup("incidents", "99", env=at)
        assert (done.returncode, "no such incident; see trueup incidents" in done.stderr) == (64, True)
        for words in (["silence", "cache", "--for", "1h"], ["maintenance", "end", "1"], ["ack", "cache"]):
            done = trueup(*words, env=at)
            assert (done.returncode, done.stdout) == (64, "")
            assert done.stderr == (
                f"Error: {ran.url} answers 401: that needs a token or a session;"
                " set TRUEUP_TOKEN to a token of: trueup token create --scope write\n"
            )
        token = trueup("token", "create", "--scope", "write", "--data", str(ran.data)).stdout.strip()
        done = trueup("silence", "end", "77", env={**at, "TRUEUP_TOKEN": token})
        assert (done.returncode, "no such silence; see trueup silence list" in done.stderr) == (64, True)
        done = trueup("ack", "cache", env={**at, "TRUEUP_TOKEN": "of-another"})
        assert (done.returncode, "is none of this monitor's" in done.stderr) == (64, True)


def test_a_certificate_that_is_not_accepted_is_no_monitor_that_is_away(tmp_path: Path) -> None:
    shown = Authority(tmp_path).valid("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.certificate, shown.key)

    def shake(listener: socket.socket) -> None:
        with suppress(OSError), listener.accept()[0] as connection:
            context.wrap_socket(connection, server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=shake, args=[listener], daemon=True)
        thread.start()
        done = trueup("status", "--url", f"https://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert done.returncode == 3
    assert "isn't accepted: unable to get local issuer certificate; SSL_CERT_FILE names" in done.stderr


def test_without_a_monitor_status_is_unknown_and_explain_a_failure() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = trueup("status", "--url", url)
    assert done.returncode == 3
    assert "is trueup run running there?" in done.stderr
    done = trueup("explain", "cache", "--url", url)
    assert done.returncode == 70
    assert done.stderr.startswith("no monitor answers at "), "as every failure of a command's own"


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://"])
def test_what_is_no_url_is_wrong_usage(url: str) -> None:
    assert trueup("status", "--url", url).returncode == 64


def test_who_answers_otherwise_is_no_monitor() -> None:
    with redis() as server:
        done = trueup("status", env={**os.environ, "TRUEUP_URL": f"http://127.0.0.1:{server.port}"})
    assert done.returncode == 3

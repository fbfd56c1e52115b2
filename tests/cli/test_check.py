"""``trueup check`` from outside: words, documents and exit statuses."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.beds.capabilities import require_capability
from tests.beds.fake_http import fake_http
from tests.beds.redis import redis
from tests.beds.unbound import unbound
from tests.checks.strangers import says, stranger
from tests.cli.trueup import trueup

TARGET_KEYS = {"name", "kind", "at", "state", "layer", "cause", "blame", "summary", "next", "observations"}
OBSERVATION_KEYS = {"layer", "vantage", "outcome", "cause", "detail", "latency_ms", "observed_at", "facts"}


def closed_port() -> int:
    with stranger(None) as port:
        return port


def document(*words: str) -> tuple[int, Any]:
    done = trueup("check", "--json", *words)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_up() -> None:
    with redis() as server:
        status, shown = document(server.url)
        done = trueup("check", server.url)
    assert status == 0
    assert (shown["schema"], shown["state"]) == (1, "up")
    (target,) = shown["targets"]
    assert set(target) == TARGET_KEYS
    assert target["name"] == target["at"] == server.url
    assert (target["state"], target["layer"], target["cause"], target["blame"]) == ("up", None, None, None)
    assert target["next"] == []
    assert all(set(seen) == OBSERVATION_KEYS for seen in target["observations"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", target["observations"][0]["observed_at"])
    assert done.returncode == 0
    assert "Redis at" in done.stdout


def test_down_has_layer_cause_blame_and_a_next_step() -> None:
    address = f"redis://127.0.0.1:{closed_port()}"
    status, shown = document(address)
    assert status == 2
    (target,) = shown["targets"]
    assert (target["layer"], target["cause"], target["blame"]) == ("port", "refused", address)
    assert target["next"]


def test_the_worst_target_decides() -> None:
    with redis() as server:
        status, shown = document(server.url, f"tcp://127.0.0.1:{closed_port()}")
    assert (status, shown["state"]) == (2, "down")
    assert [target["state"] for target in shown["targets"]] == ["up", "down"]


@pytest.mark.parametrize("address", ["redis://db.internal", "tcp://192.0.2.1:443", "tcp://[2001:db8::1]:443"])
def test_without_a_network_of_our_own_nothing_is_known(address: str) -> None:
    require_capability("namespaces")
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "trueup", "check", "--json", address],
        capture_output=True,
        timeout=60,
        check=False,
    )
    (target,) = json.loads(done.stdout)["targets"]
    assert done.returncode == 3
    assert (target["state"], target["cause"], target["blame"]) == ("unknown", "monitor-offline", None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check"], "name at least one ADDRESS"),
        (["check", "redsi://h"], "did you mean redis://?"),
        (["check", "localhost"], "names no port"),
        (["check", "localhost:"], "write localhost:PORT"),
        (["check", "tcp://h"], "write tcp://h:PORT"),
        (["check", "udp://h"], "write udp://h:PORT"),
        (["check", "dns://h/a..b"], "as in dns://SERVER/www.example.org"),
        (["check", "redis://h", "--timeout", "3"], "write 3s"),
        (["check", "redis://h", "--timeout", "0s"], "in no time nobody can look"),
        (["check", "redis://h", "--no-such"], "No such option"),
        (["chek"], "did you mean 'check'?"),
    ],
)
def test_wrong_usage_is_64_with_a_hint(words: list[str], said: str) -> None:
    done = trueup(*words)
    assert done.returncode == 64
    assert said in done.stderr
    assert done.stdout == ""


def test_all_wrong_addresses_are_named_at_once() -> None:
    done = trueup("check", "redsi://h", "postgers://h")
    assert "redis://" in done.stderr
    assert "postgres://" in done.stderr


def test_a_password_never_appears() -> None:
    with redis(requirepass="right") as server:
        address = server.url.replace("//", "//:canary-5d1f@")
        for words in (["check", address], ["check", "--json", address], ["check", "--transcript", address]):
            done = trueup(*words)
            assert "canary" not in done.stdout + done.stderr
            assert "***" in done.stdout
            assert done.returncode == 2
    assert "canary" not in trueup("check", "redis://u:canary-5d1f@h:0").stderr


def test_a_user_that_is_the_same_word_as_the_password_is_shown_as_it_is_written() -> None:
    done = trueup("check", f"redis://guest:guest@127.0.0.1:{closed_port()}", "--no-host")
    assert done.stdout.startswith("DOWN     redis://guest:***@127.0.0.1:")


def test_an_address_given_twice_is_looked_at_once() -> None:
    address = f"tcp://127.0.0.1:{closed_port()}"
    (target,) = document(address, address)[1]["targets"]
    assert len(target["observations"]) == 1


def test_what_a_peer_says_is_neutralised() -> None:
    with stranger(says(b"\x1b[2J\x07\xe2\x80\xaeevil\r\n")) as port:
        for words in (["--transcript"], ["--json"], []):
            done = trueup("check", f"redis://127.0.0.1:{port}", *words)
            assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", done.stdout)
            assert "evil" in done.stdout


def test_no_escape_sequence_when_the_output_is_no_terminal() -> None:
    assert "\x1b" not in trueup("check", f"tcp://127.0.0.1:{closed_port()}").stdout


def test_the_transcript_shows_what_was_said() -> None:
    with redis() as server:
        done = trueup("check", server.url, "--transcript")
    assert "> PING\\r\\n" in done.stdout
    assert "< +PONG\\r\\n" in done.stdout
    assert re.search(r"= resolve .* ms, connect .* ms, first byte .* ms, total .* ms", done.stdout)


def test_help_has_an_example() -> None:
    done = trueup("check", "--help")
    assert done.returncode == 0
    assert "Example: trueup check" in done.stdout


@pytest.mark.parametrize(("outside", "status", "cause"), [("true", 1, "exposed"), ("false", 0, None)])
def test_an_internal_target_that_is_reached_from_outside_is_exposed(
    tmp_path: Path, outside: str, status: int, cause: str | None
) -> None:
    file = tmp_path / "trueup.yaml"
    with redis() as server:
        file.write_text(
            f"services:\n  db: {{at: {server.url}, internal: true}}\n"
            f"location: {{name: fra, outside: {outside}}}\n"
        )
        done = trueup("check", "-c", str(file), "--json")
    (one,) = json.loads(done.stdout)["targets"]
    assert (done.returncode, one["cause"]) == (status, cause)
    assert {seen["vantage"] for seen in one["observations"]} == {"fra"}


def test_dns_that_answers_over_udp_alone_is_refused_over_tcp(tmp_path: Path) -> None:
    file = tmp_path / "trueup.yaml"
    with unbound("server:\n    do-tcp: no") as server:
        file.write_text(f"services:\n  ns: {{at: {server.url}/www.example.test, expect: {{tcp: true}}}}\n")
        (one,) = document("-c", str(file), "--no-host")[1]["targets"]
    assert (one["layer"], one["cause"]) == ("port", "refused")
    assert one["summary"].endswith(": over TCP: connection refused")
    assert one["next"][0].endswith(f": ss -Hltnp 'sport = :{server.port}'")


@pytest.mark.parametrize("by", ["redirect", "proxy"])
def test_what_fails_at_another_place_is_said_of_that_place(tmp_path: Path, by: str) -> None:
    """Where a redirect leads, and the proxy on the way, are not the address that was asked."""
    dead = closed_port()
    leads = f"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:{dead}/x\r\n\r\n".encode()
    file = tmp_path / "trueup.yaml"
    with fake_http(leads) as server:
        if by == "redirect":
            place, proxied = server.url.removeprefix("http://"), ""
        else:
            place, proxied = "shop.example:80", f", http: {{proxy: 'http://127.0.0.1:{dead}'}}"
        file.write_text(f"services:\n  shop: {{at: 'http://{place}'{proxied}}}\n")
        (one,) = document("-c", str(file))[1]["targets"]
    assert (one["layer"], one["cause"]) == ("port", "refused")
    assert one["summary"].startswith(f"Nothing listens at 127.0.0.1:{dead}, ")
    assert one["summary"].endswith(f"; asking {place} leads there")
    assert f"sport = :{dead}'" in one["next"][0]
    seen = one["observations"][-1]
    assert seen["detail"] == f"127.0.0.1:{dead}: connection refused"

"""The sentences and the next steps: true of the place, and nothing said twice."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from trueup.diagnosis.words import next_steps, sentence, up_sentence
from trueup.domain.address import parse_address
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Kind, Target
from trueup.probes.registry import SCHEMES

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def target(text: str) -> Target:
    return Target(text, at=(parse_address(text, SCHEMES),))


def failed(cause: Cause, detail: str, **facts: Any) -> Observation:
    return Observation(Layer.SERVICE, Outcome.FAIL, NOW, cause, detail, facts=facts)


@pytest.mark.parametrize(
    ("at", "cause", "detail", "facts", "said"),
    [
        (
            "redis://h",
            Cause.SILENT,
            "accepted, then nothing",
            {},
            "Redis at h:6379 is silent: accepted, then nothing",
        ),
        (
            "redis://h",
            Cause.WRONG_SERVICE,
            "not redis: it said 'x'",
            {"expected": "redis"},
            "h:6379 isn't Redis: it said 'x'",
        ),
        ("redis://h", Cause.WRONG_SERVICE, "not redis", {"expected": "redis"}, "h:6379 isn't Redis"),
        (
            "redis://h",
            Cause.WRONG_SERVICE,
            "http answers where redis is expected: 'x'",
            {"expected": "redis", "found": "http"},
            "h:6379 isn't Redis, but HTTP: 'x'",
        ),
        (
            "smtp://h",
            Cause.WRONG_SERVICE,
            "https answers where smtp is expected",
            {"expected": "smtp", "found": "https"},
            "h:25 isn't SMTP, but HTTP inside TLS",
        ),
        (
            "ws://h",
            Cause.WRONG_SERVICE,
            "it wants TLS here (HTTP 400)",
            {"expected": "ws", "found": "wss"},
            "h:80 isn't plain WebSocket, but WebSocket inside TLS: it wants TLS here (HTTP 400)",
        ),
        (
            "https://h",
            Cause.WRONG_SERVICE,
            "not TLS: it said 'x'",
            {"expected": "tls"},
            "h:443 isn't HTTP: not TLS: it said 'x'",
        ),
        (
            "https://h",
            Cause.TLS_EXPIRED,
            "…",
            {"expires_at": "2026"},
            "The certificate of h:443 has expired: it ended at 2026",
        ),
        (
            "https://h",
            Cause.TLS_EXPIRED,
            "the certificate has expired",
            {},
            "The certificate of h:443 has expired",
        ),
        (
            "https://h",
            Cause.TLS_NAME_MISMATCH,
            "…",
            {"names": ["a", "b"]},
            "The certificate of h:443 is for another name: a, b",
        ),
        (
            "https://h",
            Cause.TLS_FAILED,
            "the TLS handshake fails: odd",
            {},
            "The TLS handshake with h:443 fails: odd",
        ),
        (
            "docker:///x",
            Cause.REFUSED,
            "there is no such socket",
            {},
            "Nobody listens at /x: there is no such socket",
        ),
        (
            "https://h",
            Cause.TLS_EXPIRED,
            "www.h:8443: the certificate has expired",
            {"dialled": "www.h:8443"},
            "The certificate of www.h:8443 has expired; asking h:443 leads there",
        ),
        (
            "http+unix://%2Fx/a",
            Cause.UNREACHABLE,
            "::1:80: the network is unreachable",
            {"dialled": "::1:80"},
            "[::1]:80 can't be reached: the network is unreachable; asking /x leads there",
        ),
        (
            "http+unix://%2Fx/a",
            Cause.REFUSED,
            "h:80: connection refused",
            {"dialled": "h:80"},
            "Nothing listens at h:80, or a firewall rejects: connection refused; asking /x leads there",
        ),
        (
            "dns://h/a.example",
            Cause.REFUSED,
            "over TCP: connection refused",
            {"dialled": "h:53"},
            "Nothing listens at h:53, or a firewall rejects: over TCP: connection refused",
        ),
        (
            "icmp://h",
            Cause.NO_ANSWER,
            "no answer within 5 s",
            {},
            "No answer from h (no answer within 5 s): dropped packets or a dead host",
        ),
    ],
)
def test_a_sentence_says_it_once(
    at: str, cause: Cause, detail: str, facts: dict[str, Any], said: str
) -> None:
    assert sentence(target(at), failed(cause, detail, **facts)) == said


def test_every_cause_from_outside_has_a_next_step() -> None:
    for cause in Cause:
        if {Layer.PORT, Layer.TLS, Layer.SERVICE} & set(cause.layers) and cause not in (
            Cause.EXPOSED,
            Cause.NEEDS,
        ):
            (step, *_) = next_steps(target("memcached://h"), failed(cause, "…"))
            assert "{" not in step.replace("{ca: FILE}", "")
    (step,) = next_steps(target("http://h/a?b"), failed(Cause.WRONG_ANSWER, "…"))
    assert "trueup check --transcript 'http://h/a?b'" in step


def test_a_job_is_named_as_a_shell_reads_it() -> None:
    missed = Observation(
        Layer.FUNCTION, Outcome.FAIL, NOW, Cause.MISSED_HEARTBEAT, "late", facts={"heartbeat": "awaited"}
    )
    *_, step = next_steps(Target("nightly backup", Kind.HEARTBEAT), missed)
    assert step.endswith("trueup heartbeats 'nightly backup'")


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_every_scheme_has_a_next_step_for_every_cause(scheme: str) -> None:
    """Whether it's the protocol's own or the general one: none names what nobody fills in."""
    for cause in Cause:
        for at in (
            (f"{scheme}://h:1/x", f"{scheme}+unix://%2Fx") if scheme == "http" else (f"{scheme}://h:1/x",)
        ):
            said = " ".join(next_steps(Target(at, at=(parse_address(at, SCHEMES),)), failed(cause, "…")))
            left = r"\bHOST\b|\bPORT\b|\{(host|port|place|scheme|address|on|there|question|peer)\}"
            assert not re.search(left, said)


def test_a_name_keeps_its_case() -> None:
    assert sentence(target("grpc://h"), failed(Cause.OVERLOADED, "full")) == "gRPC at h:50051: full"
    assert (
        sentence(target("tcp://h:1"), failed(Cause.UNREACHABLE, "no route"))
        == "h:1 can't be reached: no route"
    )


def test_what_gets_no_answer_in_time_is_not_said_to_work() -> None:
    said = sentence(target("postgres://h"), failed(Cause.SLOW, "no answer to the query in time"))
    assert said == "PostgreSQL at h:5432 is too slow: no answer to the query in time"


def test_nobody_identified_is_no_service() -> None:
    seen = Observation(Layer.PORT, Outcome.PASS, NOW, None, "connected; who?", facts={"unidentified": True})
    assert up_sentence(target("h:1"), seen) == "h:1 is up: connected; who?"


@pytest.mark.parametrize(
    ("at", "cause", "where", "command"),
    [
        ("redis://h", Cause.CLOSES, "On h,", "ss -Hltnp 'sport = :6379'"),
        ("tcp://127.0.0.1:1", Cause.REFUSED, "Here,", "ss -Hltnp 'sport = :1'"),
        ("tcp://0.0.0.0:1", Cause.REFUSED, "Here,", "ss -Hltnp 'sport = :1'"),
        ("tcp://[::ffff:127.0.0.1]:1", Cause.REFUSED, "Here,", "ss -Hltnp 'sport = :1'"),
        ("https://h", Cause.OVERLOADED, "On h,", "ss -Htn state established 'sport = :443'"),
        ("http+unix://%2Fx", Cause.OVERLOADED, "Here,", "ss -Hxp state connected src /x"),
        ("dns://h/a.example", Cause.OVERLOADED, "On h,", "ss -Hun state established 'sport = :53'"),
        ("udp://h:514", Cause.REFUSED, "On h,", "ss -Hlunp 'sport = :514'"),
        ("http+unix://%2Fx", Cause.REFUSED, "Here,", "ss -Hlxp src /x"),
        ("icmp://h", Cause.NO_ANSWER, "From here", "ping -c3 h; tracepath -n h"),
        ("https://h", Cause.TLS_FAILED, "Look", "openssl s_client -connect h:443 -servername h </dev/null"),
        (
            "submission://h",
            Cause.TLS_FAILED,
            "Look",
            "openssl s_client -connect h:587 -servername h -starttls smtp </dev/null",
        ),
    ],
)
def test_the_next_step_is_a_command_for_that_place(at: str, cause: Cause, where: str, command: str) -> None:
    said, _, copied = next_steps(target(at), failed(cause, "…"))[0].partition(": ")
    assert said.startswith(where)
    assert copied == command

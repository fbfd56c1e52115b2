"""What a next step says after its first colon is pasted into a shell, half asleep: it must be a command."""

import re
import subprocess

import pytest

from tests.diagnosis.test_words import NOW, failed, target
from trueup.diagnosis.words import next_steps, sentence
from trueup.domain.address import parse_address
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Target
from trueup.probes.registry import SCHEMES

KNOWN = """
cat curl date dig df doveadm findmnt free getent grep grpc_health_probe ip journalctl kafka-metadata-quorum.sh
kafka-topics.sh ldapsearch ldapwhoami mailq mongosh mosquitto_sub mysql mysqladmin nc nft nginx openssl ping
printf psql rabbitmq-diagnostics rabbitmqctl redis-cli runuser ss ssh ssh-keygen ssh-keyscan sshd systemctl
tail tracepath trueup ulimit uptime vmstat wc
"""
PROGRAMS = frozenset(KNOWN.split())
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def commands() -> list[str]:
    found = set()
    for scheme in sorted(SCHEMES):
        at = f"{scheme}://h.example:1/x"
        for cause in Cause:
            steps = next_steps(Target(at, at=(parse_address(at, SCHEMES),)), failed(cause, "…"))
            found |= {step.partition(": ")[2] for step in steps}
    return sorted(found - {""})


@pytest.mark.parametrize("command", commands())
def test_it_is_a_line_of_shell_and_no_prose(command: str) -> None:
    subprocess.run(["bash", "-n", "-c", command], check=True)
    parts = re.split(r"[;|]", QUOTED.sub("''", command))
    assert {part.split()[0] for part in parts} <= PROGRAMS
    assert all(
        word.startswith("/") for word in re.findall(r"\S*[?*]\S*", " ".join(parts))
    )  # zsh minds others


def test_whoever_is_found_at_a_bare_address_gets_the_protocol_s_own_steps() -> None:
    seen = failed(Cause.OVERLOADED, "full", speaks="ssh")
    assert next_steps(target("h:22"), seen) == next_steps(
        target("ssh://h:22"), failed(Cause.OVERLOADED, "full")
    )


@pytest.mark.parametrize(
    ("at", "asked"),
    [
        ("dns://192.0.2.53:5353/shop.example", "dig @192.0.2.53 -p 5353 shop.example"),
        ("dns://192.0.2.53/example.org?type=MX", "dig @192.0.2.53 -p 53 example.org MX"),
        ("dns://192.0.2.53", "dig @192.0.2.53 -p 53 ."),
    ],
)
def test_a_name_server_is_asked_for_the_name_that_failed(at: str, asked: str) -> None:
    step, *_ = next_steps(target(at), failed(Cause.ERROR_ANSWER, "SERVFAIL"))
    assert step.partition(": ")[2] == asked


def test_what_takes_no_names_is_told_the_address_that_was_met() -> None:
    lost = Observation(
        Layer.PORT, Outcome.FAIL, NOW, Cause.UNREACHABLE, "no route to the host", facts={"peer": "192.0.2.7"}
    )
    assert sentence(target("redis://h"), lost) == "h:6379 (192.0.2.7) can't be reached: no route to the host"
    assert next_steps(target("redis://h"), lost) == ("From here: ip route get 192.0.2.7",)


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_here_is_a_sentence_s_first_word_or_small(scheme: str) -> None:
    for cause in Cause:
        for step in next_steps(target(f"{scheme}://127.0.0.1:1/x"), failed(cause, "…")):
            assert "Here" not in step[1:]


def test_a_name_of_this_machine_is_here() -> None:
    lost = Observation(Layer.PORT, Outcome.FAIL, NOW, Cause.REFUSED, "refused", facts={"peer": "127.0.0.1"})
    assert next_steps(target("redis://h"), lost)[0].startswith("Here, ")

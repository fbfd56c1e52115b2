"""The MQTT probe with a real Mosquitto, whole and broken."""

import base64
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from tests.beds.certificates import Authority
from tests.beds.mosquitto import mosquitto
from tests.probes.performing import answer, perform
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings

LOGIN = Login(Secret("sesame"), "monitor")


@pytest.fixture
def folder() -> Iterator[Path]:
    """For files that the broker's own user reads."""
    with tempfile.TemporaryDirectory(prefix="trueup-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.mark.parametrize("version", [3, 5])
def test_a_healthy_broker(version: Literal[3, 5]) -> None:
    with mosquitto() as server:
        seen = answer(server.url, version=version)
        assert (seen.outcome, seen.cause) == (Outcome.PASS, None)
        there_and_back = perform(server.url, version=version, roundtrip=True).answer
        assert there_and_back is not None
        assert (there_and_back.layer, there_and_back.cause) == (Layer.FUNCTION, None)
        assert "error" not in server.log(), "a farewell was said"


@pytest.mark.parametrize("version", [3, 5])
def test_a_login_demanded(version: Literal[3, 5], folder: Path) -> None:
    passwords = folder / "passwords"
    passwords.write_text(f"monitor:{_hashed('sesame')}\n")
    with mosquitto(["allow_anonymous false", f"password_file {passwords}"]) as server:
        seen = answer(server.url, version=version)
        assert (seen.cause, seen.facts["login"]) == (None, "demanded")
        assert answer(server.url, version=version, roundtrip=True).cause is Cause.LOGIN_REFUSED
        wrong = Login(Secret("wrong"), "monitor")
        assert answer(server.url, version=version, login=wrong).cause is Cause.LOGIN_REFUSED
        back = perform(server.url, version=version, login=LOGIN, roundtrip=True)
        assert back.answer is not None
        assert back.answer.cause is None
        assert b"sesame" not in b"".join(said.data for said in back.said)


@pytest.mark.parametrize("version", [3, 5])
def test_a_topic_that_an_access_list_forbids(version: Literal[3, 5], folder: Path) -> None:
    rules = folder / "rules"
    rules.write_text("topic read public/#\n")
    with mosquitto(["allow_anonymous true", f"acl_file {rules}"]) as server:
        seen = answer(server.url, version=version, roundtrip=True, timeout_s=5)
        assert seen.layer is Layer.FUNCTION
        assert seen.cause in (Cause.LOGIN_REFUSED, Cause.WRONG_ANSWER)


def test_tls(authority: Authority) -> None:
    with mosquitto(tls=authority.valid()) as server:
        trusting = TlsSettings(ca=str(authority.file))
        assert answer(server.url, tls=trusting, roundtrip=True).cause is None
        untrusted = perform(server.url).fault
        assert untrusted is not None
        assert untrusted.cause is Cause.TLS_UNTRUSTED


def test_a_paused_broker_is_silent() -> None:
    with mosquitto() as server, server.paused():
        fault = perform(server.url, timeout_s=0.3).fault
        assert fault is not None
        assert (fault.layer, fault.cause) == (Layer.SERVICE, Cause.SILENT)


def _hashed(password: str) -> str:
    """As mosquitto_passwd writes it: PBKDF2 with SHA-512."""
    salt = b"RandomSalt12"
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    return f"$7$101${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"

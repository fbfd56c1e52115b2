"""The Docker probe with a real engine: at its socket, behind a real nginx, frozen, and gone."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.certificates import Authority
from tests.beds.dockerd import Engine, dockerd
from tests.beds.nginx import nginx
from tests.probes.performing import answer, perform
from trueup.domain.causes import Cause
from trueup.domain.states import Layer
from trueup.domain.target import TlsSettings


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with dockerd() as running:
        yield running


def test_at_its_socket(engine: Engine) -> None:
    container = engine.start("web", "sleep", "1000", health="false")
    try:
        container.wait_for(lambda state: state.health == "unhealthy", "it is unhealthy")
        seen = perform(f"docker://{engine.socket_path}")
        assert seen.answer is not None
        assert seen.answer.cause is None
        assert seen.answer.facts["server"].startswith("Docker/")
        assert (seen.answer.facts["containers"], seen.answer.facts["unhealthy"]) == (1, 1)
        assert seen.redials == 0
    finally:
        container.remove()


def test_over_tcp_and_tls(engine: Engine, authority: Authority) -> None:
    body = f"location / {{ proxy_pass http://unix:{engine.socket_path}:; }}"
    with nginx(body) as server:
        assert answer(f"docker://127.0.0.1:{server.port}").facts["containers"] == 0
    with nginx(body, tls=authority.valid()) as server:
        at = f"docker://127.0.0.1:{server.port}"
        assert answer(at, tls=TlsSettings(ca=str(authority.file))).cause is None
        assert answer(at).facts["found"] == "https"


def test_frozen(engine: Engine) -> None:
    engine.freeze()
    try:
        seen = perform(f"docker://{engine.socket_path}", timeout_s=0.3)
        assert seen.fault is not None
        assert (seen.fault.layer, seen.fault.cause) == (Layer.SERVICE, Cause.SILENT)
    finally:
        engine.thaw()


def test_a_stale_socket_and_none(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    for at in (path, tmp_path / "none.sock"):
        seen = perform(f"docker://{at}")
        assert seen.fault is not None
        assert (seen.fault.layer, seen.fault.cause) == (Layer.PORT, Cause.REFUSED)

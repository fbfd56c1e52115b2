import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.host.sample import sample_bytes, sample_text
from trueup.host.containers import Containers, Engine, engines
from trueup.host.unreadable import HostUnreadable, Reason

Answer = Callable[[str], tuple[int, bytes]]


def asked_of_fake_docker(
    path: Path, answer: Answer, question: Callable[[Containers], Awaitable[object]]
) -> object:
    """A fake engine that answers captured samples: the real one is met in test_containers_live.py."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        status, body = answer(request.split()[1])
        writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async def run() -> object:
        server = await asyncio.start_unix_server(serve, path)
        try:
            return await question(Containers(Engine("docker", str(path))))
        finally:
            server.close()

    return asyncio.run(run())


def samples(target: str) -> tuple[int, bytes]:
    path, _, _ = target.partition("?")
    if path == "/containers/json":
        return 200, sample_bytes("docker_list.json")
    for name in ("web", "loops", "done", "published", "frozen", "memory", "term", "never", "nosuch"):
        said = sample_text(f"docker_inspect_{name}.json")
        container_id = json.loads(said)["Id"]
        if path in (f"/containers/{container_id}/json", f"/containers/{name}/json"):
            return 200, said.encode()
        if path == f"/containers/{container_id}/logs":
            return 200, sample_bytes(f"docker_logs_{'tty' if name == 'term' else 'framed'}.bin")
    return 404, b'{"message":"No such container"}'


def test_all_containers_are_read(tmp_path: Path) -> None:
    found = asked_of_fake_docker(tmp_path / "s", samples, lambda docker: docker.read())
    assert isinstance(found, tuple)
    assert {one.name for one in found} >= {"web", "loops", "memory", "published"}


def test_one_that_is_removed_meanwhile_is_left_out(tmp_path: Path) -> None:
    web = json.loads(sample_text("docker_inspect_web.json"))["Id"]

    def without_web(target: str) -> tuple[int, bytes]:
        return (404, b"gone") if web in target else samples(target)

    found = asked_of_fake_docker(tmp_path / "s", without_web, lambda docker: docker.read())
    assert isinstance(found, tuple)
    assert "web" not in {one.name for one in found}
    assert found


def test_one_that_hangs_leaves_none_unsaid(tmp_path: Path) -> None:
    web = json.loads(sample_text("docker_inspect_web.json"))["Id"]

    def without_web(target: str) -> tuple[int, bytes]:
        return (500, b"hangs") if web in target else samples(target)

    with pytest.raises(HostUnreadable, match="hangs"):
        asked_of_fake_docker(tmp_path / "s", without_web, lambda docker: docker.read())


def test_one_that_does_not_exist_is_absent(tmp_path: Path) -> None:
    with pytest.raises(HostUnreadable) as caught:
        asked_of_fake_docker(tmp_path / "s", samples, lambda docker: docker.inspect("gone"))
    assert caught.value.reason is Reason.ABSENT


@pytest.mark.parametrize(("status", "reason"), [(403, Reason.PERMISSION), (500, Reason.FAILED)])
def test_a_refusing_engine_is_unreadable_not_empty(tmp_path: Path, status: int, reason: Reason) -> None:
    with pytest.raises(HostUnreadable) as caught:
        asked_of_fake_docker(tmp_path / "s", lambda _: (status, b"no"), lambda docker: docker.read())
    assert caught.value.reason is reason


def test_logs_come_framed_or_plain(tmp_path: Path) -> None:
    async def both(docker: Containers) -> list[str]:
        excerpts = [await docker.log(await docker.inspect(name), 1) for name in ("web", "term")]
        return [line.text for excerpt in excerpts for line in excerpt.lines]

    assert asked_of_fake_docker(tmp_path / "s", samples, both) == ["hello", "on a terminal"]


def test_engines_are_found_where_they_are_and_once(tmp_path: Path) -> None:
    (tmp_path / "run/podman").mkdir(parents=True)
    (tmp_path / "user/podman").mkdir(parents=True)
    root = f"{tmp_path}/"
    assert engines({}, root) == ()
    podman = tmp_path / "run/podman/podman.sock"
    rootless = tmp_path / "user/podman/podman.sock"
    sockets = []
    for path in (podman, rootless):
        sockets.append(socket.socket(socket.AF_UNIX))
        sockets[-1].bind(str(path))
    (tmp_path / "run/docker.sock").symlink_to(podman)  # podman-docker
    found = engines({"XDG_RUNTIME_DIR": str(tmp_path / "user"), "DOCKER_HOST": "tcp://10.0.0.1:2375"}, root)
    for one in sockets:
        one.close()
    assert found == (Engine("podman", str(podman)), Engine("podman", str(rootless)))
    assert engines({"DOCKER_HOST": f"unix://{podman}"}, "/nowhere/") == (Engine("podman", str(podman)),)

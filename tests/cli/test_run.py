"""``trueup run`` where it can't: one sentence, and 70."""

import os
import socket
import threading
from pathlib import Path

import pytest

from tests.beds.server import free_port
from tests.cli.monitor import monitor
from tests.cli.trueup import trueup


def cannot(*words: str) -> str:
    done = trueup("run", *words)
    assert done.returncode == 70
    assert done.stdout == ""
    return done.stderr


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = cannot("--listen", f"127.0.0.1:{port}", "--data", str(tmp_path))
    assert (
        said
        == f"trueup can't run: port {port} is taken; trueup who {port} says by whom, --listen takes another\n"
    )


@pytest.mark.parametrize(
    ("listen", "said"),
    [
        ("203.0.113.5:8642", "203.0.113.5 is no address of this machine; --listen takes another"),
        ("nobody.invalid:8642", "the name nobody.invalid has no address here; --listen takes another"),
    ],
)
def test_an_address_of_somebody_else(listen: str, said: str, tmp_path: Path) -> None:
    assert cannot("--listen", listen, "--data", str(tmp_path)) == f"trueup can't run: {said}\n"


def test_a_certificate_that_isnt_there(tmp_path: Path) -> None:
    file = tmp_path / "trueup.yaml"
    file.write_text(f"monitor: {{listen: '127.0.0.1:{free_port()}', tls: {{cert: no.pem, key: no.key}}}}\n")
    assert cannot("-c", str(file), "--data", str(tmp_path / "data")) == (
        "trueup can't run: monitor.tls: no.pem and no.key can't be used: No such file or directory;"
        " name a certificate and its key\n"
    )


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = cannot("--listen", f"127.0.0.1:{free_port()}", "--data", str(tmp_path / "file" / "data"))
    assert f"{tmp_path}/file/data: Not a directory); name another folder with --data\n" in said


def test_a_state_that_is_no_database_is_set_aside_aloud(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "state.db").write_text("garbage " * 100)
    with monitor(tmp_path, "services: {gone: tcp://127.0.0.1:1}\n") as running:
        (aside,) = running.data.glob("state.db.damaged-*")
        assert running.process.stderr is not None
        assert any(f"is set aside as {aside.name}" in line for line in running.process.stderr)


def test_what_is_no_place_to_listen_is_wrong_usage() -> None:
    done = trueup("run", "--listen", "nonsense")
    assert done.returncode == 64
    assert "write 127.0.0.1:8642" in done.stderr


def test_what_changes_while_the_configuration_is_read_is_read_again(tmp_path: Path) -> None:
    """Reading waits for a secret in a pipe, and the file changes before that comes."""
    pipe, file = tmp_path / "secret", tmp_path / "trueup.yaml"
    os.mkfifo(pipe)

    def change() -> None:
        with pipe.open("w") as secret:  # waits for who reads
            file.write_text("services: {after: tcp://127.0.0.1:1}\n")
            secret.write("word")

    changing = threading.Thread(target=change)
    changing.start()
    before = f"services: {{before: {{at: 'redis://127.0.0.1:1', login: {{password: '${{file:{pipe}}}'}}}}}}\n"
    with monitor(tmp_path, before, settled=False) as running:
        changing.join(10)
        running.until(
            lambda: [one["name"] for one in running.json("/api/v1/targets")["targets"]] == ["after"]
        )

"""``trueup discover`` as a user calls it: what it writes, and that it never writes over anything."""

import json
from pathlib import Path

import pytest

from tests.beds.nginx import nginx
from tests.beds.redis import redis
from tests.beds.server import Server, free_port
from tests.cli.trueup import trueup


def ports(*servers: Server) -> str:
    return ",".join(str(server.port) for server in servers)


def test_what_it_prints_is_a_valid_configuration(tmp_path: Path) -> None:
    with redis() as server:
        done = trueup("discover", "--ports", ports(server))
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert f"    at: redis://127.0.0.1:{server.port}\n" in done.stdout
    file = tmp_path / "found.yaml"
    file.write_text(done.stdout)
    assert trueup("validate", "-c", str(file)).stdout == f"{file} is valid: 1 service\n"


def test_a_dash_is_the_standard_output(tmp_path: Path) -> None:
    with redis() as server:
        found = trueup("discover", "127.0.0.1", "--ports", ports(server), "-o", "-", cwd=tmp_path)
        taken = trueup("snapshot", "-o", "-", cwd=tmp_path)
    assert f"    at: redis://127.0.0.1:{server.port}\n" in found.stdout
    assert json.loads(taken.stdout)["listeners"]
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_is_compared_and_never_touched(tmp_path: Path) -> None:
    file = tmp_path / "trueup.yaml"
    with redis() as first, redis() as second:
        both = ports(first, second)
        wrote = trueup("discover", "--ports", ports(first), "-o", str(file))
        assert f"wrote 1 service to {file}" in wrote.stderr
        before = file.read_bytes()
        same = trueup("discover", "--ports", ports(first), "-o", str(file))
        assert same.stdout == f"{file} names all that was found\n"
        first.stop()
        done = trueup("discover", "--ports", both, "-o", str(file), "--json")
    assert done.returncode == 0
    compared = json.loads(done.stdout)
    assert [one["at"] for one in compared["gone"]] == [f"redis://127.0.0.1:{first.port}"]
    assert [one["name"] for one in compared["new"]] == [f"redis-{second.port}"]
    assert compared["changed"] == []
    assert file.read_bytes() == before


def test_another_protocol_on_a_known_port_is_a_change(tmp_path: Path) -> None:
    file = tmp_path / "trueup.yaml"
    with redis() as server:
        file.write_text(f"services: {{db: 'postgres://127.0.0.1:{server.port}'}}\n")
        done = trueup("discover", "127.0.0.1", "--ports", ports(server), "-o", str(file))
    assert f"changed  db (postgres://127.0.0.1:{server.port}): redis answers there now" in done.stdout


def test_what_it_says_in_json_is_what_it_would_write() -> None:
    with redis() as server:
        done = trueup("discover", "127.0.0.1", "--ports", ports(server), "--json")
    (service,) = json.loads(done.stdout)["services"]
    assert (service["name"], service["at"]) == ("redis", f"redis://127.0.0.1:{server.port}")


def test_virtual_hosts_of_nginx_are_asked_by_name(tmp_path: Path) -> None:
    body = "server_name shop.example; location / { proxy_pass http://127.0.0.1:%d; }"
    file = tmp_path / "trueup.yaml"
    with nginx() as behind, nginx(body % behind.port) as front:
        done = trueup("discover", "--ports", ports(behind, front), "-o", str(file))
        text = file.read_text()
        assert done.returncode == 0, done.stderr
        assert "  shop.example:\n" in text
        assert "send: {headers: {Host: shop.example}}" in text
        assert "  # where nginx passes it on to" in text
        assert trueup("check", "-c", str(file)).returncode == 0


def test_a_page_that_is_not_at_the_root_is_expected_to_be_missing(tmp_path: Path) -> None:
    file = tmp_path / "trueup.yaml"
    with nginx("location / { return 404; }") as server:
        trueup("discover", "127.0.0.1", "--ports", ports(server), "-o", str(file))
        assert "expect: {status: [404]}  # what it says at /" in file.read_text()
        assert trueup("check", "-c", str(file)).returncode == 0


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("8.8.8.8",), "--public says that you may"),
        (("--ports", "x"), "write 6379, 8000-8100, all or usual"),
        (("10.0.0.0/40",), "write one as 10.0.0.0/24"),
        (("127.0.0.1:80",), "ports go to --ports"),
    ],
)
def test_wrong_usage_is_said_with_what_to_write(words: tuple[str, ...], hint: str) -> None:
    done = trueup("discover", *words)
    assert done.returncode == 64
    assert hint in done.stderr


def test_nothing_found_is_said_in_a_valid_file(tmp_path: Path) -> None:
    file = tmp_path / "trueup.yaml"
    trueup("discover", "127.0.0.1", "--ports", str(free_port()), "-o", str(file))
    assert trueup("validate", "-c", str(file)).returncode == 0


def test_a_file_that_cannot_be_written_is_our_failure(tmp_path: Path) -> None:
    done = trueup("discover", "127.0.0.1", "--ports", str(free_port()), "-o", str(tmp_path / "no" / "x.yaml"))
    assert done.returncode == 70
    assert "can't write" in done.stderr


def test_a_file_that_is_no_configuration_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "trueup.yaml"
    file.write_text("servces: {}\n")
    done = trueup("discover", "127.0.0.1", "--ports", str(free_port()), "-o", str(file))
    assert done.returncode == 64
    assert "did you mean services" in done.stderr

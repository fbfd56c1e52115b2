import json
import stat
from pathlib import Path

from tests.beds.redis import redis
from tests.cli.trueup import trueup
from tests.importers.imported import SAMPLES

BACKUP = SAMPLES / "kuma-backup.json"


def test_the_result_passes_validate_with_the_secrets_it_names(tmp_path: Path) -> None:
    config, secrets = tmp_path / "trueup.yaml", tmp_path / "trueup.env"
    done = trueup("import", "kuma", str(BACKUP), "-o", str(config), "--secrets", str(secrets))
    assert done.returncode == 0, done.stderr
    assert "22 services" in done.stdout
    assert "not carried over" in done.stderr
    assert "s3cr3t" not in config.read_text() + done.stdout + done.stderr
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    pairs = (line.partition("=") for line in secrets.read_text().splitlines())
    env = {name: value.strip("'") for name, _, value in pairs}
    assert env["KUMA_DB_PASSWORD"] == "s3cr3t-pg"
    valid = trueup("validate", "-c", str(config), env=env)
    assert valid.returncode == 0, valid.stderr


def test_the_result_passes_validate_as_it_is_with_its_secrets_in_files_of_their_own(tmp_path: Path) -> None:
    config, folder = tmp_path / "trueup.yaml", tmp_path / "trueup-secrets"
    done = trueup("import", "kuma", str(BACKUP), "-o", str(config))
    assert done.returncode == 0, done.stderr
    assert "s3cr3t" not in config.read_text() + done.stdout + done.stderr
    assert (folder / "KUMA_DB_PASSWORD").read_text() == "s3cr3t-pg"
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    valid = trueup("validate", "-c", str(config))
    assert valid.returncode == 0, valid.stderr


def test_the_result_is_valid_whatever_its_folder_is_called(tmp_path: Path) -> None:
    folder = tmp_path / "möbel #1: 'x' y"
    folder.mkdir()
    assert trueup("import", "kuma", str(BACKUP), "-o", str(folder / "t.yaml")).returncode == 0
    valid = trueup("validate", "-c", str(folder / "t.yaml"))
    assert valid.returncode == 0, valid.stderr


def test_a_folder_that_cannot_be_referred_to(tmp_path: Path) -> None:
    folder = tmp_path / "{x}"
    folder.mkdir()
    done = trueup("import", "kuma", str(BACKUP), "-o", str(folder / "t.yaml"))
    assert done.returncode == 64
    assert "can't be referred to as a file; add --secrets FILE" in done.stderr
    assert not list(folder.iterdir())


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    for words in (
        ["-o", f"{tmp_path}/no/x"],
        ["-o", str(tmp_path), "--force"],
        ["--secrets", f"{tmp_path}/no/x"],
    ):
        done = trueup("import", "kuma", str(BACKUP), *words, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (70, "")
        assert done.stderr.startswith(f"can't write {tmp_path}")


def test_the_secrets_are_read_from_where_they_are(tmp_path: Path) -> None:
    for named, sourced in ((tmp_path / "s e", f"'{tmp_path}/s e'"), (Path("s.env"), "./s.env")):
        done = trueup("import", "kuma", str(BACKUP), "--secrets", str(named), cwd=tmp_path)
        assert f"set -a; . {sourced}; or" in done.stderr


def test_it_prints_where_no_file_is_named(tmp_path: Path) -> None:
    done = trueup("import", "monit", str(SAMPLES / "monit" / "monitrc"), cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("# Written by trueup import from Monit")
    assert str(tmp_path / "trueup-secrets") in done.stderr
    config = tmp_path / "trueup.yaml"
    config.write_text(done.stdout)
    valid = trueup("validate", cwd=tmp_path)
    assert valid.returncode == 0, valid.stderr


def test_json() -> None:
    done = trueup("import", "gatus", str(SAMPLES / "gatus"), "--json")
    document = json.loads(done.stdout)
    assert document["configuration"]["services"]["front-end"]["slow"] == "300ms"
    assert document["left_out"][0].keys() == {"what", "why"}


def test_wrong_usage(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    for words in (["kuma"], ["nagios", str(BACKUP)], ["kuma", str(broken)], ["kuma", str(tmp_path / "none")]):
        done = trueup("import", *words)
        assert done.returncode == 64, words
        assert done.stderr
    assert trueup("import", "kuma", str(broken)).stderr.startswith(f"{broken}:1: ")
    assert "did you mean monit?" in trueup("import", "monti", str(BACKUP)).stderr


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    config = tmp_path / "trueup.yaml"
    config.write_text("services: {}\n")
    done = trueup("import", "kuma", str(BACKUP), "-o", str(config))
    assert done.returncode == 64
    assert config.read_text() == "services: {}\n"
    assert trueup("import", "kuma", str(BACKUP), "-o", str(config), "--force").returncode == 0


def test_what_was_moved_in_looks_at_real_servers(tmp_path: Path) -> None:
    with redis() as server:
        monitors = [
            {"id": 1, "name": "Cache port", "type": "port", "hostname": "127.0.0.1", "port": server.port},
            {"id": 2, "name": "Cache", "type": "redis", "databaseConnectionString": server.url},
        ]
        backup = tmp_path / "backup.json"
        backup.write_text(json.dumps({"notificationList": [], "monitorList": monitors}))
        config = str(tmp_path / "trueup.yaml")
        assert trueup("import", "kuma", str(backup), "-o", config).returncode == 0
        done = trueup("check", "-c", config, "--json")
        assert done.returncode == 0, done.stdout
        (target,) = json.loads(done.stdout)["targets"]
        assert (target["name"], target["at"], target["state"]) == ("cache", server.url, "up")

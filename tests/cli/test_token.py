import json
from pathlib import Path

from tests.cli.trueup import trueup


def test_a_token_is_shown_once_listed_and_revoked(tmp_path: Path) -> None:
    data = ["--data", str(tmp_path / "data")]
    made = trueup("token", "create", "--scope", "agent:db-1", *data)
    assert made.returncode == 0
    word = made.stdout.strip()
    assert word.startswith("tu_")
    listed = trueup("token", "list", "--json", *data)
    (token,) = json.loads(listed.stdout)["tokens"]
    assert (token["scope"], token["revoked_at"]) == ("agent:db-1", None)
    assert word not in trueup("token", "list", *data).stdout
    assert trueup("token", "revoke", token["id"], *data).returncode == 0
    assert "revoked" in trueup("token", "list", *data).stdout
    assert trueup("token", "revoke", "nobody", *data).returncode == 64


def test_a_token_whose_scope_is_not_said_only_reads(tmp_path: Path) -> None:
    assert trueup("token", "create", "--data", str(tmp_path)).stdout.startswith("tu_")
    (token,) = json.loads(trueup("token", "list", "--json", "--data", str(tmp_path)).stdout)["tokens"]
    assert token["scope"] == "read"


def test_the_data_is_where_the_configuration_here_says(tmp_path: Path) -> None:
    here, other = tmp_path / "trueup.yaml", str(tmp_path / "other")
    here.write_text("monitor: {data: ./kept, oidc: {client_secret: '${NOT_HERE}'}}\nservices: {a: no}\n")
    assert trueup("token", "create", cwd=tmp_path).returncode == 0
    assert (tmp_path / "kept" / "state.db").exists()
    assert trueup("backup", "file.tar", cwd=tmp_path).returncode == 0
    assert trueup("token", "list", "--data", other, cwd=tmp_path).returncode == 64
    assert trueup("token", "create", "--data", other, cwd=tmp_path).returncode == 0
    here.write_text("monitor: {data: 7s, store: mysql://here/trueup}\n")
    done = trueup("token", "create", cwd=tmp_path)
    assert (done.returncode, "trueup.yaml:1: monitor.store:" in done.stderr) == (64, True)
    here.write_text("monitor: {store: 'postgres://monitor:canary@127.0.0.1:1/trueup'}\n")
    done = trueup("backup", "file.tar", cwd=tmp_path)
    assert (done.returncode, "pg_dump" in done.stderr, "canary" in done.stderr) == (64, True, False)
    done = trueup("user", "list", cwd=tmp_path)
    assert (done.returncode, "127.0.0.1:1" in done.stderr, "canary" in done.stderr) == (70, True, False)
    here.unlink()
    assert trueup("token", "create", cwd=tmp_path).returncode == 0
    assert (tmp_path / "trueup-data" / "state.db").exists()


def test_a_folder_that_no_monitor_has_used_is_said(tmp_path: Path) -> None:
    first = trueup("token", "create", cwd=tmp_path)
    assert f"note: the data folder {tmp_path}/trueup-data is new" in first.stderr
    assert first.stdout.count("\n") == 1  # the word alone, for the file that it goes to
    second = trueup("token", "create", cwd=tmp_path)
    assert (second.returncode, "note:" in second.stderr) == (0, False)


def test_a_wrong_scope_or_folder_is_wrong_usage(tmp_path: Path) -> None:
    done = trueup("token", "create", "--scope", "admin", "--data", str(tmp_path))
    assert (done.returncode, "write read, write or agent:HOST" in done.stderr) == (64, True)
    assert trueup("token", "list", "--data", str(tmp_path / "nowhere")).returncode == 64
    assert not (tmp_path / "nowhere").exists()


def test_a_broken_file_is_a_failure_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("no database " * 100)
    done = trueup("token", "list", "--data", str(tmp_path))
    assert done.returncode == 70
    assert "can't be used" in done.stderr

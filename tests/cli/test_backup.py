from pathlib import Path

from tests.cli.trueup import trueup


def test_data_is_backed_up_and_restored(tmp_path: Path) -> None:
    data, file = ["--data", str(tmp_path / "data")], str(tmp_path / "backup.tar")
    assert trueup("token", "create", "--scope", "read", *data).returncode == 0
    listed = trueup("token", "list", *data).stdout
    done = trueup("backup", file, *data)
    assert (done.returncode, done.stdout.startswith(f"{file}: ")) == (0, True)
    assert trueup("token", "create", "--scope", "write", *data).returncode == 0
    done = trueup("restore", file, *data)
    assert done.returncode == 0
    assert f"{tmp_path}/data/before-restore-" in done.stdout
    assert trueup("token", "list", *data).stdout == listed


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    nowhere = ["--data", str(tmp_path / "nowhere")]
    done = trueup("backup", str(tmp_path / "file"), *nowhere)
    assert (done.returncode, "there is no data of a monitor" in done.stderr) == (64, True)
    assert not (tmp_path / "nowhere").exists()
    assert trueup("restore", str(tmp_path / "missing"), *nowhere).returncode == 64
    text = tmp_path / "text"
    text.write_text("x")
    done = trueup("restore", str(text), *nowhere)
    assert (done.returncode, "is no backup of trueup" in done.stderr) == (64, True)
    trueup("token", "create", "--scope", "read", *nowhere)
    done = trueup("backup", str(tmp_path / "no" / "such" / "file"), *nowhere)
    assert (done.returncode, "can't be backed up" in done.stderr) == (70, True)

from pathlib import Path

from tests.cli.monitor import monitor
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


def test_a_monitor_that_runs_goes_on_with_what_is_restored(tmp_path: Path) -> None:
    first, second = "{one: 'tcp://127.0.0.1:1'}", "{one: 'tcp://127.0.0.1:1', two: 'tcp://127.0.0.1:1'}"
    with monitor(tmp_path, f"services: {first}\n") as ran:
        data, file = ["--data", str(ran.data)], str(tmp_path / "backup.tar")
        assert trueup("token", "create", "--scope", "read", *data).returncode == 0
        listed = trueup("token", "list", *data).stdout
        assert trueup("backup", file, *data).returncode == 0
        assert trueup("token", "create", "--scope", "write", *data).returncode == 0
        (tmp_path / "trueup.yaml").write_text(f"services: {second}\n")
        ran.until(lambda: len(ran.json("/api/v1/targets")["targets"]) == 2)
        done = trueup("restore", file, *data)
        assert (done.returncode, "a monitor runs on it" in done.stderr) == (0, True), done.stderr
        assert f"{ran.data}/before-restore-" in done.stdout
        ran.until(lambda: ran.answers("/health"))
        assert trueup("token", "list", *data).stdout == listed
        assert [one["name"] for one in ran.json("/api/v1/targets")["targets"]] == ["one", "two"]
        ran.process.terminate()
        assert ran.process.wait(30) == 0
    assert not [path.name for path in ran.data.iterdir() if "restore" in path.name and path.is_file()]


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
    assert (done.returncode, done.stderr) == (
        70,
        f"there is no folder {tmp_path}/no/such for file; make it first\n",
    )
    done = trueup("backup", "/proc/file", *nowhere)
    assert (done.returncode, "can't be backed up" in done.stderr) == (70, True)

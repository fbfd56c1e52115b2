import os
import subprocess
from pathlib import Path

from tests.beds.ownership import left_behind, own_folder, own_name


def test_only_what_belongs_to_a_gone_run_is_left_behind(tmp_path: Path) -> None:
    gone = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
    for name in (own_name("mine"), f"trueup-{gone}-lost", "trueup-redis-abc", "other-1-x", f"trueup-{gone}"):
        (tmp_path / name).mkdir()
    assert list(left_behind(tmp_path)) == [tmp_path / f"trueup-{gone}-lost"]


def test_a_folder_is_there_for_a_while() -> None:
    with own_folder("test") as folder:
        assert folder.name == f"trueup-{os.getpid()}-test"
        assert folder.stat().st_mode & 0o777 == 0o755
        (folder / "content").write_text("")
    assert not folder.exists()

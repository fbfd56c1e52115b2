"""What pipx would install: the wheel, built from a copy of this tree, in a virtual environment of its own."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_READ = ("pyproject.toml", "README.md", "LICENSE", "packaging", "src")


def run(*words: str | Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, timeout=120, check=False, env=env
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    for name in _READ:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / "tree" / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (folder / "tree").mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / "tree" / name)
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, folder / "tree")
    return next(folder.glob("trueup-*.whl"))


def test_it_holds_the_code_with_pages_types_and_manual(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "trueup/py.typed" in names
    assert any(name.endswith(".data/data/share/man/man1/trueup.1") for name in names)
    tree = ROOT / "src"
    mine = {
        str(path.relative_to(tree))
        for path in (tree / "trueup").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert mine - names == set()


def test_installed_it_runs(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
        "--quiet",
        wheel,
    )
    assert (tmp_path / "venv" / "share" / "man" / "man1" / "trueup.1").exists()
    # What it depends on is that of this environment: nothing is downloaded for a test.
    env = {**os.environ, "PYTHONPATH": sysconfig.get_paths()["purelib"]}
    program = tmp_path / "venv" / "bin" / "trueup"
    assert run(program, "--version", env=env).startswith("trueup, version ")
    assert '"$schema"' in run(program, "schema", env=env)
    where = run(python, "-c", "import trueup; print(trueup.__file__)", env=env)
    assert str(tmp_path) in where

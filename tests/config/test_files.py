import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.host.as_user import as_nobody
from trueup.config import Configuration, ConfigurationError, load
from trueup.config.configuration import SECTIONS

NBSP = "\u00a0\u00a0"


def names(configuration: Configuration) -> list[str]:
    return [target.name for target in configuration.targets]


def said(path: Path, base: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        load(path, {})
    return [str(problem).replace(f"{base}/", "") for problem in raised.value.problems]


def test_a_folder_is_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("services:\n  b: {at: redis://b, needs: [a]}\n")
    (tmp_path / "a.yml").write_text("services:\n  a: redis://a\nuplink: [tcp://one:1]\n")
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "c.yaml").write_text("services:\n  c: redis://c\nuplink: [tcp://two:2]\n")
    (tmp_path / "notes.txt").write_text("{{{")
    (tmp_path / ".b.yaml.swp").write_text("{{{")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "d.yaml").write_text("{{{")
    configuration = load(tmp_path, {})
    assert names(configuration) == ["a", "b", "c"]
    assert [address.host for address in configuration.uplink] == ["one", "two"]
    assert str(configuration.places["b"]) == f"{tmp_path}/b.yaml:2"


def test_a_name_in_two_files_names_both_places(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("services:\n  web: http://a\n  db: redis://a\n")
    (tmp_path / "b.yaml").write_text("services:\n\n  db: redis://b\n")
    assert said(tmp_path, tmp_path) == [
        "b.yaml:3: services.db: it is written twice; keep one; the first is at a.yaml:3"
    ]


def test_a_setting_in_two_files_names_both_places(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("monitor: {workers: 2}\ntiers: {1: {every: 30s}}\n")
    (tmp_path / "b.yaml").write_text("monitor: {disk: 1GB, workers: 3}\ntiers: {2: {every: 30s}}\n")
    assert said(tmp_path, tmp_path) == [
        "b.yaml:1: monitor.workers: it is written twice; keep one; the first is at a.yaml:1"
    ]


def test_a_section_twice_in_one_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("services:\n  a: redis://a\nservices:\n  b: redis://b\n")
    assert said(tmp_path / "a.yaml", tmp_path) == [
        "a.yaml:3: services: it is written twice; keep one; the first is at a.yaml:1"
    ]


def test_problems_of_all_files_come_at_once_and_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("services:\n  b: nonsense\n")
    (tmp_path / "a.yaml").write_text("services:\n  a: {at: redis://a, slow: 5}\n")
    (tmp_path / "c.yaml").write_text("services:\n  c: {at: 'redis://c\n")
    found = said(tmp_path, tmp_path)
    assert [line.split(": ")[0] for line in found] == ["a.yaml:2", "b.yaml:2", "c.yaml:2"]


def test_needs_arent_judged_while_a_file_cant_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("services:\n  a: {at: redis://a, needs: [b]}\n")
    (tmp_path / "b.yaml").write_text("services:\n  b: [\n")
    assert len(said(tmp_path, tmp_path)) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "f.yaml:1: configuration: the file is empty; write services:, or remove the file"),
        ("\n \n", "f.yaml:1: configuration: the file is empty; write services:, or remove the file"),
        ("- a\n", "f.yaml:1: yaml: the file has no keys; begin with services:"),
        ("hello", "f.yaml:1: yaml: the file has no keys; begin with services:"),
        ("servces: {}\n", "f.yaml:1: servces: unknown key 'servces'; did you mean services?"),
        (
            "\nzzz: {}\n",
            f"f.yaml:2: zzz: unknown key 'zzz'; known: {' '.join(SECTIONS)}",
        ),
        (
            f"services:\n{NBSP}a: redis://a\n",
            f"f.yaml:2: {NBSP}a: unknown key '{NBSP}a'; indent with plain spaces, not with no-break ones",
        ),
        ("services: 5\n", "f.yaml:1: services: it needs keys, not '5'; write NAME: below it"),
        ("services:\n  - a\n", "f.yaml:1: services: it needs keys, not a list; write NAME: below it"),
    ],
)
def test_a_file_that_is_no_configuration(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "f.yaml").write_text(text)
    assert said(tmp_path / "f.yaml", tmp_path) == [line]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
@pytest.mark.parametrize("text", ["\ufeff", "\ufeffservices: {a: redis://a}\n", "services: {a: redis://a}\n"])
def test_a_file_in_another_unicode_is_to_be_saved_as_utf_8(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "f.yaml").write_bytes(text.encode(encoding))
    assert said(tmp_path / "f.yaml", tmp_path) == [
        "f.yaml:1: yaml: it is in UTF-16 or UTF-32; save it as UTF-8"
    ]


def test_a_file_of_nothing_but_a_mark_of_its_encoding_is_empty(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_bytes(b"\xef\xbb\xbf\n")
    assert said(tmp_path / "f.yaml", tmp_path) == [
        "f.yaml:1: configuration: the file is empty; write services:, or remove the file"
    ]


@pytest.mark.parametrize("text", ["# nothing yet\n", "services:\n", "x-anything: {goes: [here]}\n"])
def test_a_file_that_says_nothing_is_a_configuration(tmp_path: Path, text: str) -> None:
    (tmp_path / "f.yaml").write_text(text)
    assert load(tmp_path / "f.yaml", {}).targets == ()


def test_a_file_that_isnt_there(tmp_path: Path) -> None:
    assert said(tmp_path / "f.yaml", tmp_path) == [
        "f.yaml:1: configuration: can't read it: No such file or directory; name a file or folder with -c"
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="root may give up its rights, and get them back")
def test_a_file_and_a_secret_that_may_not_be_read() -> None:
    with TemporaryDirectory() as made:  # pytest's own folders are root's alone
        folder = Path(made)
        folder.chmod(0o755)
        secret, file = folder / "secret", folder / "f.yaml"
        secret.write_text("hunter2")
        file.write_text(f"services: {{a: {{at: redis://a, login: {{password: '${{file:{secret}}}'}}}}}}\n")
        for hidden, where in ((secret, "services.a.login.password"), (file, "configuration")):
            hidden.chmod(0o600)
            (found,) = as_nobody(lambda: said(file, folder))
            assert found.startswith(f"f.yaml:1: {where}: can't read ")
            assert found.endswith("Permission denied; let the user that trueup runs as read it")


def test_a_folder_with_nothing_in_it(tmp_path: Path) -> None:
    (found,) = said(tmp_path, tmp_path.parent)
    assert found.endswith("the folder has no configuration in it; its files end in .yaml or .yml")


def test_a_folder_that_links_to_itself_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("services:\n  a: redis://a\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "again").symlink_to(tmp_path)
    assert names(load(tmp_path, {})) == ["a"]


def test_the_two_lists_of_one_anchor_stay_apart(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x-all: &all [tcp://one:1]\nuplink: *all\n")
    (tmp_path / "b.yaml").write_text("uplink: [tcp://two:2]\n")
    assert len(load(tmp_path, {}).uplink) == 2

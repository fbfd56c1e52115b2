"""Gatus's configuration: one file, or a folder whose files are merged deeply, and its ``$VARIABLES``."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from trueup.host.paths import is_folder
from trueup.importers.carried import Carried, Reference
from trueup.importers.importer import Malformed
from trueup.importers.yaml_files import read_yaml

_SUFFIXES: Final = (".yaml", ".yml")
_VARIABLE: Final = re.compile(r"\$(?:\$|\{(\w+)\}|([A-Za-z_]\w*))", re.ASCII)
_OF_GATUS: Final = frozenset({"endpoints", "external-endpoints", "suites", "services"})


def read_gatus(carried: Carried, paths: list[Path]) -> dict[str, Any]:
    """The whole configuration, its variables as references to the environment.

    Raises:
        Malformed: a file isn't Gatus's, or two say different things.
    """
    merged: dict[str, Any] = {}
    origin: dict[str, Path] = {}
    files = [file for path in paths for file in _files(path)]
    for file in files:
        read = read_yaml(file)
        if read is None:
            continue
        if not isinstance(read, dict):
            raise Malformed(file, 1, "it has no keys", "Gatus's configuration begins with endpoints:")
        _merge(merged, read, file, origin, "")
    if not _OF_GATUS & merged.keys():
        known = files[0] if files else paths[0]
        raise Malformed(
            known, 1, "it has no endpoints, so it's no configuration of Gatus", "is it the right file?"
        )
    referred: dict[str, Any] = _referred(carried, merged)
    return referred


def _files(path: Path) -> list[Path]:
    if not is_folder(path):
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
    if not found:
        raise Malformed(path, 1, "the folder has no .yaml or .yml in it", "is it the right folder?")
    return found


def _merge(
    into: dict[str, Any], more: Mapping[str, Any], file: Path, origin: dict[str, Path], at: str
) -> None:
    """Keys are merged, lists are appended; what else is said twice must be the same."""
    for key, value in more.items():
        path = f"{at}.{key}".lstrip(".")
        known = into.setdefault(key, {}) if isinstance(value, dict) else into.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            _merge(known, value, file, origin, path)
        elif isinstance(known, list) and isinstance(value, list):
            known.extend(value)
        elif key in into and known != value and path in origin:
            raise Malformed(file, 1, f"{path} is in {origin[path]} too", "Gatus lets a value be defined once")
        else:
            into[key] = value
            origin.setdefault(path, file)


def _referred(carried: Carried, node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _referred(carried, value) for key, value in node.items()}
    if isinstance(node, list):
        return [_referred(carried, value) for value in node]
    return _text(carried, node) if isinstance(node, str) and "$" in node else node


def _text(carried: Carried, text: str) -> str:
    """``$NAME`` and ``${NAME}`` as ``${NAME}``; a text without either is literal, ``$$`` a dollar."""
    names = [match[1] or match[2] for match in _VARIABLE.finditer(text) if match[1] or match[2]]
    if not names:
        return text.replace("$$", "$")
    for name in names:
        carried.refer(name, "as Gatus had it from its environment")
    return Reference("".join(_pieces(text)))


def _pieces(text: str) -> Iterator[str]:
    end = 0
    for match in _VARIABLE.finditer(text):
        yield text[end : match.start()]
        name = match[1] or match[2]
        yield "${" + name + "}" if name else "$$"
        end = match.end()
    yield text[end:]

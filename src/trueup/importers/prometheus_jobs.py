"""Prometheus's jobs that ask blackbox_exporter, and their targets."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trueup.importers.carried import Carried
from trueup.importers.go_durations import go_duration_s
from trueup.importers.importer import Malformed, text_of
from trueup.importers.lenient import listed, mapping
from trueup.importers.yaml_files import read_yaml

_INTERVAL_S: Final = 60.0
_PROBE: Final = "/probe"
_OF_MODULE: Final = ("__param_module", "module", "__module")
"""Labels of targets by which one job asks several modules."""
_KNOWN: Final = frozenset({"static_configs", "file_sd_configs", "dns_sd_configs"})


def module_of(labels: Mapping[str, str], otherwise: str) -> tuple[str, dict[str, str]]:
    """The module that a target's own labels name, else that of its job; and the labels without it."""
    named = next((labels[key] for key in _OF_MODULE if labels.get(key)), otherwise)
    return named, {key: value for key, value in labels.items() if key not in _OF_MODULE}


@dataclass(frozen=True, slots=True)
class Job:
    """A job: one module, and targets with their labels."""

    name: str
    module: str
    every_s: float
    targets: list[tuple[str, dict[str, str]]]


def jobs_of(carried: Carried, config: Mapping[str, Any], path: Path) -> list[Job]:
    """The jobs of a ``prometheus.yml`` that ask blackbox_exporter; others are Prometheus's to keep.

    Raises:
        Malformed: a file of targets can't be read.
    """
    common = mapping(config.get("global"))
    jobs = []
    for written in listed(config.get("scrape_configs")):
        job = mapping(written)
        params = mapping(job.get("params"))
        if job.get("metrics_path") != _PROBE and "module" not in params:
            continue
        name = str(job.get("job_name"))
        every_s = (
            go_duration_s(job.get("scrape_interval"))
            or go_duration_s(common.get("scrape_interval"))
            or _INTERVAL_S
        )
        _leave_discovery(carried, job, name)
        targets = list(_targets(job, path))
        modules = listed(params.get("module")) or ["http_2xx"]
        jobs += [Job(name, str(module), every_s, targets) for module in modules]
        if not targets:
            carried.leave(f'job "{name}"', "no target of it is written in a file")
    return jobs


def _leave_discovery(carried: Carried, job: Mapping[str, Any], name: str) -> None:
    for key in job:
        if key.endswith("_sd_configs") and key not in _KNOWN - {"dns_sd_configs"}:
            carried.leave(
                f'{key} of the job "{name}"',
                "targets aren't discovered so; trueup discover finds them on hosts",
            )
    for rule in listed(job.get("relabel_configs")):
        action = str(mapping(rule).get("action") or "replace")
        if action in {"keep", "drop"}:
            carried.leave(
                f'{action} of the job "{name}"', "relabelling isn't followed: all its targets are here"
            )


def _targets(job: Mapping[str, Any], path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for group in listed(job.get("static_configs")):
        yield from _of_group(group)
    for found in listed(job.get("file_sd_configs")):
        for pattern in listed(mapping(found).get("files")):
            for file in _matching(path.parent, str(pattern)):
                for group in listed(_read(file)):
                    yield from _of_group(group)


def _of_group(group: Any) -> Iterator[tuple[str, dict[str, str]]]:
    labels = {key: str(value) for key, value in mapping(mapping(group).get("labels")).items()}
    shown = {key: value for key, value in labels.items() if not key.startswith("__") or key in _OF_MODULE}
    for target in listed(mapping(group).get("targets")):
        yield str(target).strip(), shown


def _matching(folder: Path, pattern: str) -> list[Path]:
    """Files by a pattern, whose last part alone may have a star."""
    whole = folder / pattern
    return sorted(whole.parent.glob(whole.name)) if "*" in whole.name else [whole]


def _read(file: Path) -> Any:
    if file.suffix != ".json":
        return read_yaml(file)
    try:
        return json.loads(text_of(file))
    except json.JSONDecodeError as error:
        raise Malformed(file, error.lineno, f"it isn't JSON: {error.msg}", "mend this line") from None

"""blackbox_exporter: its modules, and prometheus.yml with the targets that they're asked about."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from trueup.host.paths import is_file, is_folder
from trueup.importers.blackbox_modules import DEFAULT_MODULES, Modules
from trueup.importers.carried import Carried, Found, lasting
from trueup.importers.importer import Importer, Malformed
from trueup.importers.lenient import mapping
from trueup.importers.prometheus_jobs import Job, jobs_of, module_of
from trueup.importers.prometheus_rules import Rules, rules_of
from trueup.importers.yaml_files import read_yaml

_NAMING = ("name", "service", "instance")
"""Labels that say what a target is."""
_OVER_TLS = ("https", "tls", "wss", "grpcs", "imaps", "pop3s", "smtps", "submission")
_PROMETHEUS = ("prometheus.yml", "prometheus.yaml")
_BLACKBOX = ("blackbox.yml", "blackbox.yaml", "blackbox_exporter.yml")


def read(files: Sequence[Path], _env: Mapping[str, str]) -> Carried:
    """All that the files hold: any with ``modules`` is of blackbox_exporter, any with jobs of Prometheus.

    Raises:
        Malformed: a file is neither, or there are no jobs.
    """
    carried = Carried("blackbox")
    modules: dict[str, Any] = {}
    jobs: list[Job] = []
    rules = Rules([])
    for path in _with_neighbours(carried, files):
        config = read_yaml(path)
        if not isinstance(config, dict) or not {"modules", "scrape_configs"} & config.keys():
            hint = "name prometheus.yml and blackbox.yml"
            raise Malformed(path, 1, "it has neither scrape_configs nor modules", hint)
        modules |= mapping(config.get("modules"))
        if "scrape_configs" in config:
            jobs += jobs_of(carried, config, path)
            rules = rules_of(carried, config, path)
            carried.attempt("alertmanager", partial(_carry_alertmanager, carried, config))
    if not jobs:
        problem = "no job in it asks blackbox_exporter (params: {module:}, metrics_path: /probe)"
        raise Malformed(files[0], 1, problem, "name prometheus.yml too: the targets are there")
    if not modules:
        carried.note("without blackbox.yml its example's modules are meant; name it too")
        modules = dict(DEFAULT_MODULES)
    known = Modules(carried, modules)
    for job in jobs:
        for target, labels in job.targets:
            carried.attempt(
                f'"{target}"',
                partial(_carry_target, carried, job, target, labels, modules=known, rules=rules),
            )
    return carried


def _with_neighbours(carried: Carried, files: Sequence[Path]) -> list[Path]:
    """The files; of one alone, also the one that belongs to it, where that lies beside it."""
    if len(files) != 1:
        return list(files)
    only = files[0]
    folder = only if is_folder(only) else only.parent
    names = (
        _PROMETHEUS + _BLACKBOX if is_folder(only) else _BLACKBOX if only.name in _PROMETHEUS else _PROMETHEUS
    )
    beside = [folder / name for name in names if is_file(folder / name) and folder / name != only]
    for path in beside:
        carried.note(f"{path} was read too")
    if is_folder(only) and not beside:
        raise Malformed(only, 1, "the folder has no prometheus.yml in it", "name the files")
    return beside if is_folder(only) else [only, *beside]


def _carry_target(
    carried: Carried, job: Job, target: str, labels: Mapping[str, str], *, modules: Modules, rules: Rules
) -> None:
    module, labels = module_of(labels, job.module)
    asked = modules.asked(module, target)
    if asked is None:
        return
    at, keys = asked
    policy = rules.policy(job.name, job.every_s)
    tls = policy.pop("tls", None)
    if tls and at.startswith(_OVER_TLS):
        keys["tls"] = {**keys.get("tls", {}), **tls}
    tags = [job.name, *(f"{key}={value}" for key, value in labels.items() if key not in _NAMING)]
    keys = {**keys, "every": lasting(job.every_s), **policy, "tags": tags}
    carried.checks.append(Found(f"{job.name}/{module}/{target}", _name(target, labels), [at], keys))


def _name(target: str, labels: Mapping[str, str]) -> str:
    return (
        next((labels[key] for key in _NAMING if labels.get(key)), "")
        or target.partition("://")[2].rstrip("/")
        or target
    )


def _carry_alertmanager(carried: Carried, config: Mapping[str, Any]) -> None:
    alerting = mapping(config.get("alerting"))
    for place, one in enumerate(alerting.get("alertmanagers") or ()):
        manager = mapping(one)
        base = f"{manager.get('scheme', 'http')}://"
        path = str(manager.get("path_prefix") or "").strip("/")
        for static in manager.get("static_configs") or ():
            for target in mapping(static).get("targets") or ():
                name = carried.name_for("alertmanager")
                to = f"{base}{target}/{path + '/' if path else ''}api/v2/alerts"
                carried.channels[name] = {"to": to, "form": "alertmanager"}
        if manager.get("basic_auth") or manager.get("authorization"):
            why = "write it as headers: {Authorization: ...} of the channel"
            carried.leave(f"login of alertmanager {place + 1}", why)


IMPORTER = Importer("blackbox", "blackbox_exporter", "prometheus.yml and blackbox.yml", read)

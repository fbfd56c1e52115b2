"""Gatus: its configuration, one file or the folder of it."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from trueup.importers.carried import Carried, lasting, named
from trueup.importers.gatus_channels import carry_channels
from trueup.importers.gatus_endpoints import Endpoints, unless_enabled
from trueup.importers.gatus_files import read_gatus
from trueup.importers.gatus_suites import carry_suite
from trueup.importers.gatus_windows import carry_window
from trueup.importers.go_durations import go_duration_s
from trueup.importers.importer import Importer
from trueup.importers.lenient import listed, mapping

_OF_GATUS_ITSELF: Final = {
    "storage": "history begins anew; see monitor: {store:}",
    "security": "the page has users of its own; see trueup user",
    "web": "see monitor: {listen:}",
    "ui": "the pages look as they do; the public one has a title: status_page: {title:}",
    "remote": "pages of other instances aren't shown",
    "tunneling": "trueup makes no SSH tunnels: an agent or a second monitor looks from inside",
    "announcements": "announcements aren't configured",
}


def read(files: Sequence[Path], _env: Mapping[str, str]) -> Carried:
    """All that the files hold.

    Raises:
        Malformed: one isn't Gatus's.
    """
    carried = Carried("gatus")
    config = read_gatus(carried, list(files))
    for section, why in _OF_GATUS_ITSELF.items():
        if config.get(section):
            carried.leave(section, why)
    alerting = mapping(config.get("alerting"))
    channels = carry_channels(carried, alerting)
    defaults = {kind: mapping(mapping(one).get("default-alert")) for kind, one in alerting.items()}
    endpoints = Endpoints(carried, channels, defaults)
    for written in listed(config.get("endpoints") or config.get("services")):
        one = mapping(written)
        carried.attempt(f'endpoint "{one.get("name")}"', partial(endpoints.carry, one))
    for written in listed(config.get("external-endpoints")):
        one = mapping(written)
        carried.attempt(f'endpoint "{one.get("name")}"', partial(_carry_heartbeat, carried, one, endpoints))
    for written in listed(config.get("suites")):
        one = mapping(written)
        carried.attempt(f'suite "{one.get("name")}"', partial(carry_suite, carried, one))
    plan = mapping(config.get("maintenance"))
    if plan and plan.get("enabled", True):
        carried.attempt("maintenance", partial(carry_window, carried, plan, ["*"], "maintenance"))
    checker = mapping(mapping(config.get("connectivity")).get("checker"))
    if checker.get("target"):
        carried.uplink.append(f"tcp://{checker['target']}")
    return carried


def _carry_heartbeat(carried: Carried, written: Mapping[str, Any], endpoints: Endpoints) -> None:
    name = str(written.get("name"))
    every_s = go_duration_s(mapping(written.get("heartbeat")).get("interval"))
    if every_s is None:
        carried.leave(
            f'external endpoint "{name}"', "it has no heartbeat: {interval:}, so nobody knows when it's late"
        )
        return
    known = carried.name_for(name)
    keys: dict[str, Any] = {"every": lasting(every_s), "grace": "0s", **unless_enabled(written)}
    if written.get("group"):
        keys["tags"] = [named(str(written["group"]))]
    if written.get("token"):
        keys["token"] = endpoints.secret(f"{known}_token", f"the token of {known}", written["token"])
    alert = endpoints.alert(written)
    carried.heartbeats[known] = keys if alert is None else {**keys, "alert": alert}
    carried.names[f"{written.get('group') or ''}_{name}"] = known
    carried.note("a job that posted to /api/v1/endpoints/KEY/external calls /api/v1/heartbeats/TOKEN now")


IMPORTER = Importer("gatus", "Gatus", "its configuration, or the folder of it", read)

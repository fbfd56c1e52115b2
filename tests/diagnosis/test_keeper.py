"""Who can be meant: one, or nobody."""

from dataclasses import replace

from tests.diagnosis.hosts import REDIS, cause_by, down_unit, failed, failed_unit, log, report, target
from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.rules import explained_by_the_host
from trueup.domain.causes import Cause
from trueup.host.unreadable import Reason, Unreadable

NO_ENGINE = (Unreadable("/run/docker.sock", "Permission denied", Reason.PERMISSION),)


def test_nobody_is_said_of_two_that_could_be_meant() -> None:
    two = (failed_unit("redis-server@a.service"), failed_unit("redis-server@b.service"))
    assert cause_by(report(*two)) is None
    assert cause_by(report(*two), target(unit="redis-server@b")) is Cause.CRASHED


def test_of_two_that_are_installed_the_one_in_use_is_meant() -> None:
    idle = down_unit("haproxy.service")
    asked = target("http://127.0.0.1")
    assert cause_by(report(failed_unit("nginx.service"), idle), asked) is Cause.CRASHED
    assert cause_by(report(down_unit("nginx.service"), idle, logs=(log("nginx.service"),)), asked) is None


def test_an_engine_that_may_not_be_asked_could_be_meant() -> None:
    unused = report(down_unit(), logs=(log(REDIS),), unreadable=NO_ENGINE)
    assert cause_by(unused) is None
    used = report(failed_unit(), unreadable=NO_ENGINE)
    assert cause_by(used) is Cause.CRASHED


def test_what_failed_elsewhere_is_not_this_machine_s() -> None:
    away = target("redis://10.0.0.99")
    host = report(failed_unit())
    assert explained_by_the_host(Evidence(away, (failed(),), host)) is None
    seen_by_its_agent = replace(away, host="db-1")
    assert explained_by_the_host(Evidence(seen_by_its_agent, (failed(),), host)) is not None
    seen_by_another = replace(away, host="db-2")
    assert explained_by_the_host(Evidence(seen_by_another, (failed(),), host)) is None

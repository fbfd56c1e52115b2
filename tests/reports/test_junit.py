from xml.etree import ElementTree as ET

from tests.reports.snapshots import listener, snapshot, target, unit
from trueup.reports.junit import junit
from trueup.reports.verify import compare


def test_each_thing_is_a_case_and_each_difference_a_failure_of_its_kind() -> None:
    before = snapshot(units=[unit()], listeners=[listener()], targets=[target()])
    after = snapshot(
        units=[unit()],
        listeners=[listener(), listener(port=80, speaks="http", process="x", unit="<&\x1b>")],
        targets=[target(state="down", summary='"no" \x00 <b>', next=["do & see"])],
    )
    root = ET.fromstring(junit(before, compare(before, after)))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "2", "0")
    cases = {(case.get("classname"), case.get("name")): case.find("failure") for case in root}
    assert cases["unit", "redis.service"] is None
    worse = cases["target", "cache"]
    assert worse is not None
    assert worse.get("type") == "worse"
    assert worse.get("message") == 'cache was up and is down: "no" \\x00 <b>'
    assert worse.text == "do & see"
    new = cases["listener", "tcp 127.0.0.1:80"]
    assert new is not None
    assert new.get("type") == "new"


def test_what_could_not_be_told_is_an_error() -> None:
    before = snapshot(targets=[target()])
    text = junit(before, compare(before, snapshot(targets=[target(state="unknown")])))
    root = ET.fromstring(text)
    assert (root.get("failures"), root.get("errors")) == ("0", "1")

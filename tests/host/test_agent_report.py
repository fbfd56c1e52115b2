import gzip
import zlib
from dataclasses import replace

import pytest

from tests.host.fake_reader import NOW, listening, process
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.host import agent_report
from trueup.host.agent_report import (
    AgentReport,
    LocalLook,
    ReportWriter,
    agent_report_from,
    agent_report_json,
)
from trueup.host.facts import Owner
from trueup.host.report import HostReport, Listener
from trueup.host.report_json import MalformedReport

LISTENER = Listener(listening(6379), "shop", Owner(812, (812,)), "shop")
LOOK = LocalLook(
    "127.0.0.1", 6379, Layer.SERVICE, Outcome.FAIL, NOW, Cause.SILENT, "a \ud800 byte", 1.5, "redis"
)
REPORT = AgentReport(
    HostReport("db-1", NOW, None, listeners=(LISTENER,), processes=(process(812),)), 15.0, (LOOK,)
)


def test_a_report_comes_back_as_it_went() -> None:
    plain = replace(REPORT, looks=(replace(LOOK, detail="ä"),))
    assert agent_report_from(agent_report_json(plain)) == plain


def test_what_is_no_unicode_is_escaped_not_lost() -> None:
    said = agent_report_from(agent_report_json(REPORT).replace(b"\\ud800", b"?"))
    assert said.looks[0].detail == "a ? byte"


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        (b'"layer":"service"', b'"layer":"soul"', "looks[0].layer"),
        (b'"cause":"silent"', b'"cause":"bored"', "looks[0].cause"),
        (b'"port":6379', b'"port":"6379"', "port"),
        (b'"every_s":15.0', b'"every_s":99999', "every_s"),
        (b'"every_s":15.0', b'"every_s":0', "every_s"),
        (b'"looks":[', b'"looks":[1,', "looks[0]"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(old: bytes, new: bytes, path: str) -> None:
    body = agent_report_json(REPORT)
    assert old in body
    with pytest.raises(MalformedReport) as wrong:
        agent_report_from(body.replace(old, new))
    assert path in wrong.value.path


def test_a_report_is_whole_whether_its_listeners_are_those_of_the_last_or_not() -> None:
    writer = ReportWriter()
    first, other = (replace(LISTENER, socket=replace(LISTENER.socket, port=port)) for port in (1, 2))
    again = replace(REPORT, looks=())
    for listeners in ((first,), (first, other), (other,), (replace(first, user="else"), other), ()):
        told = replace(again, report=replace(again.report, listeners=listeners))
        assert agent_report_from(writer.json(told)) == told
        assert gzip.decompress(writer.gzip(told)) == writer.json(told)


def test_what_is_packed_in_pieces_is_one_stream_of_gzip_and_only_what_is_new_is_packed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packed: list[str] = []
    part = agent_report._part

    def noted(text: str) -> tuple[bytes, bytes]:
        packed.append(text)
        return part(text)

    monkeypatch.setattr(agent_report, "_part", noted)
    listeners = [replace(LISTENER, user=f"user {number}") for number in range(1000)]
    writer = ReportWriter()
    for changed in (None, 500, 999, 0):
        packed.clear()
        if changed is not None:
            listeners[changed] = replace(LISTENER, user="ä new one")
        told = replace(REPORT, report=replace(REPORT.report, listeners=tuple(listeners)), looks=())
        inflate = zlib.decompressobj(31)
        assert agent_report_from(inflate.decompress(writer.gzip(told))) == told
        assert inflate.eof
        assert not inflate.unused_data
        assert changed is None or sum("user " in text for text in packed) == 1

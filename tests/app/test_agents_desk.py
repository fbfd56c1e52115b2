"""Who is heard: malformed, replayed, oversized and foreign reports are refused with a clear answer."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.host.fake_reader import NOW, FakeClock
from trueup.app import agents_desk
from trueup.app.agent_key import public_half
from trueup.app.agents_desk import Desk, Told
from trueup.app.report_signature import Envelope
from trueup.domain.monitor_settings import Store
from trueup.host.agent_report import AgentReport, agent_report_json
from trueup.host.report import HostReport
from trueup.store.agents import Agents
from trueup.store.opening import open_state
from trueup.store.tokens import Tokens
from trueup.web.refusal import Refusal

KEY = Ed25519PrivateKey.generate()
REPORT = AgentReport(HostReport("db-1", NOW, None), 15.0)
NOW_MS = int(NOW.timestamp() * 1000)


class Bed:
    """A desk with an agent of db-1 that has enrolled, and what it has taken."""

    def __init__(self, folder: Path) -> None:
        self.database = open_state(folder, Store())
        self.tokens = Tokens(self.database)
        self.taken: list[Told] = []
        self.clock = FakeClock()
        self.desk = Desk(self.tokens, Agents(self.database), self.clock, self.taken.append)
        self.word = self.token("db-1")
        self.enrol(self.word)

    def token(self, host: str) -> str:
        return self.tokens.create(f"agent:{host}", NOW)[0]

    def enrol(self, word: str, host: str = "db-1", key: Ed25519PrivateKey = KEY) -> None:
        body = json.dumps({"public_key": public_half(key)}).encode()
        self.desk.enrol(host, bearer(word), body)

    def send(
        self,
        body: bytes,
        sequence: int = 1,
        *,
        host: str = "db-1",
        sent_ms: int = NOW_MS,
        key: Ed25519PrivateKey = KEY,
        **more: str,
    ) -> Told:
        headers = Envelope(sequence, sent_ms).sign(key, host, body).headers()
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        self.desk.admit(host, headers)
        told: Told = self.desk.check(host, headers, body)
        return told

    def refused(self, body: bytes, sequence: int = 1, **how: object) -> Refusal:
        with pytest.raises(Refusal) as refusal:
            self.send(body, sequence, **how)  # type: ignore[arg-type]
        assert refusal.value.hint
        return refusal.value


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = Bed(tmp_path)
    yield made
    made.database.close()


def bearer(word: str) -> dict[str, str]:
    return {"authorization": f"Bearer {word}"}


def test_a_good_report_is_taken_plain_or_compressed(bed: Bed) -> None:
    body = agent_report_json(REPORT)
    assert bed.send(body, 1).told == REPORT
    assert bed.send(gzip.compress(body), 2, content_encoding="gzip").told == REPORT
    bed.desk.take(bed.send(body, 3))
    assert [one.host for one in bed.taken] == ["db-1"]


def test_a_replayed_or_older_report_is_refused_and_the_last_number_told(bed: Bed) -> None:
    body = agent_report_json(REPORT)
    bed.send(body, 7)
    for sequence in (7, 6):
        refusal = bed.refused(body, sequence)
        assert (refusal.status, refusal.more) == (409, {"sequence": 7})
    bed.send(body, 8)


@pytest.mark.parametrize("away", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_a_report_of_another_time_is_refused_and_its_number_is_not_used_up(bed: Bed, away: timedelta) -> None:
    body = agent_report_json(REPORT)
    refusal = bed.refused(body, 5, sent_ms=int((NOW + away).timestamp() * 1000))
    assert refusal.status == 409
    assert "clock" in refusal.hint
    bed.send(body, 5)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b'{"schema": 2}',
        b"[" * 100_000,
        agent_report_json(REPORT).replace(b"15.0", b"NaN"),
        agent_report_json(REPORT).replace(b"15.0", b"-1"),
        agent_report_json(REPORT).replace(b"2026-11-21T10:00:00Z", b"0001-01-01T00:00:00+14:00"),
    ],
)
def test_a_malformed_report_is_refused_and_its_number_is_not_used_up(bed: Bed, body: bytes) -> None:
    assert bed.refused(body).status == 400
    bed.send(agent_report_json(REPORT), 1)


def test_what_isn_t_gzip_is_malformed_and_what_inflates_without_end_is_too_much(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = agent_report_json(REPORT)
    assert bed.refused(body, content_encoding="gzip").status == 400
    assert bed.refused(gzip.compress(body)[:-9], content_encoding="gzip").status == 400
    monkeypatch.setattr(agents_desk, "INFLATED_BYTES_MAX", 1 << 16)
    assert bed.refused(gzip.compress(bytes(1 << 20)), content_encoding="gzip").status == 413


def test_a_report_of_a_foreign_host_is_refused(bed: Bed) -> None:
    foreign = agent_report_json(replace(REPORT, report=replace(REPORT.report, host="db-2")))
    refusal = bed.refused(foreign)
    assert refusal.status == 403
    with pytest.raises(Refusal) as other:
        bed.desk.admit("db-1", bearer(bed.token("db-2")))
    assert other.value.status == 403


def test_who_is_not_known_is_refused(bed: Bed) -> None:
    body = agent_report_json(REPORT)
    assert bed.refused(body, host="db-2").status == 401
    assert bed.refused(body, key=Ed25519PrivateKey.generate()).status == 401
    for headers in ({}, bearer("tu_nonsense"), {"authorization": "Basic eA=="}, bearer(bed.word)):
        with pytest.raises(Refusal) as refusal:
            bed.desk.admit("db-1", headers)
        assert refusal.value.status == 401


def test_a_changed_body_time_or_number_breaks_the_signature(bed: Bed) -> None:
    body = agent_report_json(REPORT)
    good = Envelope(5, NOW_MS).sign(KEY, "db-1", body)
    for envelope, sent in (
        (good, body + b" "),
        (replace(good, sequence=6), body),
        (replace(good, sent_ms=NOW_MS + 1), body),
    ):
        with pytest.raises(Refusal) as refusal:
            bed.desk.check("db-1", envelope.headers(), sent)
        assert refusal.value.status == 401
    bed.desk.check("db-1", good.headers(), body)


def test_a_token_alone_reports_nothing_but_hears_what_is_wrong(bed: Bed) -> None:
    headers = bearer(bed.token("db-1"))
    bed.desk.admit("db-1", headers)
    for body, status in ((b"nonsense", 400), (agent_report_json(REPORT), 401)):
        with pytest.raises(Refusal) as refusal:
            bed.desk.check("db-1", headers, body)
        assert refusal.value.status == status


def test_a_token_enrols_once_and_the_same_key_again(bed: Bed) -> None:
    bed.enrol(bed.word)  # the answer was lost, and the agent asks again
    with pytest.raises(Refusal) as refusal:
        bed.enrol(bed.word, key=Ed25519PrivateKey.generate())
    assert refusal.value.status == 401
    bed.send(agent_report_json(REPORT))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"public_key": 5}', b'{"public_key": "zz"}'])
def test_enrolling_without_a_key_is_malformed_and_the_token_stays_good(bed: Bed, body: bytes) -> None:
    word = bed.token("db-2")
    with pytest.raises(Refusal) as refusal:
        bed.desk.enrol("db-2", bearer(word), body)
    assert refusal.value.status == 400
    bed.enrol(word, "db-2")


def test_a_revoked_token_ends_its_agent(bed: Bed) -> None:
    (token,) = bed.tokens.all()
    bed.tokens.revoke(token.id, NOW)
    assert bed.refused(agent_report_json(REPORT)).status == 401
    with pytest.raises(Refusal):
        bed.enrol(bed.word)

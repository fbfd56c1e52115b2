import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.importers.imported import SAMPLES, Imported, imported
from trueup.importers.importer import Malformed
from trueup.importers.kuma_monitors import TYPES, WITHOUT

BACKUP = SAMPLES / "kuma-backup.json"


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    return imported(tmp_path_factory.mktemp("backup"), "kuma", BACKUP)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    folder = tmp_path_factory.mktemp("database")
    return imported(folder, "kuma", kuma_db(folder))


def kuma_db(folder: Path) -> Path:
    path = folder / "kuma.db"
    db = sqlite3.connect(path)
    db.executescript((SAMPLES / "kuma-2.sql").read_text())
    db.commit()
    db.close()
    return path


def monitor(folder: Path, **keys: Any) -> Imported:
    """A backup with one monitor."""
    path = folder / "backup.json"
    one = {"id": 1, "name": "one", "interval": 60, "maxretries": 0, "retryInterval": 60, **keys}
    path.write_text(json.dumps({"version": "1.23.0", "notificationList": [], "monitorList": [one]}))
    return imported(folder, "kuma", path)


def test_the_sample_has_every_type_of_monitor() -> None:
    kinds = {one["type"] for one in json.loads(BACKUP.read_text())["monitorList"]}
    assert {*TYPES, *WITHOUT, "group"} <= kinds


def test_every_monitor_is_there_or_is_said_not_to_be(backup: Imported) -> None:
    said = " ".join(one.what for one in backup.carried.left_out)
    kept = {*(check.key for check in backup.carried.checks), *backup.carried.names}
    for one in json.loads(BACKUP.read_text())["monitorList"]:
        if one["type"] != "group":
            assert str(one["id"]) in kept or f'"{one["name"]}"' in said, one["name"]


def test_no_secret_is_written(backup: Imported, database: Imported) -> None:
    assert "s3cr3t" not in backup.text
    assert "s3cr3t" not in database.text
    assert any(one.value == "s3cr3t-pg" for one in backup.carried.variables.values())


def test_retries_interval_headers_tags_and_keyword(backup: Imported) -> None:
    page = backup.service("shop-page")
    assert page["confirm"] == {"failures": 4, "apart": "20s"}
    assert page["expect"] == {"status": "200-299", "contains": "ready"}
    assert page["tags"] == ["Shop", "env=prod", "web"]
    assert page["send"]["headers"] == {"X-Probe": "kuma"}
    assert page["http"]["headers"]["Authorization"].startswith("${KUMA_")
    assert page["timeout"] == "30s"
    assert backup.tree["tiers"][2]["every"] == "1m"


def test_checks_of_one_address_are_one_service(backup: Imported) -> None:
    assert backup.service("db")["at"] == "postgres://db.internal:5432/shop"
    assert backup.service("db")["every"] == "30s"
    assert "db-port" not in backup.tree["services"]
    assert backup.service("shop-page-again")["at"] == [
        "https://shop.example/imprint",
        "https://shop.example/terms",
    ]


def test_a_port_that_must_be_closed_is_an_exposure(backup: Imported) -> None:
    assert backup.service("db-must-not-be-open") == {"at": "tcp://shop.example:5432", "internal": True}
    assert backup.configuration.location.outside
    assert any("upside down" in note for note in backup.carried.notes)
    assert "upside down" in backup.why("Not a 200")


def test_a_push_monitor_is_a_heartbeat(backup: Imported) -> None:
    beat = backup.tree["heartbeats"]["nightly-backup"]
    assert (beat["every"], beat["grace"]) == ("1d", "1h")
    assert backup.configuration.heartbeats["nightly-backup"].token is not None


def test_notifications_are_channels(backup: Imported) -> None:
    schemes = {name: channel.scheme for name, channel in backup.configuration.channels.items()}
    assert schemes == {
        "ops-telegram": "tgram",
        "mail-to-the-team": "mailtos",
        "slack": "slack",
        "discord": "discord",
        "ntfy": "ntfys",
        "our-hook": "https",
    }
    assert "faxgate" in backup.why("Fax")
    assert backup.tree["tiers"][2]["alert"] == ["ops-telegram"]
    assert backup.service("no-errors-on-the-page")["alert"] == ["ops-telegram", "mail-to-the-team"]


def test_the_database_of_2_x(database: Imported) -> None:
    page = database.service("shop-page")
    assert page["expect"] == {"status": [200, 204]}
    assert page["confirm"] == {"failures": 3, "apart": "30s"}
    assert page["http"]["proxy"] == "http://proxy.internal:3128"
    assert database.service("db")["tags"] == ["env=prod", "data"]
    assert database.service("queue")["at"] == "rabbitmq://rabbit.internal:15671"
    assert database.service("events")["login"]["user"] == "probe"
    assert database.service("closed-from-here")["internal"]
    assert database.service("mail") == "smtps://mail.example:465"
    assert database.tree["tiers"][2]["alert"] == ["ops"]
    assert database.tree["channels"]["on-call"] == "pover://${KUMA_ON_CALL_USER}@${KUMA_ON_CALL_TOKEN}"


def test_planned_maintenance(database: Imported) -> None:
    assert database.tree["maintenance"] == [
        {"targets": ["shop-page"], "from": "2026-12-01T22:00+01:00", "for": "150m", "note": "Move"},
        {"targets": ["db"], "weekly": "Tue,Sun 22:00", "for": "3h", "timezone": "UTC", "note": "Patch day"},
        {"targets": ["db"], "cron": "30 3 * * *", "for": "30m", "timezone": "UTC", "note": "Backup"},
        {
            "targets": ["shop-page"],
            "cron": "0 6 1,15 * *",
            "for": "1h",
            "timezone": "UTC",
            "note": "Invoices",
        },
    ]
    assert "manual" in database.why("By hand")
    assert "recur" in database.why("Closing")


def test_the_status_page(database: Imported) -> None:
    groups = {"Shop": ["shop-page"], "Data": ["db", "nightly"]}
    assert database.tree["status_page"] == {"title": "Shop status", "groups": groups}


@pytest.mark.parametrize(
    ("keys", "at"),
    [
        ({"type": "port", "hostname": "2001:db8::1", "port": 22}, "tcp://[2001:db8::1]:22"),
        (
            {"type": "dns", "hostname": "a.example", "dns_resolve_server": "9.9.9.9"},
            "dns://9.9.9.9/a.example",
        ),
        ({"type": "mqtt", "hostname": "mqtts://m.example", "port": 8883}, "mqtts://m.example:8883"),
        (
            {"type": "grpc-keyword", "grpcUrl": "g.example:443", "grpcEnableTls": True},
            "grpcs://g.example:443",
        ),
        ({"type": "http", "url": "https://a.example/?q=$$"}, "https://a.example/?q=$$$$"),
    ],
)
def test_addresses(tmp_path: Path, keys: dict[str, Any], at: str) -> None:
    found = monitor(tmp_path, **keys)
    assert f"at: {at}" in found.text or f"one: {at}" in found.text


def test_a_password_with_brackets(tmp_path: Path) -> None:
    found = monitor(
        tmp_path, type="postgres", databaseConnectionString="postgres://u:s3[cr]3t@db.internal/shop"
    )
    assert found.service("one")["at"] == "postgres://db.internal/shop"
    assert [one.value for one in found.carried.variables.values()] == ["s3[cr]3t"]


def test_no_part_of_a_password_is_in_a_complaint(tmp_path: Path) -> None:
    found = monitor(tmp_path, type="redis", databaseConnectionString="redis://:s3cr3t@[nonsense]:1")
    assert "s3cr3t" not in str(found.carried.left_out)
    assert "services" not in found.tree


def test_a_dollar_in_an_address_stays_one(tmp_path: Path) -> None:
    found = monitor(tmp_path, type="http", url="https://a.example/?price=${x}")
    assert found.configuration.targets[0].at[0].path == "/?price=${x}"


def test_what_the_configuration_refuses_is_left_out_and_said(tmp_path: Path) -> None:
    found = monitor(tmp_path, type="http", url="https://", accepted_statuscodes=["200-299"])
    assert "services" not in found.tree
    assert "no valid host" in found.why("one")
    found = monitor(tmp_path, type="http", url="https://a.example/", accepted_statuscodes=["700"])
    assert "expect" not in found.service("one") if isinstance(found.service("one"), dict) else True
    assert "status" in found.why('expect of "one"')


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('{"version": "1",\n "monitorList": [\n  {"id": 1,,}]}', 3, "isn't JSON"),
        ('{"services": {}}', 1, "no monitorList"),
        ("[]", 1, "no monitorList"),
    ],
)
def test_a_file_that_is_no_backup(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "backup.json"
    path.write_text(text)
    with pytest.raises(Malformed, match=rf"backup\.json:{line}: .*{words}"):
        imported(tmp_path, "kuma", path)


def test_a_database_that_is_none_of_kuma(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    db = sqlite3.connect(path)
    db.execute("create table monitors (id)")
    db.close()
    with pytest.raises(Malformed, match=r"no kuma\.db"):
        imported(tmp_path, "kuma", path)


def test_a_damaged_database(tmp_path: Path) -> None:
    path = kuma_db(tmp_path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(Malformed, match="SQLite can't read it"):
        imported(tmp_path, "kuma", path)


def test_strange_values_are_no_failure_of_ours(tmp_path: Path) -> None:
    for kind in TYPES:
        strange = monitor(tmp_path, type=kind, url=None, headers="[", interval="x", tags=[1], port="y")
        assert strange.carried.left_out or strange.tree


def monitors(folder: Path, *many: dict[str, Any]) -> Imported:
    """A backup with some pages."""
    path = folder / "backup.json"
    pages = [
        {"id": place, "name": f"m{place}", "type": "http", "url": f"http://a{place}.example/"} | keys
        for place, keys in enumerate(many, start=1)
    ]
    path.write_text(json.dumps({"version": "1.23.0", "notificationList": [], "monitorList": pages}))
    return imported(folder, "kuma", path)


def test_reminders_of_one_are_not_those_of_all(tmp_path: Path) -> None:
    found = monitors(tmp_path, {"resendInterval": 30}, {}, {})
    assert "remind" not in found.text.partition("services:")[2]
    assert "30m" in found.why('reminder of "m1"')


def test_reminders_of_most_are_the_tiers(tmp_path: Path) -> None:
    found = monitors(tmp_path, {"resendInterval": 30}, {"resendInterval": 30}, {"resendInterval": 60})
    assert found.tree["tiers"][2]["remind"] == "30m"
    assert "1h" in found.why('reminder of "m3"')


@pytest.mark.parametrize(
    ("keys", "content_type"),
    [
        ({"httpBodyEncoding": "xml", "body": "<a/>"}, "text/xml; charset=utf-8"),
        ({"httpBodyEncoding": "form", "body": "a=b"}, "application/x-www-form-urlencoded"),
        ({"httpBodyEncoding": "xml", "body": "<a/>", "headers": '{"content-type": "a/b"}'}, "a/b"),
    ],
)
def test_a_body_is_said_to_be_what_it_is(tmp_path: Path, keys: dict[str, Any], content_type: str) -> None:
    sent = monitor(tmp_path, type="http", url="http://a.example/", method="POST", **keys).service("one")[
        "send"
    ]
    assert list(sent["headers"].values()) == [content_type]


def test_the_type_of_no_body_is_not_said(tmp_path: Path) -> None:
    found = monitor(tmp_path, type="http", url="http://a.example/", httpBodyEncoding="xml")
    assert "send" not in found.service("one")


@pytest.mark.parametrize(
    "body", ['{"user": "ann", "pw": "s3cr3t"}', "user=ann&pass=s3cr3t", '{"pin": "s3cr3t"}']
)
def test_a_short_word_for_a_password_is_one(tmp_path: Path, body: str) -> None:
    found = monitor(tmp_path, type="http", url="http://a.example/", method="POST", body=body)
    assert "s3cr3t" not in found.text


def test_that_looks_have_less_time_is_said(tmp_path: Path) -> None:
    def notes(**keys: Any) -> str:
        return str(monitor(tmp_path, type="http", url="http://a.example/", **keys).carried.notes)

    assert "80 % of the interval" in notes(timeout=48)
    assert "80 % of the interval" not in notes(timeout=20)

import json
from pathlib import Path

import pytest

from tests.importers.imported import SAMPLES, Imported, imported
from trueup.importers.importer import Malformed

FOLDER = SAMPLES / "gatus"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    return imported(tmp_path_factory.mktemp("gatus"), "gatus", FOLDER)


def endpoint(folder: Path, text: str) -> Imported:
    """A configuration with one endpoint; the text is what stands below its name."""
    path = folder / "config.yaml"
    path.write_text("endpoints:\n  - name: one\n" + "".join(f"    {line}\n" for line in text.splitlines()))
    return imported(folder, "gatus", path)


def test_the_files_of_a_folder_are_merged_deeply(sample: Imported) -> None:
    assert {"front-end", "graphql"} <= sample.tree["services"].keys()
    assert set(sample.tree["channels"]) == {"slack", "telegram", "email"}
    assert "alerting.slack.overrides" in {one.what for one in sample.carried.left_out}


def test_no_secret_is_written_and_variables_stay(sample: Imported) -> None:
    assert "s3cr3t" not in sample.text
    assert sample.service("front-end")["http"]["headers"] == {"Authorization": "Bearer ${SHOP_TOKEN}"}
    assert sample.tree["channels"]["telegram"] == "tgram://${TELEGRAM_TOKEN}/-100123"
    assert "POSTGRES_PASSWORD" not in sample.carried.variables  # nothing refers to it any more


def test_conditions_are_expectations(sample: Imported) -> None:
    page = sample.service("front-end")
    assert page["expect"] == {"status": [200, 429], "json": {"status": "UP"}, "contains": "ready"}
    assert page["slow"] == "300ms"
    assert sample.service("costs")["expect"] == {"contains": "$5"}
    assert "no word" in sample.why("len([BODY].data) < 5")


def test_the_port_and_the_certificate_are_part_of_the_page(sample: Imported) -> None:
    assert "front-end-port" not in sample.tree["services"]
    assert "front-end-certificate" not in sample.tree["services"]
    assert sample.service("front-end")["tls"] == {"expires_within": "30d", "verify": False}


def test_thresholds_confirm_and_recover(sample: Imported) -> None:
    page = sample.service("front-end")
    assert page["confirm"] == {"failures": 4, "apart": "5m"}
    assert page["recover"] == 2
    assert "30m" in sample.why('reminder of "front-end"')


def test_what_has_no_alert_alerts_nobody(sample: Imported) -> None:
    assert sample.configuration.policies["router"].alert == ()
    assert sample.configuration.policies["front-end"].alert == ("slack", "telegram")


def test_heartbeats_windows_uplink_and_suites(sample: Imported) -> None:
    assert sample.tree["heartbeats"]["nightly-backup"]["every"] == "1d"
    assert "nobody knows" in sample.why("who-knows-when")
    assert sample.tree["maintenance"][1]["weekly"] == "Mon,Thu 23:00"
    assert sample.tree["uplink"] == ["tcp://1.1.1.1:53"]
    steps = sample.tree["journeys"]["checkout"]["steps"]
    assert steps[0]["http"]["post"] == "https://shop.example/login"
    assert steps[0]["http"]["json"]["password"] == "${PROBE_PASSWORD}"
    assert steps[0]["save"] == {"token": "json.session.token"}
    assert steps[1]["http"]["headers"] == {"Authorization": "Bearer ${token}"}
    assert steps[2]["always"]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("url: icmp://192.0.2.1", "icmp://192.0.2.1"),
        ("url: starttls://a.example:143", "imap://a.example:143"),
        ("url: ssh://a.example:22", "ssh://a.example:22"),
        ("url: 8.8.8.8\ndns: {query-name: a.example, query-type: A}", "dns://8.8.8.8/a.example"),
        ("url: grpc://a.example:50051", "grpc://a.example:50051"),
    ],
)
def test_addresses(tmp_path: Path, text: str, at: str) -> None:
    found = endpoint(tmp_path, text)
    assert [one.text for one in found.configuration.targets[0].at] == [at]


@pytest.mark.parametrize(
    ("condition", "expect"),
    [
        ("[STATUS] == 200", {"status": 200}),
        ("[STATUS] < 300", {"status": "100-299"}),
        ("[STATUS] >= 200", {"status": "200-599"}),
        ("[STATUS] == pat(2*)", {"status": "200-299"}),
        ("[BODY] == pat(*a*b*)", {"contains": ["a", "b"]}),
        ("[BODY] != pat(*error*)", {"not_contains": "error"}),
        ("[BODY].n == 5", {"json": {"n": 5}}),
        ("[BODY].on == true", {"json": {"on": True}}),
    ],
)
def test_one_condition(tmp_path: Path, condition: str, expect: object) -> None:
    found = endpoint(tmp_path, f'url: https://a.example/\nconditions: ["{condition}"]')
    assert found.service("one")["expect"] == expect


def test_two_ends_of_a_range(tmp_path: Path) -> None:
    found = endpoint(tmp_path, 'url: http://a.example/\nconditions: ["[STATUS] >= 200", "[STATUS] < 300"]')
    assert found.service("one")["expect"] == {"status": "200-299"}


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        (["[STATUS] == any(200, 201, 404)", "[STATUS] < 400"], "200-201"),
        (["[STATUS] < 400", "[STATUS] == any(200, 204, 302)"], [200, 204, 302]),
        (["[STATUS] == 200", "[STATUS] < 300"], 200),
        (["[STATUS] == 200", "[STATUS] == 500"], 200),  # nothing can be both: the second is left out
    ],
)
def test_all_conditions_on_the_status_must_hold(
    tmp_path: Path, conditions: list[str], status: object
) -> None:
    found = endpoint(tmp_path, f"url: http://a.example/\nconditions: {json.dumps(conditions)}")
    assert found.service("one")["expect"] == {"status": status}


def test_a_file_that_is_none_of_gatus(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("services:\nendpoints:\n  - name: a\n   url: b\n")
    with pytest.raises(Malformed, match=r"x\.yaml:4: it isn't YAML"):
        imported(tmp_path, "gatus", path)
    path.write_text("a: 1\n")
    with pytest.raises(Malformed, match="no endpoints"):
        imported(tmp_path, "gatus", path)
    with pytest.raises(Malformed, match="can't read it"):
        imported(tmp_path, "gatus", tmp_path / "nothing.yaml")


def test_a_value_that_two_files_define(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("endpoints: []\nalerting: {slack: {webhook-url: a}}\n")
    (tmp_path / "b.yaml").write_text("alerting: {slack: {webhook-url: b}}\n")
    with pytest.raises(Malformed, match=r"alerting\.slack\.webhook-url is in .*a\.yaml too"):
        imported(tmp_path, "gatus", tmp_path)

import subprocess
from pathlib import Path

import pytest

from tests.beds.requirements import require
from tests.importers.imported import SAMPLES, Imported, imported
from trueup.importers.importer import Malformed
from trueup.importers.plain_patterns import literal

PROMETHEUS = SAMPLES / "prometheus" / "prometheus.yml"
MODULES = SAMPLES / "prometheus" / "blackbox.yml"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    return imported(tmp_path_factory.mktemp("blackbox"), "blackbox", PROMETHEUS, MODULES)


def test_blackbox_exporter_itself_takes_the_sample() -> None:
    program = require("prometheus-blackbox-exporter")
    done = subprocess.run(
        [program, "--config.check", f"--config.file={MODULES}"], capture_output=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_order_of_the_files_does_not_matter(sample: Imported, tmp_path: Path) -> None:
    assert imported(tmp_path, "blackbox", MODULES, PROMETHEUS).tree == sample.tree


def test_no_secret_is_written(sample: Imported) -> None:
    assert "s3cr3t" not in sample.text


def test_rules_give_tier_confirmation_and_thresholds(sample: Imported) -> None:
    page = sample.service("shop.example-healthz")
    assert page["tier"] == 1
    assert page["slow"] == "2s"
    assert page["tls"] == {"expires_within": "21d"}
    assert sample.tree["tiers"][1] == {"every": "30s", "confirm": {"failures": 5, "apart": "30s"}}


def test_targets_of_one_server_are_one_service(sample: Imported) -> None:
    page = sample.service("shop.example-healthz")
    assert page["at"] == ["https://shop.example/healthz", "https://shop.example/imprint"]
    assert page["tags"] == ["websites", "env=prod", "certificates"]


def test_what_a_module_asks_of_http(sample: Imported) -> None:
    api = sample.service("api")
    assert api["send"]["method"] == "POST"
    assert api["expect"] == {
        "status": [200, 204],
        "contains": "ready",
        "not_contains": "Fatal error",
        "header": {"Content-Type": "application/json"},
    }
    assert api["tls"]["ca"] == "/etc/ssl/ca.pem"
    assert api["login"]["user"] == "probe"
    assert "several texts" in sample.why("fail_if_body_not_matches_regexp")


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("jump.example-22", "ssh://jump.example:22"),
        ("mail.example-25", "smtp://mail.example:25"),
        ("imap.example-143", "imap://imap.example:143"),
        ("pop.example-995", "pop3s://pop.example:995"),
        ("cache.internal-6379", "redis://cache.internal:6379"),
        ("meter.internal-7000", "tcp://meter.internal:7000"),
        ("git.example-22", "ssh://git.example:22"),
        ("ns.example", "dns://ns.example/example.com"),
        ("192.0.2.1", "icmp://192.0.2.1"),
        ("9.9.9.9-5353", "dns://9.9.9.9:5353/example.com"),
        ("orders.internal-50051", "grpc://orders.internal:50051/shop.Orders"),
        ("partner", "https://partner.example:8443/ping"),
    ],
)
def test_a_dialogue_is_known_by_its_words(sample: Imported, name: str, at: str) -> None:
    found = next(one for one in sample.configuration.targets if one.name == name)
    assert [address.text for address in found.at] == [at]


def test_what_is_not_there_is_said(sample: Imported) -> None:
    assert "aren't discovered" in sample.why("consul_sd_configs")
    assert "no_such_module" in sample.why("x.example")
    assert any("elsewhere/*.yml" in note for note in sample.carried.notes)


def test_alertmanager_is_the_channel(sample: Imported) -> None:
    to = "https://alertmanager.internal:9093/am/api/v2/alerts"
    assert sample.tree["channels"] == {"alertmanager": {"to": to, "form": "alertmanager"}}


def test_the_other_file_is_found_beside_it_or_in_the_folder(sample: Imported, tmp_path: Path) -> None:
    for files in (PROMETHEUS, MODULES, PROMETHEUS.parent):
        found = imported(tmp_path, "blackbox", files)
        assert found.tree == sample.tree
        assert any("was read too" in note for note in found.carried.notes)


def test_without_modules_those_of_the_example_are_meant(tmp_path: Path) -> None:
    alone = tmp_path / "alone.yml"
    alone.write_text(PROMETHEUS.read_text().replace("targets/", f"{PROMETHEUS.parent}/targets/"))
    found = imported(tmp_path, "blackbox", alone)
    assert found.service("shop.example-healthz")["expect"] == {"status": "200-299"}
    assert any("blackbox.yml" in note for note in found.carried.notes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [\n", r"x\.yml:\d+: it isn't YAML"),
        ("global: {}\n", "neither scrape_configs nor modules"),
        ("scrape_configs:\n- job_name: node\n", "no job in it asks"),
        ("modules: {a: {prober: http}}\n", "no job in it asks"),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "x.yml"
    path.write_text(text)
    with pytest.raises(Malformed, match=words):
        imported(tmp_path, "blackbox", path)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("ready", "ready"),
        (".*ready.*", "ready"),
        (r"^\+OK", "+OK"),
        ("^SSH-2.0-", "SSH-2.0-"),
        ("build [0-9]+", None),
        ("a|b", None),
        ("(?i)ready", None),
        (r"\d", None),
    ],
)
def test_patterns_that_are_plain_text(pattern: str, text: str | None) -> None:
    assert literal(pattern) == text


def probed(folder: Path, module: str, target: str, rule: str = "") -> Imported:
    """One module, one target, one rule."""
    (folder / "blackbox.yml").write_text(f"modules: {{m: {module}}}\n")
    (folder / "rules.yml").write_text(f"groups: [{{name: g, rules: [{rule}]}}]\n")
    prometheus = folder / "prometheus.yml"
    prometheus.write_text(
        "rule_files: [rules.yml]\nscrape_configs:\n"
        "- {job_name: j, metrics_path: /probe, params: {module: [m]}, "
        f"static_configs: [{{targets: ['{target}']}}]}}\n"
    )
    return imported(folder, "blackbox", prometheus, folder / "blackbox.yml")


def test_what_is_said_over_a_websocket(tmp_path: Path) -> None:
    asks = "{prober: websocket, websocket: {query_response: [{send: hi, expect: '^ho'}]}}"
    asked = probed(tmp_path, asks, "ws://w.example/").service("w.example")
    assert (asked["send"], asked["expect"]) == ({"text": "hi"}, {"contains": "ho"})
    asks = "{prober: websocket, websocket: {query_response: [{send: a}, {send: b}]}}"
    found = probed(tmp_path, asks, "ws://w.example/")
    assert "one plain text" in found.why("query_response")


def test_parameters_of_a_token_are_said_to_be_left(tmp_path: Path) -> None:
    oauth2 = "{client_id: i, client_secret: s, token_url: 'https://id/t', endpoint_params: {audience: a}}"
    found = probed(tmp_path, f"{{prober: http, http: {{oauth2: {oauth2}}}}}", "https://a.example/")
    assert "scope alone" in found.why("endpoint_params")


@pytest.mark.parametrize(
    ("url", "runbook"),
    [("https://wiki.example/x", "https://wiki.example/x"), ("https://w/{{ $labels.job }}", None)],
)
def test_a_rules_runbook_is_the_targets(tmp_path: Path, url: str, runbook: str | None) -> None:
    rule = f'{{alert: A, expr: probe_success == 0, annotations: {{runbook_url: "{url}"}}}}'
    found = probed(tmp_path, "{prober: tcp}", "a.example:22", rule)
    assert found.service("a.example-22").get("runbook") == runbook

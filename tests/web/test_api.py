"""The application as a whole: which gates there are, and how it answers what isn't one."""

import json

import pytest

from tests.web.asking import FAR, ask, doorman, web
from tests.web.scripted import ScriptedMonitor, plain
from trueup.web.api import gates_of


def test_the_description_has_every_door_of_the_api() -> None:
    described = ask(web(plain("up")), "/api/openapi.json").json
    assert described["openapi"].startswith("3.1")
    found = {(method.upper(), path) for path, one in described["paths"].items() for method in one}
    for method, path in [
        ("GET", "/api/v1/targets"),
        ("GET", "/api/v1/targets/{name}"),
        ("GET", "/api/v1/targets/{name}/history"),
        ("POST", "/api/v1/targets/{name}/check"),
        ("GET", "/api/v1/incidents"),
        ("GET", "/api/v1/incidents/{id}"),
        ("POST", "/api/v1/incidents/{id}/ack"),
        ("GET", "/api/v1/silences"),
        ("POST", "/api/v1/silences"),
        ("DELETE", "/api/v1/silences/{id}"),
        ("GET", "/api/v1/maintenance"),
        ("POST", "/api/v1/heartbeats/{token}"),
        ("GET", "/api/v1/heartbeats/{token}/{kind}"),
        ("GET", "/api/v1/events"),
        ("GET", "/health/{name}"),
        ("GET", "/metrics"),
        ("GET", "/badge/{name}.svg"),
    ]:
        assert (method, path) in found
    ids = [one["operationId"] for path in described["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids))
    assert "/login" not in described["paths"]


def test_every_parameter_of_a_path_is_described() -> None:
    described = ask(web(plain("up")), "/api/openapi.json").json
    for path, methods in described["paths"].items():
        for one in methods.values():
            named = {part["name"] for part in one["parameters"] if part["in"] == "path"}
            assert named == {part[1:].partition("}")[0] for part in path.split("/") if part.startswith("{")}


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("get", "/health", {"200", "503", "default"}),
        ("get", "/health/{name}", {"200", "503", "default"}),
        ("post", "/api/v1/silences", {"201", "default"}),
        ("post", "/api/v1/maintenance", {"201", "default"}),
        ("post", "/api/v1/tokens", {"201", "default"}),
        ("get", "/api/v1/targets", {"200", "default"}),
    ],
)
def test_the_status_of_an_answer_is_described(method: str, path: str, statuses: set[str]) -> None:
    described = ask(web(plain("up")), "/api/openapi.json").json
    assert set(described["paths"][path][method]["responses"]) == statuses


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nothing", "/api/v1/targets/"])
def test_what_is_no_page_is_said_in_json(path: str) -> None:
    answer = ask(web(plain("up")), path)
    assert answer.status == 404
    assert set(answer.json) >= {"error", "hint"}
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_browser_gets_a_page_of_it() -> None:
    answer = ask(web(plain("up")), "/nowhere", accept="text/html")
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_another_method_is_refused_by_name() -> None:
    answer = ask(web(plain("up")), "/api/v1/targets", "DELETE")
    assert (answer.status, answer.headers["allow"]) == (405, "GET")


def test_a_head_has_no_answer_of_its_own() -> None:
    assert ask(web(plain("up")), "/api/v1/targets", "HEAD").status == 200


def test_our_own_failure_is_an_answer_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(ScriptedMonitor):
        def documents(self) -> list[dict[str, object]]:
            raise RuntimeError("secret")

    answer = ask(web(Broken()), "/api/v1/targets")
    assert (answer.status, answer.json["error"]) == (500, "trueup failed to answer")
    assert "secret" not in answer.text
    assert "secret" in caplog.text


def test_pages_allow_nothing_from_elsewhere_and_nothing_inline() -> None:
    headers = ask(web(plain("up")), "/login", accept="text/html").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert headers["referrer-policy"] == "no-referrer"


def test_no_page_has_inline_script_or_style() -> None:
    from importlib.resources import files

    for one in files("trueup.web").joinpath("templates").iterdir():
        text = one.read_text()
        assert " style=" not in text, one.name
        assert "<style" not in text, one.name
        assert " on" + "click" not in text, one.name
        for script in text.split("<script")[1:]:
            assert " src=" in script.partition(">")[0], one.name


def test_static_files_are_open_and_kept_for_long() -> None:
    page = ask(web(plain("up")), "/login", host=FAR, accept="text/html")
    assert page.status in (200, 303)
    css = next(part for part in page.text.split('"') if part.endswith("trueup.css"))
    answer = ask(web(plain("up")), css, host=FAR)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in answer.headers["cache-control"]
    assert ask(web(plain("up")), "/static/x/nothing.css").status == 404


def test_bodies_are_limited() -> None:
    from tests.web.asking import as_asker

    long = json.dumps({"note": "x" * 70_000})
    answer = ask(web(plain("up")), "/api/v1/incidents/1/ack", "POST", long, **as_asker("write-token"))
    assert answer.status == 413


def test_no_two_gates_are_one() -> None:
    gates = gates_of(plain("up"), doorman())
    assert len({(gate.method, gate.path) for gate in gates}) == len(gates)

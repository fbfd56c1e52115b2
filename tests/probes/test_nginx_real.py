"""nginx's status page with a real nginx."""

from pathlib import Path

from tests.beds.nginx import nginx
from tests.probes.performing import answer
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.target import Login


def test_the_page_wherever_it_usually_is() -> None:
    for place in ("nginx_status", "basic_status"):
        with nginx(f"location = /{place} {{ stub_status; }}") as server:
            seen = answer(server.url.replace("http", "nginx"))
            assert seen.cause is None
            assert seen.facts["active"] == 1
            assert "dropped" not in seen.facts


def test_not_for_us_and_not_there() -> None:
    with nginx("location = /nginx_status { stub_status; deny all; }") as server:
        url = server.url.replace("http", "nginx")
        assert answer(url).cause is Cause.BLOCKED
        assert answer(url + "/elsewhere").cause is Cause.WRONG_ANSWER


def test_a_login(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("probe:{PLAIN}sesame\n")
    body = f"location = /nginx_status {{ stub_status; auth_basic x; auth_basic_user_file {tmp_path}/users; }}"
    with nginx(body) as server:
        url = server.url.replace("http", "nginx")
        assert answer(url).facts["login"] == "demanded"
        assert answer(url, login=Login(Secret("sesame"), "probe")).facts["active"] == 1
        assert answer(url, login=Login(Secret("wrong"), "probe")).cause is Cause.LOGIN_REFUSED

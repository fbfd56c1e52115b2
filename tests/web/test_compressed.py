"""Pages are small on their way, and events come at once."""

import gzip
import http.client
from urllib.parse import urlsplit

import pytest

from tests.web.asking import as_asker, ask, web
from tests.web.scripted import plain
from tests.web.served import served


@pytest.mark.parametrize("path", ["/", "/status", "/api/v1/targets", "/api/openapi.json"])
def test_an_answer_is_compressed_for_who_takes_it(path: str) -> None:
    app = web(plain("up", "up", "up", "up", "up"))
    whole, packed = ask(app, path), ask(app, path, accept_encoding="gzip, br")
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(whole.body) / 2
    assert gzip.decompress(packed.body)[:500] == whole.body[:500]
    assert "content-encoding" not in whole.headers
    assert whole.headers["vary"] == "Accept-Encoding", "or a cache mixes them up"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_who_was_led_here_by_another_site_gets_it_whole(site: str) -> None:
    app, wanted = web(plain("up")), {"accept_encoding": "gzip", "sec_fetch_site": site}
    signed_in = {name.replace("-", "_"): word for name, word in as_asker("viewer").items()}
    assert "content-encoding" not in ask(app, "/", **signed_in, **wanted).headers
    assert ask(app, "/", **wanted).headers["content-encoding"] == "gzip", "nothing to learn"
    own = signed_in | wanted | {"sec_fetch_site": "same-origin"}
    assert ask(app, "/", **own).headers["content-encoding"] == "gzip"


def test_the_stream_of_events_is_neither_compressed_nor_held_back() -> None:
    monitor = plain("up")
    with served(monitor) as url:
        asked = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        asked.request("GET", "/api/v1/events", headers={"Accept-Encoding": "gzip"})
        answer = asked.getresponse()
        assert answer.headers["Content-Encoding"] is None
        assert answer.readline() == b"retry: 2000\n"
        assert answer.readline() == b": trueup\n"
        asked.close()

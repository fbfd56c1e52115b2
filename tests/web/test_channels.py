"""Channels over the API: their URLs are secrets."""

from tests.web.asking import as_asker, ask, web
from tests.web.shop import shop, shop_trial


def test_channels_are_listed_without_their_urls_and_tested() -> None:
    app = web(shop(), trial=shop_trial)
    answer = ask(app, "/api/v1/channels")
    assert [one["name"] for one in answer.json["channels"]] == ["pager", "hook"]
    assert "token" not in answer.text
    tested = ask(app, "/api/v1/channels/hook/test", "POST", **as_asker("write-token"))
    assert tested.json == {"channel": "hook", "taken": True, "said": "200 ok"}
    unknown = ask(app, "/api/v1/channels/hok/test", "POST", **as_asker("write-token"))
    assert (unknown.status, unknown.json["hint"]) == (404, "did you mean hook?")

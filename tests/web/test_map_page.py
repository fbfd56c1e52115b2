"""What is drawn on the map."""

from tests.web.shop import shop
from trueup.web.map_page import map_of


def test_the_trouble_runs_along_the_lines_of_what_is_down() -> None:
    monitor = shop()
    documents = {one["name"]: one for one in monitor.documents()}
    drawn = map_of(monitor.targets, documents)
    assert [node.name for node in drawn.nodes if node.is_root] == ["redis-cache"]
    assert "queue" not in [node.name for node in drawn.nodes]
    assert sum(edge.is_hit for edge in drawn.edges) == 4
    trouble = map_of(monitor.targets, documents, only_trouble=True)
    assert {node.name for node in trouble.nodes} == {
        "redis-cache",
        "shop-web",
        "shop-api",
        "checkout",
        "search",
    }


def test_around_one_is_what_it_needs_and_who_needs_it() -> None:
    monitor = shop()
    documents = {one["name"]: one for one in monitor.documents()}
    drawn = map_of(monitor.targets, documents, around="shop-web")
    assert {node.name for node in drawn.nodes} == {"shop-web", "shop-db", "redis-cache", "checkout"}

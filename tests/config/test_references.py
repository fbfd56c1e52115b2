import pytest

from tests.config.written import loaded, problem, problems


def test_needs_may_be_services_journeys_and_heartbeats() -> None:
    text = """
        services: {a: {at: redis://h, needs: [j, b]}}
        journeys: {j: {steps: [{probe: tcp://h:1}]}}
        heartbeats: {b: {every: 1h}}
        """
    assert loaded(text).targets[0].needs == ("j", "b")


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ("[shop-bd]", "2: services.web.needs[0]: there is no target 'shop-bd'; did you mean shop-db?"),
        ("shop-bd", "2: services.web.needs: there is no target 'shop-bd'; did you mean shop-db?"),
        (
            "[shop-db, Q]",
            "2: services.web.needs[1]: there is no target 'Q'; it is no service, journey or heartbeat",
        ),
        (
            "'shop-db, web'",
            "2: services.web.needs: there is no target 'shop-db, web'; write several names as [ONE, OTHER]",
        ),
        ("[web]", "2: services.web.needs[0]: 'web' needs itself; remove it"),
    ],
)
def test_a_need_that_is_nobodys(needs: str, said: str) -> None:
    text = f"services:\n  web: {{at: http://h, needs: {needs}}}\n  shop-db: redis://h\n"
    assert problem(text) == said


def test_a_circle_is_named_in_its_order() -> None:
    text = """
        services:
          x: {at: redis://h, needs: [c]}
          a: {at: redis://h, needs: [b]}
          b: {at: redis://h, needs: [x, c]}
          c: {at: redis://h, needs: [a]}
        """
    assert problems(text) == [
        "2: services.x.needs: needs run in a circle: x -> c -> a -> b -> x; remove one of them",
        "3: services.a.needs: needs run in a circle: a -> b -> c -> a; remove one of them",
    ]


def test_two_circles_are_both_named() -> None:
    text = """
        services:
          a: {at: redis://h, needs: [b]}
          b: {at: redis://h, needs: [a]}
          c: {at: redis://h, needs: [d]}
          d: {at: redis://h, needs: [c, a]}
        """
    assert [found.split(": ")[2:4] for found in problems(text)] == [
        ["needs run in a circle", "a -> b -> a; remove one of them"],
        ["needs run in a circle", "c -> d -> c; remove one of them"],
    ]


def test_a_long_chain_is_no_circle_and_no_recursion() -> None:
    lines = [f"  s{n}: {{at: redis://h, needs: [s{n + 1}]}}" for n in range(3000)]
    text = "services:\n" + "\n".join(lines) + "\n  s3000: redis://h\n"
    assert len(loaded(text).targets) == 3001


def test_needs_of_a_target_that_doesnt_hold_are_judged_too() -> None:
    text = (
        "services:\n  a: {at: redis://h, slow: 5, needs: [b]}\n  b: {at: redis://h, slow: 5, needs: [a, c]}\n"
    )
    assert [found.split(": ")[1] for found in problems(text)] == [
        "services.a.slow",
        "services.a.needs",
        "services.b.slow",
        "services.b.needs[1]",
    ]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("shop-bd", "there is no target 'shop-bd'; did you mean shop-db?"),
        ("tag:dta", "no target has the tag 'dta'; did you mean tag:data?"),
    ],
)
@pytest.mark.parametrize(
    ("section", "path"),
    [
        ("maintenance: [{targets: [shop-db, %s], cron: '@daily', for: 1h}]", "maintenance[0].targets[1]"),
        ("status_page: {groups: {All: [shop-db, %s]}}", "status_page.groups.All[1]"),
    ],
)
def test_a_word_that_means_nobody(section: str, path: str, word: str, said: str) -> None:
    text = f"services: {{shop-db: {{at: redis://h, tags: [data]}}}}\n{section % word}\n"
    assert problem(text) == f"2: {path}: {said}"


@pytest.mark.parametrize("word", ["shop-*", "tag:data", "tag:*", "batch-*", "tag:batch", "'*'"])
def test_patterns_and_tags_may_mean_nobody_yet(word: str) -> None:
    text = (
        f"services: {{shop-db: {{at: redis://h, tags: [data]}}}}\nstatus_page: {{groups: {{All: [{word}]}}}}"
    )
    assert loaded(text).status_page is not None


def test_thousands_of_unknown_names_are_said_in_time() -> None:
    lines = [f"  service-{n}: {{at: redis://h, needs: [servise-{n}]}}" for n in range(1000)]
    found = problems("services:\n" + "\n".join(lines) + "\n")
    assert len(found) == 1000
    assert "did you mean" in found[0]
    assert "did you mean" not in found[-1]  # looking for each would take minutes

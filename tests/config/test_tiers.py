import pytest

from tests.config.written import loaded, problem
from trueup.domain.tier import Confirm, Escalate, Tier


def test_the_defaults_are_those_of_the_contract() -> None:
    tiers = loaded("x-nothing: 1").tiers
    assert tiers == {
        1: Tier(60, Confirm(2, 30), 2, "always", remind_s=3600),
        2: Tier(300, Confirm(2, 30), 2, "always", remind_s=4 * 3600),
        3: Tier(900, Confirm(2, 60), 2, "business", escalate=Escalate(86400)),
    }


def test_what_is_written_merges_key_by_key() -> None:
    tiers = loaded("tiers: {1: {confirm: {apart: 5s}, remind: null}, 3: {every: 1h}}").tiers
    assert tiers[1] == Tier(60, Confirm(2, 5), 2, "always", remind_s=None)
    assert tiers[3] == Tier(3600, Confirm(2, 60), 2, "business", escalate=Escalate(86400))


def test_a_tier_of_ones_own_begins_with_the_last() -> None:
    configuration = loaded("tiers: {4: {every: 6h, alert: []}}\nservices: {a: {at: redis://h, tier: 4}}\n")
    assert configuration.policies["a"] == Tier(
        6 * 3600, Confirm(2, 60), 2, "business", escalate=Escalate(86400), alert=()
    )


def test_a_target_overrides_its_tier_key_by_key() -> None:
    text = """
        tiers: {1: {alert: [pager]}}
        channels: {pager: tgram://t/c, mail: mailto://a}
        services:
          a: {at: redis://h, tier: 1}
          b:
            {at: redis://h, tier: 1, every: 10s, confirm: {failures: 5}, recover: 1, when: business,
             alert: []}
          c: {at: redis://h, tier: 1, alert: mail}
        """
    policies = loaded(text).policies
    assert policies["a"].alert == ("pager",)
    assert policies["b"] == Tier(10, Confirm(5, 30), 1, "business", remind_s=3600, alert=())
    assert policies["c"].alert == ("mail",)


def test_one_targets_override_isnt_anothers() -> None:
    text = "services: {a: {at: redis://h, confirm: {apart: 1s}}, b: {at: redis://h, confirm: {failures: 9}}}"
    policies = loaded(text).policies
    assert (policies["a"].confirm, policies["b"].confirm) == (Confirm(2, 1), Confirm(9, 30))
    assert loaded(text).tiers[2].confirm == Confirm(2, 30)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tiers: {1: {evry: 1m}}", "1: tiers.1.evry: unknown key 'evry'; did you mean every?"),
        ("tiers: {1: {every: 60}}", "1: tiers.1.every: 60 has no unit; write 60s"),
        ("tiers: {1: {every: 10ms}}", "1: tiers.1.every: '10ms' is too little; write 100ms or more"),
        (
            "tiers: {1: {confirm: {failures: 0}}}",
            "1: tiers.1.confirm.failures: '0' is too little; write 1 or more",
        ),
        ("tiers: {1: {remind: 10ms}}", "1: tiers.1.remind: '10ms' is too little; write 1s or more"),
        ("tiers: {1: {escalate: {}}}", "1: tiers.1.escalate.after: it is missing; add after:"),
        ("tiers: {1: 60s}", "1: tiers.1: it needs keys; write {every: 60s}"),
        ("tiers: {one: {}}", "1: tiers.one: a tier is a number; write 1, 2 or 3, or more tiers up to 99"),
        ("tiers: {0: {}}", "1: tiers.0: a tier is a number; write 1, 2 or 3, or more tiers up to 99"),
        ("tiers: {1: {alert: [pgr]}}", "1: tiers.1.alert[0]: there is no channel 'pgr'; add it to channels:"),
        (
            "tiers: {3: {escalate: {alert: pgr}}}\nchannels: {pager: tgram://x}",
            "1: tiers.3.escalate.alert: there is no channel 'pgr'; did you mean pager?",
        ),
        (
            "tiers: {1: {when: bussiness}}",
            "1: tiers.1.when: 'bussiness' is none of always business; did you mean business?",
        ),
    ],
)
def test_what_is_wrong_with_a_tier(text: str, said: str) -> None:
    assert problem(text) == said


def test_what_is_wrong_with_a_tier_is_said_of_it_alone() -> None:
    text = """
        tiers: {2: {remind: 1h, escalate: {after: 1h, to: pager}}}
        services: {a: {at: redis://h, every: 10s}, b: {at: redis://h, recover: 1}}
        """
    assert "tiers.2.escalate.to: unknown key 'to'" in problem(text)

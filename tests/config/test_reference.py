import re

import pytest

from trueup.config.configuration import SECTIONS
from trueup.config.options import option_keys
from trueup.config.reference import reference
from trueup.config.services import ServiceKeys
from trueup.config.shapes import keys_of
from trueup.domain.journey import StepKind
from trueup.probes.registry import all_probes

PAGE = reference()


def test_it_has_every_section() -> None:
    assert re.findall(r"^## (\w+)$", PAGE, re.MULTILINE) == [
        *("services", "journeys", "tiers", "channels", "heartbeats", "business_hours", "maintenance"),
        *("uplink", "location", "status_page", "monitor"),
    ]
    assert set(re.findall(r"^## (\w+)$", PAGE, re.MULTILINE)) == set(SECTIONS)


def test_it_has_every_key_of_services_and_every_kind_of_step() -> None:
    for key in keys_of(ServiceKeys):
        assert f"| `{key}` |" in PAGE
    for kind in StepKind:
        assert re.search(rf"^#### .*\b{kind}\b", PAGE, re.MULTILINE)


@pytest.mark.parametrize("probe", all_probes(), ids=lambda probe: probe.name)
def test_it_has_every_probe_with_its_schemes_and_options(probe: object) -> None:
    found = next(one for one in all_probes() if one is probe)
    part = PAGE.split(f"#### {found.title}\n")[1].split("\n#### ")[0]
    for scheme in found.schemes:
        assert f"`{scheme}`" in part
    for key in option_keys(found):
        assert f"| `{key}` |" in part


def test_a_table_says_what_a_key_takes_and_its_default() -> None:
    assert "| `every` | a duration, as `30s` | `5m` |" in PAGE
    assert "| `disk` | a size, as `2GB` | `2GB` |" in PAGE
    assert "| `when` | `always`, `business` | `always` |" in PAGE
    assert "| `send` | an address of `smtp`, `smtps`, `submission` | required |" in PAGE
    assert "| `confirm.failures` | a whole number | `2` |" in PAGE


def test_no_name_of_the_code_is_in_it() -> None:
    assert "_s`" not in PAGE
    assert "``" not in PAGE

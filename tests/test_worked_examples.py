"""The configurations that a how-to page shows hold, and name every protocol that goes deeper when asked."""

import re
from pathlib import Path

import pytest

from tests.config.written import loaded
from trueup.domain.address import parse_address
from trueup.probes.registry import SCHEMES, all_probes, probe_for

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "check-that-it-can-help.md"
BLOCKS = re.findall(r"^## ([^\n]+)\n```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
SECRETS = dict.fromkeys(re.findall(r"\$\{([A-Z_]+)\}", PAGE.read_text()), "sesame")
NOTHING_DEEPER = {"icmp", "nginx", "tcp", "tls", "udp"}
"""What they do, they do without being asked."""


@pytest.mark.parametrize(("title", "block"), BLOCKS, ids=[title for title, _ in BLOCKS])
def test_an_example_is_a_whole_configuration(title: str, block: str) -> None:
    configuration = loaded(block, SECRETS)
    assert configuration.targets, title
    assert all(configuration.checks[target.name] for target in configuration.targets)


def test_every_protocol_has_its_example() -> None:
    addresses = re.findall(r"\bat: (\S+://\S+)|^  \w+: (\S+://\S+)$", PAGE.read_text(), re.MULTILINE)
    shown = {probe_for(parse_address(one or other, SCHEMES).scheme).name for one, other in addresses}
    assert shown == {probe.name for probe in all_probes()} - NOTHING_DEEPER

"""Metrics as Prometheus reads them: its text format, version 0.0.4."""

from collections.abc import Iterable, Iterator, Mapping
from math import inf, isinf, isnan
from typing import Final

from trueup.domain.metric import Family

CONTENT_TYPE: Final = "text/plain; version=0.0.4"
_IN_LABEL: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})
_IN_HELP: Final = str.maketrans({"\\": "\\\\", "\n": "\\n"})


def written(families: Iterable[Family]) -> Iterator[str]:
    """Line by line, each with its end."""
    for family in families:
        yield f"# HELP {family.name} {family.says.translate(_IN_HELP)}\n"
        yield f"# TYPE {family.name} {family.kind}\n"
        for one in family.readings:
            yield f"{family.name}{one.ending}{_labels(one.labels)} {_number(one.value)}\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{said.translate(_IN_LABEL)}"' for name, said in labels.items()) + "}"


def _number(value: float) -> str:
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "+Inf" if value == inf else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))

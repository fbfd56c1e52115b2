import json
from datetime import UTC, datetime

import pytest

from trueup.app.observation_json import observation_from
from trueup.diagnosis.document import observation_document
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "seen",
    [
        Observation(Layer.PORT, Outcome.PASS, NOW, None, "connected", 0.2, {"peer": "::1"}),
        Observation(Layer.SERVICE, Outcome.FAIL, NOW, Cause.CLOSES, "", None, {}, "fra", "redis://10.0.0.7"),
    ],
)
def test_what_goes_to_another_process_comes_out_the_same(seen: Observation) -> None:
    assert observation_from(json.loads(json.dumps(observation_document(seen)))) == seen


def test_what_is_no_observation_is_refused() -> None:
    with pytest.raises(KeyError):
        observation_from({})

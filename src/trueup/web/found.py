"""The target that an address names."""

from starlette.requests import Request

from trueup.domain.nearest import nearest
from trueup.domain.target import Target
from trueup.web.refusal import Refusal
from trueup.web.shown import Shown


def target_of(shown: Shown, request: Request) -> Target:
    """Raises:
    Refusal: 404, no such target.
    """
    name = request.path_params["name"]
    found = next((target for target in shown.targets if target.name == name), None)
    if found is None:
        close = nearest(name, [target.name for target in shown.targets]) if len(name) < 300 else None
        raise Refusal(404, "no such target", f"did you mean {close}?" if close else "see /api/v1/targets")
    return found

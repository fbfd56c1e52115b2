"""Channels: which there are, and whether one arrives. Their URLs are secrets whole."""

from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trueup.alerts.sender import Outcome, Taken
from trueup.domain.channel import Channel
from trueup.domain.nearest import nearest
from trueup.web.access import Need
from trueup.web.gates import Gate, is_of_page
from trueup.web.refusal import Refusal
from trueup.web.rendering import rendered
from trueup.web.shown import Document, Shown


class Trial(Protocol):
    """Sends a test alert through a channel."""

    async def __call__(self, name: str, channel: Channel) -> Outcome:
        """What the receiver made of it; what it said is without secrets."""
        ...


def channel_gates(shown: Shown, trial: Trial) -> list[Gate]:
    """The list, and a test of each."""

    def channels() -> dict[str, Channel]:
        configuration = shown.configuration
        return dict(configuration.channels) if configuration is not None else {}

    async def listing(_: Request) -> Response:
        return JSONResponse({"channels": channel_documents(shown)})

    async def test(request: Request) -> Response:
        name = request.path_params["name"]
        channel = channels().get(name)
        if channel is None:
            close = nearest(name, channels()) if len(name) < 300 else None
            raise Refusal(
                404, "no such channel", f"did you mean {close}?" if close else "see /api/v1/channels"
            )
        outcome = await trial(name, channel)
        is_taken, said = outcome.taken is Taken.SENT, outcome.said
        if is_of_page(request):
            return rendered(request, "channel_tested.html", channel=name, taken=is_taken, said=said)
        return JSONResponse({"channel": name, "taken": is_taken, "said": said})

    return [
        Gate("GET", "/api/v1/channels", Need.READ, listing, "Where alerts go"),
        Gate("POST", "/api/v1/channels/{name}/test", Need.WRITE, test, "Send a test alert"),
    ]


def channel_documents(shown: Shown) -> list[Document]:
    """Name, scheme and form of each: what may be shown."""
    configuration = shown.configuration
    if configuration is None:
        return []
    return [
        {"name": name, "scheme": channel.scheme, "form": channel.form, "signed": channel.secret is not None}
        for name, channel in configuration.channels.items()
    ]

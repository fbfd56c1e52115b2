"""Settings: what can be clicked, and what the configuration file owns; and the first page after set-up."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from trueup.web.access import Doorman, Need
from trueup.web.channels import channel_documents
from trueup.web.gates import Gate, asker_of
from trueup.web.rendering import rendered
from trueup.web.shown import Shown


def settings_gates(shown: Shown, doorman: Doorman, *, is_discovered: bool) -> list[Gate]:
    """Two gates: the settings, and the welcome. ``is_discovered``: there's no file; it was found here."""

    async def settings(request: Request) -> Response:
        is_admin = asker_of(request).may(Need.ADMIN)
        configuration = shown.configuration
        return rendered(
            request,
            "settings.html",
            channels=channel_documents(shown),
            silences=[one for one in shown.silences() if not one.planned],
            maintenance=shown.maintenance(),
            is_admin=is_admin,
            tokens=await run_in_threadpool(doorman.accounts.tokens) if is_admin else [],
            tiers=configuration.tiers if configuration is not None else {},
            health=shown.own_health(),
            hosts=sorted({target.host for target in shown.targets if target.host}),
        )

    async def welcome(request: Request) -> Response:
        by_kind: dict[str, list[str]] = {}
        for target in shown.targets:
            scheme = target.at[0].scheme if target.at else target.kind.value
            by_kind.setdefault(scheme or "not identified", []).append(target.name)
        has_file = not is_discovered
        channels = channel_documents(shown)
        return rendered(request, "welcome.html", by_kind=by_kind, has_file=has_file, channels=channels)

    return [
        Gate("GET", "/settings", Need.READ, settings, "Settings", gives="text/html"),
        Gate("GET", "/welcome", Need.READ, welcome, "What was found, and what comes next", gives="text/html"),
    ]

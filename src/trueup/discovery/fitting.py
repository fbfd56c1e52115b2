"""A first look at a proposed service tells what it must be asked, or forgiven, to be seen as it is. Pure.

Only what is no fault is fitted: the name on a certificate, a page that isn't at ``/``. A certificate that has
expired or an error of the server stays one.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from trueup.discovery.found import Service
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Outcome

ROUNDS: Final = 3
"""A name and an authority may both be wanting, and then the page."""

_OF_THE_ASKER: Final = range(400, 500)
_NOT_IMPLEMENTED: Final = 501
"""A server that knows no GET has no fault (RFC 9110, 15.6.2)."""


def fitted(service: Service, seen: Iterable[Observation]) -> Service | None:
    """The service with one thing more; None where there's nothing to fit."""
    failed = next((one for one in seen if one.outcome is Outcome.FAIL), None)
    if failed is None:
        return None
    if failed.cause is Cause.TLS_NAME_MISMATCH:
        return _named(service, failed)
    if failed.cause is Cause.TLS_UNTRUSTED:
        words = (
            "nobody known has signed its certificate: name the authority with ca: FILE to have it verified"
        )
        return _with(service, "tls", {**_tls(service), "verify": False}, words)
    if service.at.startswith(("http://", "https://")) and "expect" not in service.keys:
        return _answered(service, failed)
    return None


def _named(service: Service, failed: Observation) -> Service | None:
    names = [name for name in failed.facts.get("names", ()) if "*" not in name]
    if not names or "server_name" in _tls(service):
        words = "its certificate names somebody else"
        return (
            None if _tls(service).get("verify") is False else _with(service, "tls", {"verify": False}, words)
        )
    return _with(service, "tls", {**_tls(service), "server_name": names[0]}, "the name on its certificate")


def _answered(service: Service, failed: Observation) -> Service | None:
    status = failed.facts.get("status")
    if "redirected_to" in failed.facts or "dialled" in failed.facts:
        words = "it leads elsewhere, which isn't followed"
        return _with(service, "expect", {"status": ["300-399"]}, words)
    if status == _NOT_IMPLEMENTED or (failed.cause is Cause.WRONG_ANSWER and status in _OF_THE_ASKER):
        words = "what it says at /: the path of a health page would say more"
        return _with(service, "expect", {"status": [status]}, words)
    return None


def _tls(service: Service) -> dict[str, Any]:
    told: dict[str, Any] = service.keys.get("tls", {})
    return told


def _with(service: Service, key: str, value: Any, guess: str) -> Service:
    rest = {name: one for name, one in service.keys.items() if name not in (key, "needs")}
    needs = {"needs": service.keys["needs"]} if "needs" in service.keys else {}
    return replace(service, keys={**rest, key: value, **needs}, guesses={**service.guesses, key: guess})

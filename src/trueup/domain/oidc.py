"""Signing in by somebody else's accounts."""

from dataclasses import dataclass
from typing import Annotated

from trueup.domain.address import Address
from trueup.domain.http_settings import WEB
from trueup.domain.secret import Secret


@dataclass(frozen=True, slots=True)
class Oidc:
    """``issuer``: the URL of an OpenID provider, where this monitor is ``client_id``.

    ``admins``, ``editors``, ``viewers``: who may sign in as what: verified e-mail addresses, words of the
    claim ``groups``, or ``*`` for everybody that the provider lets in. The highest role counts.
    """

    issuer: Annotated[Address, WEB]
    client_id: str
    client_secret: Secret | None = None
    admins: tuple[str, ...] = ()
    editors: tuple[str, ...] = ()
    viewers: tuple[str, ...] = ()

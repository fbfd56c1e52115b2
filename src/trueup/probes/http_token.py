"""A token by client credentials (OAuth 2.0, RFC 6749, 4.4), fetched before the question it is for."""

import json
from collections.abc import Generator
from typing import Final
from urllib.parse import quote_plus, urlencode

from trueup.conversation import Answer, Step, fails
from trueup.domain.causes import Cause
from trueup.domain.http_settings import OAuth2
from trueup.domain.printable import printable
from trueup.domain.secret import Secret
from trueup.domain.target import Login, TlsSettings
from trueup.probes.http_content import Unreadable, content_of
from trueup.probes.http_message import Response, target_of
from trueup.probes.http_peer import Peer, Proxy, basic, origin_of
from trueup.probes.http_status import judge_status

FORM: Final = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_REFUSED: Final = frozenset({400, 401, 403})
"""RFC 6749, 5.2: invalid_client, invalid_grant, invalid_scope and their like."""


def fetch_token(
    oauth2: OAuth2, tls: TlsSettings | None, proxy: Proxy | None
) -> Generator[Step, bytes, Secret | Answer]:
    """The access token, or why there is none. The client's secret is sent once HTTP has answered.

    Raises:
        Garbled, ProxyRefused: as ``Peer.ask`` does.
    """
    origin, target = origin_of(oauth2.token_url), target_of(oauth2.token_url.path)
    peer = Peer(origin, tls, open=False, proxy=proxy)
    yield from peer.ask("OPTIONS", target, keep=True)
    question = {"grant_type": "client_credentials", **({"scope": oauth2.scope} if oauth2.scope else {})}
    # RFC 6749, 2.3.1: both are form-encoded before they become a login.
    client = Login(Secret(quote_plus(oauth2.client_secret.reveal())), quote_plus(oauth2.client_id))
    response = yield from peer.ask(
        "POST", target, {**FORM, **basic(client)}, urlencode(question).encode(), secret=True
    )
    document = _document(response)
    token = document.get("access_token")
    if response.broken is None and response.status == 200 and isinstance(token, str) and token.isprintable():
        return Secret(token)
    where = f"no token from {printable(origin.name)}"
    said = printable(str(document.get("error", "")), 60)
    words = f"{where}: {response.line}" + (f", {said}" if said else "")
    if response.status in _REFUSED:
        return fails(Cause.LOGIN_REFUSED, words, status=response.status)
    failed = judge_status(response)
    if failed is not None and failed.cause is not None:
        return fails(failed.cause, f"{where}: {failed.detail}", **failed.facts)
    return fails(Cause.LOGIN_REFUSED, f"{words}, without an access_token", status=response.status)


def _document(response: Response) -> dict[str, object]:
    try:
        document = json.loads(content_of(response)[0])
    except (Unreadable, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}

"""What blackbox_exporter's prober for HTTP asks."""

from collections.abc import Mapping
from typing import Any

from trueup.importers.carried import Carried, Reference, joined
from trueup.importers.credentials import body_of, headers_into, login_of, taken_out
from trueup.importers.lenient import listed, mapping
from trueup.importers.plain_patterns import literal

_NO_PATTERNS = "patterns of several texts aren't held against answers; write the text that must be there"


def asked_by_http(
    carried: Carried, module: str, target: str, settings: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The address and the keys for a target of a module."""
    url = target if "://" in target else f"http://{target}"
    at, login = taken_out(carried, target.partition("://")[2] or target, url)
    keys: dict[str, Any] = {}
    method = str(settings.get("method") or "GET").upper()
    if method != "GET":
        keys["send"] = {"method": method}
    headers_into(carried, module, mapping(settings.get("headers")), keys)
    if settings.get("body"):
        keys.setdefault("send", {}).update(body_of(carried, module, str(settings["body"])))
    keys["expect"] = _expected(carried, module, settings)
    login = login_of_module(carried, module, settings) or login
    if login:
        keys["login"] = login
    _authorisation(carried, module, settings, keys)
    if settings.get("proxy_url"):
        keys.setdefault("http", {})["proxy"] = joined(str(settings["proxy_url"]))
    if at.startswith("https"):
        tls = tls_of(carried, module, settings)
        keys |= {"tls": tls} if tls else {}
    elif settings.get("fail_if_not_ssl"):
        carried.leave(f'fail_if_not_ssl for "{target}"', "write its address with https://")
    return at, keys


def _expected(carried: Carried, module: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    statuses = listed(settings.get("valid_status_codes")) or ["200-299"]
    expect: dict[str, Any] = {"status": statuses if len(statuses) > 1 else statuses[0]}
    for key, there in (
        ("contains", "fail_if_body_not_matches_regexp"),
        ("not_contains", "fail_if_body_matches_regexp"),
    ):
        texts = [literal(str(one)) for one in listed(settings.get(there))]
        if None in texts:
            carried.leave(f"{there} of the module {module}", _NO_PATTERNS)
        known = [text for text in texts if text]
        if known:
            expect[key] = known if len(known) > 1 else known[0]
    for one in listed(settings.get("fail_if_header_not_matches")):
        header, text = str(mapping(one).get("header")), literal(str(mapping(one).get("regexp") or ""))
        if text is None:
            carried.leave(f"fail_if_header_not_matches {header} of the module {module}", _NO_PATTERNS)
        else:
            expect.setdefault("header", {})[header] = text
    for key, why in (
        ("fail_if_header_matches", "headers can be expected, not forbidden"),
        ("fail_if_body_json_matches_cel", "CEL isn't evaluated; see expect: {json:}"),
        ("fail_if_body_json_not_matches_cel", "CEL isn't evaluated; see expect: {json:}"),
        ("fail_if_ssl", "an answer over TLS is no failure here"),
        ("valid_http_versions", "the version of HTTP isn't judged"),
        ("body_file", "write it as send: {body:}"),
    ):
        if settings.get(key):
            carried.leave(f"{key} of the module {module}", why)
    if settings.get("follow_redirects") is False and not any(str(one).startswith("3") for one in statuses):
        carried.leave(
            f"follow_redirects of the module {module}", "a redirect is followed unless it's expected"
        )
    return expect


def login_of_module(carried: Carried, module: str, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """Its ``basic_auth``."""
    basic = mapping(settings.get("basic_auth"))
    if not basic:
        return None
    meaning = f"the password of the module {module}"
    password = _word(
        carried, f"{module}_password", meaning, basic.get("password"), basic.get("password_file")
    )
    return login_of(str(basic.get("username") or ""), password)


def _word(carried: Carried, name: str, meaning: str, value: Any, file: Any) -> Reference | None:
    """A secret; one that is in a file already stays there."""
    if value:
        return carried.secret(name, meaning, str(value))
    if not file:
        return None
    path = str(file)
    return Reference("${file:" + path + "}") if path.startswith("/") else carried.secret(name, meaning, None)


def _authorisation(carried: Carried, module: str, settings: Mapping[str, Any], keys: dict[str, Any]) -> None:
    given = mapping(settings.get("authorization"))
    value = given.get("credentials") or settings.get("bearer_token")
    file = given.get("credentials_file") or settings.get("bearer_token_file")
    word = _word(carried, f"{module}_token", f"the token of the module {module}", value, file)
    if word:
        kind = str(given.get("type") or "Bearer")
        keys.setdefault("http", {}).setdefault("headers", {})["Authorization"] = joined(f"{kind} ", word)
    oauth2 = mapping(settings.get("oauth2"))
    if oauth2:
        meaning = f"the client secret of the module {module}"
        secret = _word(
            carried,
            f"{module}_client",
            meaning,
            oauth2.get("client_secret"),
            oauth2.get("client_secret_file"),
        )
        if oauth2.get("endpoint_params"):
            carried.leave(
                f"endpoint_params of the module {module}", "a token is asked for by its scope alone"
            )
        scopes = " ".join(map(str, listed(oauth2.get("scopes"))))
        keys.setdefault("http", {})["oauth2"] = {
            "token_url": str(oauth2.get("token_url")),
            "client_id": str(oauth2.get("client_id")),
            "client_secret": secret or "",
            **({"scope": scopes} if scopes else {}),
        }


def tls_of(carried: Carried, module: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Its ``tls_config``."""
    config = mapping(settings.get("tls_config"))
    tls: dict[str, Any] = {"verify": False} if config.get("insecure_skip_verify") else {}
    for key, there in (
        ("ca", "ca_file"),
        ("cert", "cert_file"),
        ("key", "key_file"),
        ("server_name", "server_name"),
    ):
        if config.get(there):
            tls[key] = str(config[there])
    if config.get("min_version"):
        carried.leave(f"min_version of the module {module}", "TLS 1.2 is the least here")
    return tls

"""The API described for programs: OpenAPI 3.1, made from the gates themselves."""

import re
from collections.abc import Iterable
from typing import Any, Final

from trueup.web.access import Need
from trueup.web.gates import Gate

_PARAMETER: Final = re.compile(r"\{(\w+)(?::\w+)?\}")
_SECURITY: Final[dict[Need, list[dict[str, list[str]]]]] = {
    Need.NOTHING: [],
    Need.OWN: [],
    Need.READ: [{"token": []}, {"session": []}, {}],
    Need.WRITE: [{"token": []}, {"session": []}],
    Need.ADMIN: [{"session": []}],
}
_ERROR: Final = {
    "description": "What is wrong, and what to do instead",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
_ERROR_SCHEMA: Final = {
    "type": "object",
    "required": ["error", "hint"],
    "properties": {
        "error": {"type": "string"},
        "hint": {"type": "string"},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {word: {"type": "string"} for word in ("field", "problem", "hint")},
            },
        },
    },
}


def openapi(gates: Iterable[Gate], version: str) -> dict[str, Any]:
    """The document; pages for people aren't in it."""
    paths: dict[str, dict[str, Any]] = {}
    for gate in gates:
        if not gate.is_page:
            plain = _PARAMETER.sub(r"{\1}", gate.path)
            paths.setdefault(plain, {})[gate.method.lower()] = _operation(gate)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "trueup",
            "version": version,
            "description": "Other parameters are refused with 400, but where jobs and agents report.",
            "license": {"name": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR_SCHEMA},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "trueup_session"},
            },
        },
    }


def _operation(gate: Gate) -> dict[str, Any]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(gate.path)
    ]
    in_query = [
        {"name": name, "in": "query", "required": False, "description": says, "schema": {"type": "string"}}
        for name, says in gate.query.items()
    ]
    shown: dict[str, Any] = {
        "operationId": _operation_id(gate),
        "summary": gate.says,
        "parameters": in_path + in_query,
        "security": _SECURITY[gate.need],
        "responses": {
            **{str(one): {"description": gate.says, "content": {gate.gives: {}}} for one in gate.statuses},
            "default": _ERROR,
        },
    }
    if gate.body:
        properties = {name: {"description": says} for name, says in gate.body.items()}
        schema = {"type": "object", "properties": properties}
        shown["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return shown


def _operation_id(gate: Gate) -> str:
    words = re.findall(r"[A-Za-z]+", _PARAMETER.sub(r"by_\1", gate.path.removeprefix("/api/v1")))
    return "_".join([gate.method.lower(), *words])

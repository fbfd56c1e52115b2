"""The files of the pages: read once, sent with a name that changes with their content."""

import hashlib
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from trueup.web.access import Need
from trueup.web.gates import Gate
from trueup.web.refusal import Refusal

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_FILES: Final = {
    one.name: one.read_bytes()
    for one in sorted(files("trueup.web").joinpath("static").iterdir(), key=lambda one: one.name)
    if one.is_file()
}
_VERSION: Final = hashlib.sha256(b"".join(_FILES.values())).hexdigest()[:10]


def static_url(name: str) -> str:
    """Where a file is, for as long as none of them changes."""
    assert name in _FILES, name
    return f"/static/{_VERSION}/{name}"


def static_gates() -> list[Gate]:
    """Open to all: they are the same everywhere. Scripts import each other by their names alone."""

    async def a_file(request: Request) -> Response:
        name = request.path_params["file"]
        content = _FILES.get(name)
        if content is None:
            raise Refusal(404, "no such file", "load the page again")
        is_new = request.path_params["version"] == _VERSION
        cached = "public, max-age=31536000, immutable" if is_new else "no-cache"
        kind = _TYPES.get(name[name.rfind(".") :], "application/octet-stream")
        return Response(content, headers={"Content-Type": kind, "Cache-Control": cached})

    says = "A file of the pages"
    return [Gate("GET", "/static/{version}/{file}", Need.NOTHING, a_file, says, gives="*/*")]

"""What is asked is refused, and why: an answer, not a failure."""

from typing import Any

from starlette.responses import JSONResponse


class Refusal(Exception):  # noqa: N818 - it's an answer
    """``status`` of HTTP, one sentence, and what to do instead; ``more`` goes into the answer too."""

    def __init__(self, status: int, error: str, hint: str, **more: Any) -> None:
        super().__init__(f"{error}; {hint}")
        self.status = status
        self.error = error
        self.hint = hint
        self.more = more

    def response(self) -> JSONResponse:
        return JSONResponse({"error": self.error, "hint": self.hint, **self.more}, self.status)

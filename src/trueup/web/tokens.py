"""Tokens: which there are, new ones, and their end. For admins; a word is shown once."""

from dataclasses import asdict
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trueup.web.access import Doorman, Need
from trueup.web.accounts import Accounts
from trueup.web.asked import told
from trueup.web.gates import Gate, answered, is_of_page
from trueup.web.refusal import Refusal
from trueup.web.rendering import rendered


def token_gates(doorman: Doorman) -> list[Gate]:
    """What an admin may do with tokens."""
    accounts: Accounts = doorman.accounts

    async def listing(_: Request) -> Response:
        found = await run_in_threadpool(accounts.tokens)
        return JSONResponse({"tokens": [asdict(one) for one in found]})

    async def create(request: Request) -> Response:
        asked = await told(request)
        asked.only("scope", "host")
        scope, host = asked.text("scope"), asked.text("host")
        if scope == "agent" and host:
            scope = f"agent:{host}"
        asked.finish()
        try:
            word, token = await run_in_threadpool(accounts.create_token, scope, datetime.now(UTC))
        except ValueError as error:
            raise Refusal(400, "no such scope", "write read, write or agent:HOST") from error
        if is_of_page(request):
            return rendered(request, "token_made.html", word=word, scope=token.scope)
        return JSONResponse({**asdict(token), "token": word}, 201)

    async def revoke(request: Request) -> Response:
        token_id = request.path_params["id"]
        if not await run_in_threadpool(accounts.revoke_token, token_id, datetime.now(UTC)):
            raise Refusal(404, "no such token", "see /api/v1/tokens")
        return answered(request, {"id": token_id, "revoked": True})

    one = "/api/v1/tokens"
    return [
        Gate("GET", one, Need.ADMIN, listing, "Tokens, without their words"),
        Gate(
            "POST",
            one,
            Need.ADMIN,
            create,
            "Make a token; its word is in this answer alone",
            body={"scope": "read, write or agent:HOST"},
            statuses=(201,),
        ),
        Gate("DELETE", f"{one}/{{id}}", Need.ADMIN, revoke, "Revoke a token"),
        Gate("POST", f"{one}/{{id}}/revoke", Need.ADMIN, revoke, "Revoke a token, by a form"),
    ]

"""Signing in: a page of this server exchanges a token for a cookie, learns whose it is, and signs out again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr, TypeAdapter
from typing_extensions import TypedDict

from cloud_incident.tokens.finding import COOKIE
from env_core.callers import ANYBODY, PUBLIC, SCOPE_KEY, Caller, UnauthenticatedError
from http_compat.operations import BoundOperation, Operation, bind_operations, read_root
from http_compat.problems import Json
from http_compat.reading import parse_model, read_json
from scenarios.given import Given

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from cloud_incident.tokens.table import TokenTable


class SignIn(Given):
    """A token, to be kept in a cookie."""

    token: SecretStr = Field(max_length=200, description="The token.")


class SessionAnswer(TypedDict):
    """Who asks. `tokens`: whether the server asks for tokens at all."""

    name: str
    scopes: list[str]
    tokens: bool


@dataclass(frozen=True, slots=True)
class SessionApi:
    """Who a page acts for. With `tokens` it can sign in and out."""

    tokens: TokenTable | None

    def bind_operations(self) -> list[BoundOperation]:
        """The operations and what answers them."""
        return bind_operations(self, OPERATIONS if self.tokens is not None else OPERATIONS[:1])

    async def answer_session(self, request: Request) -> Response:
        return self._describe(request.scope.get(SCOPE_KEY, ANYBODY))

    async def answer_sign_in(self, request: Request) -> Response:
        token = parse_model("session", SignIn, await read_json(request)).token.get_secret_value().strip()
        holder = None if self.tokens is None else self.tokens.find(token)
        if holder is None:
            raise UnauthenticatedError
        response = self._describe(holder.caller)
        response.set_cookie(
            COOKIE,
            token,
            path=read_root(request) or "/",
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    async def answer_sign_out(self, request: Request) -> Response:
        response = self._describe(Caller("", frozenset()))
        response.delete_cookie(COOKIE, path=read_root(request) or "/")
        return response

    def _describe(self, caller: Caller) -> Response:
        answer: SessionAnswer = {
            "name": caller.name,
            "scopes": sorted(caller.scopes),
            "tokens": self.tokens is not None,
        }
        return Json.encode(answer)


_TAG = "Console"
_ANSWER: TypeAdapter[SessionAnswer] = TypeAdapter(SessionAnswer)

OPERATIONS = (
    Operation(
        method="GET",
        path="/console/session",
        name="session",
        needs=PUBLIC,
        tag=_TAG,
        summary="For whom a page acts",
        answer=_ANSWER,
    ),
    Operation(
        method="POST",
        path="/console/session",
        name="sign_in",
        needs=PUBLIC,
        tag=_TAG,
        summary="Keep a token in a cookie that scripts cannot read",
        body=TypeAdapter(SignIn),
        body_required=True,
        answer=_ANSWER,
        refusals=(401, 413, 422),
    ),
    Operation(
        method="DELETE",
        path="/console/session",
        name="sign_out",
        needs=PUBLIC,
        tag=_TAG,
        summary="Forget the token in the cookie",
        answer=_ANSWER,
    ),
)

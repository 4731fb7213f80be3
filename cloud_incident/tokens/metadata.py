"""The metadata of protected resources (RFC 9728), which tells clients that a token is needed, and how it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp.shared.auth import ProtectedResourceMetadata
from starlette.routing import BaseRoute, Route, request_response

from env_core.callers import PUBLIC, SCOPES
from http_compat.gate import WELL_KNOWN, Gate, read_origin
from http_compat.problems import Json, build_problem
from mcp_server.server import SERVER_NAME

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def build_metadata_routes() -> list[BaseRoute]:
    """The metadata of the server as a whole and, below it, of each of its resources."""
    app = Gate(PUBLIC, request_response(_answer))
    return [Route(WELL_KNOWN, app, methods=["GET"]), Route(f"{WELL_KNOWN}/{{resource:path}}", app, methods=["GET"])]


async def _answer(request: Request) -> Response:
    """Give the metadata of the resource whose path is added to the well-known one.

    It names no authorization server, because this server takes the tokens that its operator hands out, and none that a
    client could ask for.
    """
    root = request.scope.get("root_path", "").strip("/")
    path = request.path_params.get("resource", "").strip("/")
    resource = path if not root or path.startswith(f"{root}/") or path == root else f"{root}/{path}".rstrip("/")
    origin = read_origin(request.scope)
    try:
        metadata = ProtectedResourceMetadata.model_validate(
            {
                "resource": f"{origin}/{resource}".rstrip("/"),
                "authorization_servers": [origin],  # the model wants one; it is left out below
                "scopes_supported": SCOPES,
                "resource_name": SERVER_NAME,
            }
        )
    except ValueError:
        return build_problem(404, "There is no such resource.")
    return Json.encode(metadata.model_dump(mode="json", exclude_none=True, exclude={"authorization_servers"}))

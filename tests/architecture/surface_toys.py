"""Toys of the surfaces: a REST route and an MCP resource."""

from __future__ import annotations

from tests.architecture.toy import Insertion, Toy

ROUTE = Toy(
    "a REST route",
    {},
    (
        Insertion(
            "http_compat/rest.py",
            "    async def answer_state(self, request: Request) -> Response:\n"
            "        return Json.encode(read_open_state(await self._load_episode(request, _read_name(request))))\n",
            "\n"
            "    async def answer_toy(self, request: Request) -> Response:\n"
            "        episode = await self._load_episode(request, _read_name(request))\n"
            '        return Json.encode({"toys": episode.step_count})\n',
        ),
        Insertion(
            "http_compat/rest.py",
            "OPERATIONS = (\n",
            "    Operation(\n"
            '        method="GET",\n'
            '        path="/toy",\n'
            '        name="toy",\n'
            "        needs=PLAY,\n"
            "        tag=_CONTROL,\n"
            '        summary="How many toys there are",\n'
            "        query=EpisodeName,\n"
            "        answer=TypeAdapter(dict[str, int]),\n"
            "        refusals=(404,),\n"
            "    ),\n",
        ),
    ),
)

RESOURCE = Toy(
    "an MCP resource",
    {},
    (
        Insertion(
            "mcp_server/resources.py",
            "VIEWS = (\n",
            '    EpisodeView("toys", "Toys", "How many.", "text/plain", lambda episode: f"{episode.id}: none"),\n',
        ),
    ),
)

TOYS = (ROUTE, RESOURCE)

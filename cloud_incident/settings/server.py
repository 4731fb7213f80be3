"""What every server can be told: whom it listens to, and how many episodes it keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations of class variables
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field

from cloud_incident.settings.base import NO_FLAG
from cloud_incident.settings.watching import Port, WatchingSettings
from env_core.service import EpisodeService, Limits
from env_core.stores import MemoryStore
from graders import read_lists
from mcp_server.results import StructuredContent

if TYPE_CHECKING:
    from collections.abc import Callable

    from env_core.selection import Selection
    from env_core.stores import EpisodeStore
    from scenarios.catalogue import Catalogue

_PUBLIC_RATE = 1_000.0
"""Requests and messages a second of one caller, where others than those of this machine may call."""

_DAY = 86_400
"""In seconds."""
_LOOPBACK_ADDRESSES = ("127.0.0.1", "::1")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_LONGEST_PREFIX = 200
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound


def read_prefix(text: str) -> str:
    """A path prefix such as `/incidents`, without a slash at its end; "" if there is none.

    Raises:
        ValueError: if the text is no path prefix.
    """
    prefix = text.strip().rstrip("/")
    if prefix and (len(prefix) > _LONGEST_PREFIX or not _PREFIX.fullmatch(prefix) or "/." in prefix):
        raise ValueError("a path prefix is expected, such as /incidents")
    return prefix


class ServerSettings(WatchingSettings):
    """Settings of a server, whatever it serves."""

    variable_names: ClassVar[Mapping[str, tuple[str, ...]]] = {"space_host": ("SPACE_HOST",)}

    capacity: int = Field(
        10_000,
        ge=1,
        description="Most open episodes. Finished ones make room.",
    )
    max_sessions: int = Field(
        1_000,
        ge=1,
        description="Most sessions of each kind: WebSockets and JSON-RPC, SSE, operators and agents over streamable "
        "HTTP; and most episodes that are kept of WebSockets that broke off.",
    )
    idle_seconds: float = Field(
        3600.0,
        ge=1,
        description="After how many seconds an unused session or episode is forgotten; a stored one if room is needed.",
    )
    keep_days: float = Field(
        7.0, gt=0, description="After how many days a stored episode is forgotten that nobody uses."
    )
    structured_content: StructuredContent = Field(
        StructuredContent.BOTH,
        description="What results carry, each of which says everything. both: text and structured content. off: text. "
        "only: structured content.",
    )
    training: bool = Field(
        False,
        description="Whether operators over MCP choose split, index, reward mode and handle, and read what each step "
        "earned.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: tuple[Port, ...] = Field((7860,), min_length=1, description="Port to listen on; may be given more than once.")
    allow_host: tuple[str, ...] = Field((), description="A further Host header to accept; may be given more than once.")
    allow_origin: tuple[str, ...] = Field(
        (), description="A site whose pages may call, such as https://app.example; or *. May be given more than once."
    )
    forwarded_allow_ips: str | None = Field(
        None,
        description="Proxies whose X-Forwarded-… headers count: addresses and networks, separated by commas; * for "
        "all. Loopback if not given.",
    )
    root_path: Annotated[str, AfterValidator(read_prefix)] = Field(
        "", description="The path prefix under which a proxy serves this server, such as /incidents."
    )
    max_connections: int = Field(
        10_000,
        ge=1,
        description="Most open connections; fewer where the system gives fewer file handles. Those that have been idle "
        "for longest make room.",
    )
    max_connections_per_address: int = Field(
        2_000, ge=1, description="Most open connections of one address, unless it is one of --forwarded-allow-ips."
    )
    max_header_bytes: int = Field(
        65_536, ge=1_024, description="Most bytes of the request line and the headers of a request."
    )
    header_seconds: float = Field(15.0, gt=0, description="Seconds that headers may take to arrive.")
    max_body_bytes: int = Field(
        1_048_576, ge=1_024, description="Most bytes of the body of a request, or of a message over a WebSocket."
    )
    body_seconds: float = Field(30.0, gt=0, description="Seconds that a body, or a message, may take to arrive.")
    max_arriving_bytes: int = Field(
        268_435_456, ge=1_048_576, description="Most bytes of all bodies that are arriving in pieces."
    )
    write_seconds: float = Field(
        30.0, gt=0, description="Seconds that a client may leave what it is sent unread before it is hung up on."
    )
    ws_max_frames: int = Field(128, ge=1, description="Most frames of a message over a WebSocket.")
    ws_control_frames: int = Field(
        10, ge=1, description="Most pings and pongs a second over a WebSocket; those of five seconds may come at once."
    )
    max_waiting: int = Field(
        1_000, ge=1, description="Most resets that wait for their incidents to be made; further ones are refused."
    )
    rate_limit: float | None = Field(
        None,
        ge=0,
        description="Most requests and messages a second of each caller, or of each address where callers have no "
        "names; 0 for any number. If not given: any number on loopback, and 1,000 elsewhere.",
    )
    space_host: Annotated[str, NO_FLAG] = Field(
        "", description="The public host name of the hosted Space that the server runs in."
    )

    @property
    def operator(self) -> bool:
        """Whether incidents can be started and graded, beside working those that are open."""
        return True

    @property
    def sse(self) -> bool:
        """Whether MCP is served over SSE too."""
        return True

    @property
    def selection(self) -> Selection | None:
        """The incident to open at the start, if there is one."""
        return None

    @property
    def trusted_proxies(self) -> str:
        """The addresses and networks whose forwarded headers count. A Space stands behind proxies of its host alone."""
        return self.forwarded_allow_ips or ("*" if self.space_host else ",".join(_LOOPBACK_ADDRESSES))

    @property
    def websocket_pings(self) -> tuple[float | None, float | None]:
        """The seconds between pings on WebSockets, and those that an answer may take. None: no limit."""
        return None, None

    @property
    def requests_a_second(self) -> float:
        """How many requests and messages a second one caller may send; 0 for any number."""
        if self.rate_limit is not None:
            return self.rate_limit
        return 0.0 if self.host in {*_LOOPBACK_ADDRESSES, "localhost"} else _PUBLIC_RATE

    @property
    def address(self) -> str:
        """Where the server is reached on this machine: the URL of its first port."""
        named = "localhost" if self.host in _EVERYWHERE else self.host
        return f"http://{f'[{named}]' if ':' in named else named}:{self.port[0]}"

    def build_service(
        self, *, loaded: bool, make: Callable[[Catalogue, EpisodeStore, Limits], EpisodeService] = EpisodeService
    ) -> EpisodeService:
        """An episode service over the catalogue.

        Further directories are loaded at once, and with `loaded` the curated incidents are too; otherwise an incident
        is loaded when it is first used. `make` makes the service.

        Raises:
            DocumentError: if a document that is loaded is not valid.
            StoreUnavailableError: if the store that the settings name cannot be opened.
        """
        catalogue = self.build_catalogue()
        if loaded or self.scenarios:
            catalogue.load()
        if loaded:
            read_lists()  # now, since the first grade would hold up every other caller meanwhile
        store = self.open_store()
        kept = self.idle_seconds if isinstance(store, MemoryStore) else max(self.idle_seconds, self.keep_days * _DAY)
        return make(catalogue, store, Limits(self.capacity, self.idle_seconds, kept, self.max_waiting))

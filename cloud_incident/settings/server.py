"""What every server can be told: whom it listens to, and how many episodes it keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations of class variables
from typing import TYPE_CHECKING, Annotated, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, FilePath, model_validator

from cloud_incident.settings.base import NO_FLAG
from cloud_incident.settings.limits import LimitSettings
from cloud_incident.settings.watching import WatchingSettings
from env_core.callers import ANYBODY, NOBODY, Caller, is_loopback
from env_core.service import EpisodeService, Limits
from env_core.stores import MemoryStore
from graders import read_lists
from mcp_server.results import StructuredContent

if TYPE_CHECKING:
    from collections.abc import Callable

    from env_core.selection import Selection
    from env_core.stores import EpisodeStore
    from scenarios.catalogue import Catalogue

Port = Annotated[int, Field(ge=0, le=65535)]

_PUBLIC_RATE = 1_000.0
"""Requests and messages a second of one caller, where others than those of this machine may call."""

_DAY = 86_400
"""In seconds."""
_GRACE_SECONDS = 60.0
_LOOPBACK_ADDRESSES = ("127.0.0.1", "::1")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_LONGEST_PREFIX = 200
_URL = re.compile(rf"https?://[^/?#@\s]+(?:{_PREFIX.pattern})?")
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound


def read_prefix(text: str) -> str:
    """A path prefix such as `/incidents`, without a slash at its end; "" if there is none.

    Raises:
        ValueError: if the text is no path prefix.
    """
    prefix = text.strip().rstrip("/")
    if prefix and (len(prefix) > _LONGEST_PREFIX or not _PREFIX.fullmatch(prefix) or "/." in prefix):
        raise ValueError("a path prefix is expected, such as /incidents")
    return prefix


def build_address(host: str, port: int) -> str:
    """The URL of a port that is listened on at an address, as this machine reaches it."""
    named = "localhost" if host in EVERYWHERE else host
    return f"http://{f'[{named}]' if ':' in named else named}:{port}"


def _read_url(text: str) -> str:
    url = text.strip().rstrip("/")
    if url and not _URL.fullmatch(url):
        raise ValueError("the URL of a server is expected, such as https://agents.example")
    return url


class ServerSettings(LimitSettings, WatchingSettings):
    """Settings of a server, whatever it serves."""

    variable_names: ClassVar[Mapping[str, tuple[str, ...]]] = {"space_host": ("SPACE_HOST",)}

    workers: int = Field(
        1,
        ge=1,
        le=256,
        description="Processes that serve the ports together. More than one need a --store that is not memory.",
    )
    stateless: bool | None = Field(
        None,
        description="Whether nothing of a client is kept in the process, so that any process on the store can answer "
        "its next request: no MCP sessions, no SSE, no default episode. If not given: with several --workers, or on a "
        "store that machines share.",
    )
    keep_days: float = Field(
        7.0, gt=0, description="After how many days a stored episode is forgotten that nobody uses."
    )
    tokens: FilePath | None = Field(
        None,
        description="A file of tokens (`cloud-incident tokens`): callers have to send one, and have episodes of their "
        "own. Without it everybody may do everything.",
    )
    most_each: int = Field(
        1_000,
        ge=1,
        description="Most open episodes of one caller: by its name, or without tokens by its address. Callers on this "
        "machine have no address.",
    )
    grace_seconds: float | None = Field(
        None,
        ge=0,
        description="For how many unused seconds a finished episode is kept even if others need its room. If not "
        "given: 60 beyond loopback, and 0 on it.",
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
    agent_port: Port | None = Field(
        None,
        description="A port for agents' endpoints alone, which are not on the other ports then. For a fair evaluation "
        "agents reach nothing else.",
    )
    agent_host: str = Field("", description="Address to listen on for agents; the same as for others if not given.")
    agent_url: Annotated[str, AfterValidator(_read_url)] = Field(
        "",
        description="Where agents reach their endpoints, such as https://agents.example, if a proxy or another name "
        "stands before the server.",
    )
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
    space_host: Annotated[str, NO_FLAG] = Field(
        "", description="The public host name of the hosted Space that the server runs in."
    )

    @model_validator(mode="after")
    def _check_workers(self) -> Self:
        if self.workers == 1:
            return self
        if self.keeps_in_memory:
            raise ValueError(
                f"--workers {self.workers} cannot share episodes in memory; name a --store: a FILE for the processes "
                "of one machine, or redis://HOST for those of many."
            )
        if self.stateless is False:
            raise ValueError(
                "--no-stateless: with several --workers any of them may get the next request; start servers with one "
                "worker each behind a load balancer that keeps a client on one of them."
            )
        return self

    @property
    def alone(self) -> bool:
        """Whether every request of a client comes to this process, so that it may remember something of the client."""
        if self.stateless is not None:
            return not self.stateless
        return self.workers == 1 and not self.shared_by_machines

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
    def public(self) -> bool:
        """Whether others than this machine may reach the server."""
        return not is_loopback(self.host) or bool(self.allow_host or self.space_host)

    @property
    def grace(self) -> float:
        """For how many unused seconds a finished episode is kept even if others need its room."""
        if self.grace_seconds is not None:
            return self.grace_seconds
        return _GRACE_SECONDS if self.public else 0.0

    @property
    def requests_a_second(self) -> float:
        """How many requests and messages a second one caller may send; 0 for any number."""
        if self.rate_limit is not None:
            return self.rate_limit
        return 0.0 if self.host in {*_LOOPBACK_ADDRESSES, "localhost"} else _PUBLIC_RATE

    @property
    def address(self) -> str:
        """Where the server is reached on this machine: the URL of its first port."""
        return build_address(self.host, self.port[0])

    @property
    def agent_name(self) -> str:
        """The host of the URL where agents reach their endpoints; "" if the settings name none."""
        return urlsplit(self.agent_url).hostname or ""

    @property
    def agent_address(self) -> str:
        """Where agents' endpoints are reached on this machine, or where the settings say that they are reached."""
        if self.agent_url or self.agent_port is None:
            return self.agent_url or self.address
        return build_address(self.agent_host or self.host, self.agent_port)

    @model_validator(mode="after")
    def _check_agent_port(self) -> Self:
        if self.agent_port is None and self.agent_host:
            raise ValueError("--agent-host is the address of --agent-port; give that as well.")
        if self.agent_port and self.agent_port in self.port:
            raise ValueError("--agent-port is a port for agents alone; choose another one than --port.")
        if self.agent_port is not None and not self.operator:
            raise ValueError("The agent profile has agents' endpoints alone, on --port; leave --agent-port out.")
        return self

    def build_service(
        self,
        *,
        loaded: bool,
        make: Callable[[Catalogue, EpisodeStore, Limits, Caller], EpisodeService] = EpisodeService,
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
        limits = Limits(
            capacity=self.capacity,
            idle_seconds=self.idle_seconds,
            keep_seconds=kept,
            waiting=self.max_waiting,
            grace_seconds=self.grace,
            most_each=self.most_each,
        )
        return make(catalogue, store, limits, ANYBODY if self.tokens is None else NOBODY)

"""One model behind an OpenAI-compatible address: asked politely, again where that helps, and not for ever."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import anyio

from cloud_incident.evaluation.agents.agent import Usage
from cloud_incident.evaluation.agents.pacing import Backoff, Budget, RateLimit, asked_to_wait
from cloud_incident.evaluation.agents.replies import FREE, Prices, Reply, UnreadableError, read_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from openai import APIConnectionError, APIStatusError, AsyncOpenAI

    from cloud_incident.evaluation.agents.conversation import Message

_LONGEST_DETAIL = 120
_SHORTEST_KEY = 6
"""Shorter ones are placeholders for servers that want none."""

_PASSING = frozenset({408, 409, 425, 429})
_HOPELESS = frozenset({401, 402, 403, 404})
_OPTIONAL_PARTS = {"tools": ("tool", "function call"), "temperature": ("temperature",), "max_tokens": ("max_tokens",)}
"""Parts of a request that a model may not know, with words by which a refusal speaks of them."""

_MUTE_REPLIES = 2
"""After this many first replies without a tool call, a model is taken to know none."""


class ModelError(Exception):
    """A model did not decide. The message says why; `final` that it will not in this run.

    `messages` and `usage` tell of what was tried for the step.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final
        self.messages: tuple[Mapping[str, Any], ...] = ()
        self.usage = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """Where a model is and how it is asked.

    All times are seconds: `request_seconds` bounds one request, `total_seconds` everything from the start. A request
    has up to `attempts`, with waits that double from `first_wait`; a server that asks for more than `longest_wait` is
    not waited for. After `patience` requests in a row that came to nothing the model is given up.

    Raises:
        ValueError: if the address is none of http or https, or the key cannot stand in a header.
    """

    base_url: str
    model: str
    api_key: str = ""
    temperature: float = 0.0
    max_tokens: int = 2048
    request_seconds: float = 60.0
    total_seconds: float = float("inf")
    attempts: int = 4
    first_wait: float = 1.0
    longest_wait: float = 60.0
    patience: int = 3
    requests_per_minute: float = 0.0
    prices: Prices = FREE
    jitter_seed: int | None = None

    def __post_init__(self) -> None:
        if not _is_address(self.base_url):
            raise ValueError(f"{self.base_url!r} is not an address such as https://router.huggingface.co/v1.")
        if not (self.api_key.isascii() and self.api_key.isprintable()):
            raise ValueError("The API key holds characters that no key has.")

    @property
    def needs_key(self) -> bool:
        """Whether a key has to be given: only servers of this machine are asked without one."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return not ip_address(host).is_loopback
        except ValueError:
            return host != "localhost"


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises if it is none
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


class _Trouble(NamedTuple):
    """Why an attempt failed; whether another may help, and after how many seconds if the server says so."""

    reason: str
    passing: bool = False
    final: bool = False
    wait: float | None = None


class Endpoint:
    """A model for all agents of a run: they share its rate limit, its time budget and what is known of it."""

    def __init__(self, settings: EndpointSettings) -> None:
        self.settings = settings
        self._parts: dict[str, Any] = {"temperature": settings.temperature, "max_tokens": settings.max_tokens}
        self._tools = True
        self._called = False
        self._mute = 0
        self._failures = 0
        self._given_up = "no API key is set" if settings.needs_key and not settings.api_key else ""
        self._backoff = Backoff(settings.first_wait, settings.longest_wait, settings.jitter_seed)
        self._limit = RateLimit(settings.requests_per_minute)
        self._budget = Budget(settings.total_seconds)
        self._client: AsyncOpenAI | None = None

    @property
    def tools(self) -> bool:
        """Whether the model is offered tools; if not, it is to answer with JSON in text."""
        return self._tools

    async def ask(self, messages: Callable[[bool], Sequence[Message]], tools: Sequence[Message]) -> Reply:
        """The model's reply to messages, which are put for a model with tools or for one without.

        Raises:
            ModelError: if there is none after every attempt, or the model was given up before.
        """
        attempt = 1
        while True:
            if self._given_up:
                raise ModelError(self._given_up, final=True)
            outcome = await self._attempt(messages, tools)
            if isinstance(outcome, Reply):
                return self._noted(outcome)
            if outcome is not None:  # else the same is asked without what the model does not know
                await self._wait_or_raise(outcome, attempt)
                attempt += 1

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _attempt(
        self, messages: Callable[[bool], Sequence[Message]], tools: Sequence[Message]
    ) -> Reply | _Trouble | None:
        """The reply, or what came instead; None if the request was refused for a part that is now left out."""
        from openai import APIConnectionError, APIStatusError, OpenAIError

        if not await self._budget.sleep(self._limit.reserve()):
            return self._spent()
        request = {"model": self.settings.model, "messages": list(messages(self._tools)), **self._parts}
        if self._tools:
            request["tools"] = list(tools)
        seconds = min(self.settings.request_seconds, self._budget.left)
        try:
            with anyio.fail_after(seconds):  # the client's own timeout starts anew with every byte
                raw = await self._connected().chat.completions.with_raw_response.create(**request)
            return read_reply(raw.http_response.content, self.settings.prices)
        except TimeoutError:
            return self._late(seconds)
        except APIStatusError as error:
            return None if self._left_out(error, request) else _refused(error)
        except APIConnectionError as error:
            return _unconnected(error)
        except (OpenAIError, UnreadableError) as error:
            return _Trouble(str(error), passing=True)

    def _connected(self) -> AsyncOpenAI:
        if self._client is None:
            from openai import AsyncOpenAI

            self._client = AsyncOpenAI(
                base_url=self.settings.base_url,
                api_key=self.settings.api_key or "none",
                max_retries=0,
                timeout=self.settings.request_seconds,
            )
        return self._client

    def _noted(self, reply: Reply) -> Reply:
        self._failures = 0
        self._called = self._called or reply.call is not None
        if not self._called:
            self._mute += 1
            self._tools = self._tools and self._mute < _MUTE_REPLIES
        return reply

    def _left_out(self, error: APIStatusError, request: Mapping[str, Any]) -> bool:
        """Whether a refusal speaks of an optional part of the request; from now on that part is left out."""
        if error.status_code not in {400, 404, 422}:
            return False
        said = error.response.text.casefold()
        part = next((part for part, words in _OPTIONAL_PARTS.items() if part in request and _any(words, said)), None)
        if part == "tools":
            self._tools = False
        elif part is not None:
            self._parts.pop(part, None)
        return part is not None

    async def _wait_or_raise(self, trouble: _Trouble, attempt: int) -> None:
        if not trouble.passing or attempt >= self.settings.attempts:
            raise self._failed(trouble, attempt)
        if trouble.wait is not None and trouble.wait > self.settings.longest_wait:
            raise self._failed(trouble._replace(reason=f"{trouble.reason}, wait {trouble.wait:.0f} s"), attempt)
        wait = self._backoff.after(attempt)
        if trouble.wait is not None:
            self._limit.pause(trouble.wait)  # for all agents, this one included
            wait = 0.0
        if not await self._budget.sleep(wait):
            raise self._failed(self._spent(), attempt)

    def _failed(self, trouble: _Trouble, attempt: int) -> ModelError:
        counted = f" after {attempt} attempt{'s' if attempt > 1 else ''}" if trouble.passing else ""
        reason = self._secret(f"{trouble.reason}{counted}")
        self._failures += 1
        if trouble.final:
            self._given_up = reason
        elif self._failures >= self.settings.patience:
            self._given_up = f"given up after {self._failures} failures in a row, the last one {reason}"
        return ModelError(reason, final=bool(self._given_up))

    def _secret(self, text: str) -> str:
        """A text without the key, which servers like to quote."""
        key = self.settings.api_key
        return text.replace(key, "…") if len(key) >= _SHORTEST_KEY else text

    def _late(self, seconds: float) -> _Trouble:
        if self._budget.left <= 0:
            return self._spent()
        return _Trouble(f"no answer within {seconds:g} s", passing=True)

    def _spent(self) -> _Trouble:
        return _Trouble(f"the time budget of {self._budget.seconds:g} s is spent", final=True)


def _refused(error: APIStatusError) -> _Trouble:
    status, body = error.status_code, error.body
    detail = body.get("message") if isinstance(body, dict) else None
    code = body.get("code") if isinstance(body, dict) else None
    reason = f"HTTP {status}{_detail(detail)}"
    if status in _HOPELESS or code == "insufficient_quota":
        return _Trouble(reason, final=True)
    passing = status in _PASSING or status >= 500
    return _Trouble(reason, passing=passing, wait=asked_to_wait(error.response.headers) if passing else None)


def _detail(said: object) -> str:
    """A server's own words in brackets, made short and printable."""
    if not isinstance(said, str) or not said.strip():
        return ""
    words = "".join(character if character.isprintable() else " " for character in said)
    return f" ({' '.join(words.split())[:_LONGEST_DETAIL]})"


def _unconnected(error: APIConnectionError) -> _Trouble:
    """A connection that was never made is not tried again once every attempt has failed; one that broke is."""
    import httpx2

    cause = error.__cause__
    never = isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout)
    reason = "no connection" if never else "no answer in time" if _is_timeout(cause) else "the connection broke"
    return _Trouble(f"{reason}{_detail(str(cause or ''))}", passing=True, final=never)


def _is_timeout(cause: BaseException | None) -> bool:
    import httpx2

    return isinstance(cause, httpx2.TimeoutException)


def _any(words: Sequence[str], text: str) -> bool:
    return any(word in text for word in words)

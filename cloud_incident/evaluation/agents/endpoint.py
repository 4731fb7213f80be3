"""One model behind an OpenAI-compatible address: it is asked again where that helps, and a bounded number of times."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio

from cloud_incident.evaluation.agents.address import is_address
from cloud_incident.evaluation.agents.agent import Usage
from cloud_incident.evaluation.agents.pacing import Budget, RateLimit, make_backoff, read_retry_after
from cloud_incident.evaluation.agents.replies import FREE, ModelReply, Prices, UnreadableReplyError, read_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from openai import APIConnectionError, APIStatusError, AsyncOpenAI
    from tenacity import RetryCallState

    from cloud_incident.evaluation.agents.conversation import Message
    from cloud_incident.evaluation.agents.reach import Reach

_LONGEST_DETAIL = 120
_SHORTEST_KEY = 6
"""Shorter ones are placeholders for servers that want none."""

_REDIRECTION = 3
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


class NoActionError(ModelError):
    """A model answered, and no answer held a valid action. That is how it plays, and no failure to ask it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """Where a model is and how it is asked.

    All times are seconds: `request_seconds` bounds one request, `total_seconds` everything from the start. A request
    has up to `attempts`, with waits that double from `first_wait`; a server that asks for more than `longest_wait` is
    not waited for. After `patience` requests in a row that came to nothing the model is given up.

    With a `reach`, somebody else named the model: only addresses within it are called, and of a failure no more is
    told than its status.

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
    reach: Reach | None = None

    def __post_init__(self) -> None:
        if not is_address(self.base_url):
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


class _AttemptError(Exception):
    """An attempt failed, and another would fail too. The model is given up if the error is `final`."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class _PassingError(_AttemptError):
    """An attempt failed, and another may not; after `wait` seconds, if the server said so."""

    def __init__(self, reason: str, *, final: bool = False, wait: float | None = None) -> None:
        super().__init__(reason, final=final)
        self.wait = wait


class ModelEndpoint:
    """A model for all agents of a run: they share its rate limit, its time budget and what is known of it."""

    def __init__(self, settings: EndpointSettings) -> None:
        self.settings = settings
        self._parts: dict[str, Any] = {"temperature": settings.temperature, "max_tokens": settings.max_tokens}
        self._tools = True
        self._called = False
        self._mute = 0
        self._failures = 0
        self._given_up = "no API key is set" if settings.needs_key and not settings.api_key else ""
        self._limit = RateLimit(settings.requests_per_minute)
        self._budget = Budget(settings.total_seconds)
        self._client: AsyncOpenAI | None = None

    @property
    def tools(self) -> bool:
        """Whether the model is offered tools; if not, it is to answer with JSON in text."""
        return self._tools

    async def ask(self, messages: Callable[[bool], Sequence[Message]], tools: Sequence[Message]) -> ModelReply:
        """The model's reply to messages, which are put for a model with tools or for one without.

        Raises:
            ModelError: if there is none after every attempt, or the model was given up before.
        """
        from tenacity import AsyncRetrying, retry_if_exception_type

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_PassingError),
            stop=self._is_enough,
            wait=self._choose_wait,
            before_sleep=self._pause_all,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return self._note(await retrying(self._attempt, messages, tools))
        except _AttemptError as error:
            failure = self._fail(error, retrying.statistics["attempt_number"])
            raise failure from None  # because an answer of the server may quote the key

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _attempt(self, messages: Callable[[bool], Sequence[Message]], tools: Sequence[Message]) -> ModelReply:
        """The reply to a request, which is repeated at once without those parts that the model does not know."""
        from openai import APIConnectionError, APIStatusError, OpenAIError

        while True:
            if self._given_up:
                raise ModelError(self._given_up, final=True)
            await self._sleep(self._limit.reserve())
            request = {"model": self.settings.model, "messages": list(messages(self._tools)), **self._parts}
            if self._tools:
                request["tools"] = list(tools)
            seconds = min(self.settings.request_seconds, self._budget.left)
            try:
                with anyio.fail_after(seconds):  # the client's own timeout starts anew with every byte
                    raw = await self._connect().chat.completions.with_raw_response.create(**request)
                return read_reply(raw.http_response.content, self.settings.prices)
            except TimeoutError as error:
                if self._budget.left <= 0:
                    raise self._explain_budget() from error
                raise _PassingError(f"no answer within {seconds:g} s") from error
            except APIStatusError as error:
                if not self._leave_out(error, request):
                    raise _explain_refusal(error, quoting=self._quotes) from error
            except APIConnectionError as error:
                raise _explain_connection(error, quoting=self._quotes) from error
            except (OpenAIError, UnreadableReplyError) as error:
                raise _PassingError(str(error)) from error

    @property
    def _quotes(self) -> bool:
        """Whether a failure is told in the server's words: not to somebody who may be asking what is within reach."""
        return self.settings.reach is None

    def _connect(self) -> AsyncOpenAI:
        if self._client is None:
            import httpx2
            from openai import AsyncOpenAI

            from cloud_incident.evaluation.agents.transport import ModelTransport

            settings = self.settings
            try:
                transport = ModelTransport(settings.base_url, settings.api_key, settings.reach)
            except httpx2.InvalidURL as error:
                raise _AttemptError("the address names no host", final=True) from error
            self._client = AsyncOpenAI(
                base_url=settings.base_url,
                api_key=settings.api_key or "none",
                organization="",  # what is not given is read from the variables of this process
                project="",
                webhook_secret="",
                max_retries=0,
                timeout=settings.request_seconds,
                http_client=httpx2.AsyncClient(
                    transport=transport,
                    follow_redirects=False,
                    trust_env=False,
                    timeout=settings.request_seconds,
                ),
            )
        return self._client

    def _note(self, reply: ModelReply) -> ModelReply:
        self._failures = 0
        self._called = self._called or reply.call is not None
        if not self._called:
            self._mute += 1
            self._tools = self._tools and self._mute < _MUTE_REPLIES
        return reply

    def _leave_out(self, error: APIStatusError, request: Mapping[str, Any]) -> bool:
        """Leave an optional part of the request out from now on if a refusal speaks of it. The result says whether."""
        if error.status_code not in {400, 404, 422}:
            return False
        text = error.response.text.casefold()
        optional = (part for part, words in _OPTIONAL_PARTS.items() if part in request and _mentions(text, words))
        part = next(optional, None)
        if part == "tools":
            self._tools = False
        elif part is not None:
            self._parts.pop(part, None)
        return part is not None

    def _is_enough(self, state: RetryCallState) -> bool:
        """Whether all attempts were made, or the server asks for a wait that is too long."""
        asked = _get_asked_wait(state) or 0.0
        return state.attempt_number >= self.settings.attempts or asked > self.settings.longest_wait

    def _choose_wait(self, state: RetryCallState) -> float:
        """Seconds to wait before the next attempt; 0.0 where the server named a time, which `_pause_all` sees to."""
        if _get_asked_wait(state) is not None:
            return 0.0
        return make_backoff(self.settings.first_wait, self.settings.longest_wait)(state)

    def _pause_all(self, state: RetryCallState) -> None:
        """Let no agent of this endpoint ask before the server wants to be asked again."""
        self._limit.pause(_get_asked_wait(state) or 0.0)

    async def _sleep(self, seconds: float) -> None:
        if not await self._budget.sleep(seconds):
            raise self._explain_budget()

    def _explain_budget(self) -> _AttemptError:
        return _AttemptError(f"the time budget of {self._budget.seconds:g} s is spent", final=True)

    def _fail(self, error: _AttemptError, attempts: int) -> ModelError:
        reason = str(error)
        if isinstance(error, _PassingError):
            if error.wait is not None and error.wait > self.settings.longest_wait:
                reason += f", wait {error.wait:.0f} s"
            reason += f" after {attempts} attempt{'s' if attempts > 1 else ''}"
        reason = self._hide_key(reason)
        self._failures += 1
        if error.final:
            self._given_up = reason
        elif self._failures >= self.settings.patience:
            self._given_up = f"given up after {self._failures} failures in a row, the last one {reason}"
        return ModelError(reason, final=bool(self._given_up))

    def _hide_key(self, text: str) -> str:
        """A text without the key, which servers like to quote."""
        key = self.settings.api_key
        return text.replace(key, "…") if len(key) >= _SHORTEST_KEY else text


def _get_asked_wait(state: RetryCallState) -> float | None:
    """Seconds that the server asked to wait after the last attempt; None if it asked for nothing."""
    error = state.outcome.exception() if state.outcome is not None else None
    return error.wait if isinstance(error, _PassingError) else None


def _explain_refusal(error: APIStatusError, *, quoting: bool) -> _AttemptError:
    """What a status means: of the 4xx only those that pass are tried again."""
    status, body = error.status_code, error.body
    detail = body.get("message") if isinstance(body, dict) else None
    code = body.get("code") if isinstance(body, dict) else None
    reason = f"HTTP {status}{_quote(detail) if quoting else ''}"
    if status // 100 == _REDIRECTION:
        return _AttemptError(f"HTTP {status}; redirects are not followed: name the address itself", final=True)
    if status in _HOPELESS or code == "insufficient_quota":
        return _AttemptError(reason, final=True)
    if status in _PASSING or status >= 500:
        return _PassingError(reason, wait=read_retry_after(error.response.headers))
    return _AttemptError(reason)


def _quote(words: object) -> str:
    """A server's own words in brackets, made short and printable."""
    if not isinstance(words, str) or not words.strip():
        return ""
    printable = "".join(character if character.isprintable() else " " for character in words)
    return f" ({' '.join(printable.split())[:_LONGEST_DETAIL]})"


def _explain_connection(error: APIConnectionError, *, quoting: bool) -> _AttemptError:
    """A connection that was never made is not tried again once every attempt has failed; one that broke is."""
    import httpx2

    from cloud_incident.evaluation.agents.transport import AddressRefusedError, TooLargeAnswerError

    cause = error.__cause__
    if isinstance(cause, AddressRefusedError | TooLargeAnswerError):
        return _AttemptError(str(cause), final=isinstance(cause, AddressRefusedError))
    never = isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout)
    late = isinstance(cause, httpx2.TimeoutException)
    reason = "no connection" if never else "no answer in time" if late else "the connection broke"
    return _PassingError(f"{reason}{_quote(str(cause or '')) if quoting else ''}", final=never)


def _mentions(text: str, words: Sequence[str]) -> bool:
    return any(word in text for word in words)

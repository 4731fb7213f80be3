"""What a store of episodes keeps and promises: a reference and an append-only list of events for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from env_core.reference import Reference
    from scenarios.vocabulary import Action


SECRET_BYTES = 32
"""How long the secret of a store is."""


class UnknownEpisodeError(CloudIncidentError):
    """A handle that was never minted, or whose episode was closed or has expired."""

    code = "unknown_episode"

    def explain(self, starting: str) -> str:
        return f"{self} It was never started, or it was closed or has expired; {starting} starts one."


class ReopenedEpisodeError(UnknownEpisodeError):
    """A handle whose episode is another incarnation than the one that is asked for. Nothing was changed."""

    code = "episode_reopened"

    def __init__(self, episode_id: str, incarnation: str) -> None:
        super().__init__(
            f"The episode {episode_id!r} of incarnation {incarnation[:80]!r} is not there any more: it was closed, and "
            "its handle was opened anew. Nothing was changed."
        )

    def explain(self, starting: str) -> str:
        return f"{self} {starting} starts one."


class EpisodeExistsError(CloudIncidentError):
    """A handle chosen by the caller that an episode has already, finished or not."""

    code = "episode_exists"

    def __init__(self, episode_id: str, advice: str = "") -> None:
        super().__init__(
            f"Episode {episode_id} already exists, finished or not. Close it or choose another episode_id; a reset "
            f"with replace true closes it. {advice}".rstrip()
        )
        self.episode_id = episode_id


class CapacityError(CloudIncidentError):
    """No further episode can be opened until one is closed or expires: `most` are."""

    code = "no_capacity"

    def __init__(self, most: int) -> None:
        super().__init__(f"All {most} episodes are in use; close one, or wait until one has expired.")
        self.most = most


class AppendConflictError(CloudIncidentError):
    """Somebody else appended first. Nothing was written; load what is new and try again.

    `newer`: the events that were appended since, where the store has told them already.
    """

    code = "append_conflict"

    def __init__(self, episode_id: str, newer: tuple[Event, ...] = ()) -> None:
        super().__init__(f"Others act on episode {episode_id} at the same time; nothing was done, try again.")
        self.newer = newer


class StoreUnavailableError(CloudIncidentError):
    """The place where episodes are kept does not answer now, and the same call may be sent again.

    Nothing was changed. Only where the message says so, a connection broke off after the call was sent, and the call
    may have been carried out: a step that is sent again with its request id is then taken once.

    `busy`: others were using it for too long.
    """

    code = "store_unavailable"

    def __init__(self, message: str, *, busy: bool = False) -> None:
        super().__init__(message)
        self.busy = busy


class UnknownAction(NamedTuple):
    """A stored action that this release does not know any more, and why. An episode that has one cannot go on."""

    name: str
    parameters: Any
    reason: str

    def dump(self) -> dict[str, Any]:
        """The action as it was stored."""
        return {"action_type": self.name, "parameters": self.parameters}


class Event(NamedTuple):
    """One accepted action, the id of the request that made it, and whether it ended the episode.

    The action is parsed already. A store that keeps text writes and reads events by `env_core.stores.writing`.
    """

    action: Action | UnknownAction
    request_id: str = ""
    ends: bool = False


class Claim(NamedTuple):
    """A handle and its incarnation. The handle alone is not enough: it may have been closed and used again."""

    episode_id: str
    incarnation: str


class Opening(NamedTuple):
    """An episode that is to be stored.

    `owner` is the name of the caller it belongs to; "" if it is anybody's. `events` are those that it begins with.
    `replacing` is deleted first if it still exists. An ended episode makes room for it only if that was not used for
    `grace_seconds`.
    """

    episode_id: str
    reference: Reference
    incarnation: str
    owner: str = ""
    events: tuple[Event, ...] = ()
    replacing: Claim | None = None
    grace_seconds: float = 0.0

    @property
    def ended(self) -> bool:
        return any(event.ends for event in self.events)


class Record(NamedTuple):
    """What is stored of an episode: its reference, its incarnation, the events from an index on, and its owner.

    A handle that is closed and opened again means another episode. The incarnation, drawn when an episode is opened,
    tells the two apart.
    """

    reference: Reference
    incarnation: str
    events: tuple[Event, ...]
    owner: str = ""

    @property
    def ended(self) -> bool:
        """Whether one of the events has ended the episode."""
        return any(event.ends for event in self.events)


class Entry(NamedTuple):
    """What a list of stored episodes tells of one: how many steps it has, and for how many seconds it was not used."""

    episode_id: str
    reference: Reference
    length: int
    ended: bool
    idle_seconds: float
    owner: str = ""


class EpisodeStore(Protocol):
    """Keeps episodes. Every method is atomic; none holds a lock while the caller works.

    What is kept is the truth. Folded episodes may be kept beside it, as a cache that is thrown away whenever its
    incarnation, its length or the release does not fit; nothing may depend on their being there.

    `tests/env_core/stores` holds the contract, through which every implementation is run.
    """

    async def create(self, opening: Opening, capacity: int) -> list[str]:
        """Store a new episode, and give the handles of the episodes that were deleted for it.

        Deleted is the one that it replaces. If `capacity` is still reached, the episode is deleted that ended first, of
        those that were not used for the opening's `grace_seconds`.

        Raises:
            CapacityError: if `capacity` is reached and no such episode has ended.
            EpisodeExistsError: if another episode has the handle, ended or not.
        """

    async def load(self, episode_id: str, since: int = 0, *, touch: bool = True) -> Record:
        """The episode with its events from index `since` on. With `touch` it counts as used.

        Raises:
            UnknownEpisodeError: if there is no such episode.
        """

    async def append(self, episode_id: str, incarnation: str, expected_length: int, event: Event) -> None:
        """Append an event if exactly `expected_length` events of that incarnation are stored.

        Raises:
            UnknownEpisodeError: if there is no such episode.
            AppendConflictError: if the incarnation or the length is another. Nothing is written. It has the events
                from `expected_length` on if the incarnation is the same.
        """

    async def delete(self, claim: Claim) -> None:
        """Forget an episode; does nothing if it is not there."""

    async def list_entries(self) -> list[Entry]:
        """Every stored episode, the one that was used last first."""

    async def list_owned(self, owner: str, most: int) -> list[Entry]:
        """The episodes of an owner that have not ended, `most` at most, the one that was used last first.

        It costs as much as the owner has episodes, however many others have.
        """

    async def count_open(self) -> int:
        """How many stored episodes have not ended."""

    async def has_room(self, capacity: int, grace_seconds: float) -> bool:
        """Whether `create` has room for another episode, with that capacity and grace."""

    async def read_secret(self) -> bytes:
        """32 random bytes, drawn when the store was made: the same for every process that uses it."""

    async def expire(self, idle_seconds: float) -> list[str]:
        """Delete the episodes that were not used for `idle_seconds` or longer, and give their handles."""

    async def close(self) -> None:
        """Let go of files and connections."""

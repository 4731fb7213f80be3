"""Who is told what happens to the episodes of a service, such as a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from env_core.episode import Episode
    from env_core.transition import Transition


class Witness:
    """Is told what happens to episodes. Nothing is done here; what a subclass does has to be quick, and never fails."""

    def note_asked(self, handle: str) -> None:
        """An episode was asked for, whether it is there or not."""

    def note_opened(self, episode: Episode, *, forked: bool) -> None:
        """An episode was opened, or `forked` off another one."""

    def note_step(self, transition: Transition) -> None:
        """A step was taken, which may have ended the episode."""

    def note_closed(self, handle: str) -> None:
        """An episode was closed by whoever has its handle."""

    def note_forgotten(self, handle: str) -> None:
        """An episode was deleted because it had expired, or because another one took its room or its handle."""

    def note_made(self, scenario_id: str, seconds: float) -> None:
        """An incident was generated."""

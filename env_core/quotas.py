"""How many episodes each caller has open, and how many it may have; and who makes room where there is none."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import TYPE_CHECKING

from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import Iterable


class QuotaError(CloudIncidentError):
    """A caller has as many episodes open as it may have; there is room for others."""

    code = "no_capacity"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"You have {most} episodes open, which is the most for one caller; finish or close one. Nothing was opened."
        )
        self.most = most


_MOST_ENDED = 10_000
"""Ended episodes that are remembered, the last ones: others have made room long since, some of them elsewhere."""


class Quotas:
    """Counts the episodes that callers opened in this process and that have not ended, by their account.

    Those that have ended are remembered until they are released, since they take room as well. An account of "" is not
    counted. Without `most` nothing is.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._ended: OrderedDict[str, str] = OrderedDict()  # accounts by handle, the one that ended first first
        self._held: dict[str, dict[str, None]] = {}  # the handles of each account, the one opened first first
        self._accounts: dict[str, str] = {}

    def is_full(self, account: str) -> bool:
        """Whether an account has as many episodes open as it may have."""
        return self._most is not None and len(self._held.get(account, ())) >= self._most

    def list_held(self, account: str) -> list[str]:
        """The handles that count for an account, the one that was opened first first."""
        return list(self._held.get(account, ()))

    def take(self, account: str, handle: str) -> bool:
        """Count an episode for an account; false where it counts already, or is not to be counted.

        Raises:
            QuotaError: if the account has as many as it may have.
        """
        if self._most is None or not account or handle in self._accounts:
            return False
        if self.is_full(account):
            raise QuotaError(self._most)
        self._held.setdefault(account, {})[handle] = None
        self._accounts[handle] = account
        return True

    def end(self, handle: str) -> None:
        """Count an episode as one that has ended, if it was counted."""
        account = self._accounts.get(handle)
        if account is not None:
            self.release(handle)
            self._ended[handle] = account
            if len(self._ended) > _MOST_ENDED:
                self._ended.popitem(last=False)

    def find_surplus(self) -> str | None:
        """The ended episode that is to make room first: of who has more, open and ended ones, than may be open."""
        if self._most is None:
            return None
        kept = Counter(self._ended.values())
        for account in kept:
            kept[account] += len(self._held.get(account, ()))
        return next((handle for handle, account in self._ended.items() if kept[account] > self._most), None)

    def release(self, handle: str) -> None:
        """Count an episode no longer, if it was counted."""
        self._ended.pop(handle, None)
        account = self._accounts.pop(handle, None)
        if account is None:
            return
        held = self._held[account]
        del held[handle]
        if not held:
            del self._held[account]


def find_crowding(accounts: Iterable[str], account: str) -> str | None:
    """The account that has most places, if it is to give one to another account, which has fewer still with that.

    `accounts` has the account of each place that is taken. So nobody is kept out by one who takes every place, and
    two who both want many come to have equally many.
    """
    held = Counter(accounts)
    most, count = max(held.items(), key=lambda item: item[1], default=("", 0))
    return most if count > held[account] + 1 else None

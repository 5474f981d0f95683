"""What services allow a key, an app or an address in a day or an hour, and how much of it is used.

A count belongs to the key and not to a source: two sources with one key share it, and so do
reading and looking again.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from sources.base import SourceError

STEP = timedelta(minutes=5)  # uses are counted by such stretches of time
LONGEST = timedelta(days=2)  # no service counts over more


class Allowances(Protocol):
    """Counts uses. The worker's outlive it; `Remembered` lives as long as the process."""

    def take(self, name: str, since: datetime, limit: int) -> int | None:
        """Take one, and say how many are left; None when `limit` were taken since then.

        name: whose allowance, as `of` makes it.
        since: rounded down to five minutes, so that rather too much is counted than too little.
        """
        ...

    def use_up(self, name: str, since: datetime, limit: int) -> None:
        """As if all had been taken: the service says that nothing is left."""
        ...


def of(what: str, secret: str = "") -> str:
    """The name of an allowance: of a service, or of a key, by a fingerprint of the key."""
    mark = hashlib.sha256(f"{what} {secret}".encode()).hexdigest()[:12]
    return f"{what} {mark}" if secret else what


def step(moment: datetime) -> datetime:
    """The beginning of the five minutes that a moment lies in."""
    seconds = int(STEP.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)


def taker(
    allowances: Allowances, name: str, within: timedelta, limit: int, error: SourceError
) -> Callable[[], None]:
    """What takes one of `limit` in any stretch of time of that length, or raises the error."""

    def take() -> None:
        if allowances.take(name, datetime.now(UTC) - within, limit) is None:
            raise error

    return take


class Remembered:
    """Allowances in memory; for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uses: Counter[tuple[str, datetime]] = Counter()

    def take(self, name: str, since: datetime, limit: int) -> int | None:
        """See `Allowances`."""
        with self._lock:
            left = limit - self._used(name, since)
            if left <= 0:
                return None
            self._uses[name, step(datetime.now(UTC))] += 1
            return left - 1

    def use_up(self, name: str, since: datetime, limit: int) -> None:
        """See `Allowances`."""
        with self._lock:
            missing = max(limit - self._used(name, since), 0)
            self._uses[name, step(datetime.now(UTC))] += missing

    def _used(self, name: str, since: datetime) -> int:
        uses = self._uses.items()
        return sum(used for (whose, at), used in uses if whose == name and at >= step(since))

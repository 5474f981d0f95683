"""How far back to read what comes newest first, so that nothing falls between two runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from sources.fields import iso_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sources.base import Cursor

GAP = (
    "more was written than the service still shows: what lies between the last visit and this one "
    "may be missing"
)


@dataclass(slots=True)
class Window:
    """From the newest post back to the last run's newest one, and an overlap further.

    since: where reading may end; None on a first run, which reads all there is.
    newest: of the posts seen so far.
    """

    since: datetime | None
    newest: datetime | None
    reached: bool = False

    @classmethod
    def after(cls, cursor: Cursor | None, overlap: timedelta) -> Self:
        """The window that goes on after a cursor."""
        newest = iso_time((cursor or {}).get("newest"))
        try:
            return cls(newest - overlap if newest else None, newest)
        except OverflowError:
            return cls(None, None)

    def saw(self, moments: Iterable[datetime]) -> None:
        """Take note of a page; a moment that lies ahead is now."""
        times = [min(moment, datetime.now(UTC)) for moment in moments]
        self.newest = max([*times, *([self.newest] if self.newest else [])], default=None)
        self.reached = self.reached or (self.since is not None and any(
            moment < self.since for moment in times))  # fmt: skip

    @property
    def mark(self) -> dict[str, str]:
        """What a cursor keeps."""
        return {"newest": self.newest.isoformat()} if self.newest else {}

"""How far back to read what comes newest first, so that nothing falls between two runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from sources.fields import iso_time, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sources.base import Cursor

GAP = (
    "more was written than the service still shows: what lies between the last visit and this one "
    "may be missing"
)


@dataclass(slots=True)
class Window:
    """From the newest post back to the newest one of the last whole run, and an overlap further.

    before: the newest post of the last whole run; None on a first run, which reads all there is.
    newest: of the posts seen since.
    next: where a run that did not come to its end goes on: a page, as the service names it.
    reached: the known posts have been met; reading may end.
    """

    overlap: timedelta
    before: datetime | None = None
    newest: datetime | None = None
    next: str = ""
    reached: bool = False

    @classmethod
    def after(cls, cursor: Cursor | None, overlap: timedelta) -> Self:
        """The window that goes on after a cursor."""
        mark = cursor or {}
        before = iso_time(mark.get("newest"))
        return cls(overlap, before, iso_time(mark.get("top")) or before, text(mark.get("next")))

    def saw(self, moments: Iterable[datetime]) -> None:
        """Take note of a page; a moment that lies ahead is now."""
        times = [min(moment, datetime.now(UTC)) for moment in moments]
        known = [] if self.newest is None else [self.newest]
        self.newest = max([*times, *known], default=None)
        if self.before is not None and times:
            self.reached = self.reached or self.before - min(times) > self.overlap

    def mark(self, following: str = "") -> Cursor:
        """What a cursor keeps: after the last page, or with the page to go on with."""
        if not following:
            return {"newest": self.newest.isoformat()} if self.newest else {}
        times = {"newest": self.before, "top": self.newest}
        return {"next": following, **{key: at.isoformat() for key, at in times.items() if at}}

"""What every adapter speaks: posts, pages of posts with the next cursor, and one error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ConfigDict

from sources.allowances import Allowances, Remembered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from sources.http import Client

Cursor = dict[str, Any]
"""How far an adapter has read: JSON-able, stored as it is and handed back on the next run."""


class SourceError(Exception):
    """A source could not be read.

    The message is a sentence for the operator, stored and shown as it is: what happened and,
    where there is one, the remedy. It never holds a secret.

    permanent: trying again will not help until somebody changes something.
    retry_after: the server asked to stay away for that long.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


class Stopped(SourceError):  # noqa: N818 (a state, not a fault)
    """The worker is stopping: reading ended early, and the source is not to blame."""

    def __init__(self) -> None:
        super().__init__("stopped before the source was read to its end")


@dataclass(frozen=True, slots=True)
class Post:
    """A public post, comment or review as the source gives it, cleaned to plain text.

    external_id: the source's own id; (source, external_id) is unique in the database.
    text: all the words; empty only for a rating without words, which is stored and never scored.
    posted_at: when it was written, aware, UTC.
    author: as the source names them; becomes a keyed pseudonym before it is stored.
    rating: stars, 1 to 5; never read as a sentiment score.
    """

    external_id: str
    text: str
    posted_at: datetime
    title: str = ""
    url: str | None = None
    author: str | None = None
    rating: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some posts and the cursor that stands after them; the two are stored in one transaction.

    problems: sentences on what had to be left out ("reviews.csv line 7: no text").
    gaps: sentences on what was posted and can no longer be had, since the service shows only so
        much; each is told once and remembered.
    next_poll: the source asks not to be read again before this much time has passed.
    quota: what is left of the service's allowance, in words ("212 of 300 requests left today").
    """

    posts: list[Post]
    cursor: Cursor
    problems: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    next_poll: timedelta | None = None
    quota: str = ""


class Settings(BaseModel):
    """The kind-specific keys of a `[[sources]]` entry; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Context:
    """What an adapter may use.

    client: the shared polite HTTP client.
    folder: the folder of config.toml; relative paths start here.
    stopping: true when the worker is about to stop; checked between pages and before waiting.
    allow_private_addresses: the operator allows this source to live in a private network.
    timezone: IANA name, for dates that carry no zone.
    allowances: where the requests that a service counts by key or by day are counted.
    """

    client: Client
    folder: Path
    stopping: Callable[[], bool] = lambda: False
    allow_private_addresses: bool = False
    timezone: str = "Europe/Berlin"
    allowances: Allowances = field(default_factory=Remembered)


class Adapter(Protocol):
    """One kind of source: a module-level class of this shape.

    Built-in ones are listed in `sources.registry`, others come by the entry-point group
    `sentiment.sources`. `pages` yields pages until the source has no more for now; each page's
    cursor must be enough to go on after it. It raises nothing but `SourceError`.
    `sources.conformance` puts these laws to the test.
    """

    Settings: type[Settings]

    def __init__(self, settings: Any, context: Context) -> None: ...

    def pages(self, cursor: Cursor | None) -> Iterator[Page]: ...


class Rechecking(Protocol):
    """What an adapter has besides, where posts must be looked at again.

    RECHECK_EVERY: how often each stored post is looked at, as the service's terms demand.
    `recheck` yields, for ids it was given, the post as it is now, or None where it is gone.
    An id it does not yield could not be told: it is asked for again the next time.
    """

    RECHECK_EVERY: timedelta

    def recheck(self, ids: Sequence[str]) -> Iterator[tuple[str, Post | None]]: ...

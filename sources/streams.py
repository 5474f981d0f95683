"""Several streams in one source: hashtags, subreddits, search terms.

Each has a state of its own within the source's cursor, so a term added or removed in config.toml
would leave the others where they are, and one that fails does not keep the others from being
read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sources.base import Cursor, Page, Post, SourceError, Stopped
from sources.fields import mapping, number

Read = Callable[[str, Cursor], Iterator[Page]]
"""The pages of one stream after its state; their cursors are its next states."""

MAX_SENTENCES = 5  # of failures told in one error
MANY = 10  # posts that do not all disappear at once


def each(
    names: Sequence[str], cursor: Cursor | None, read: Read, stopping: Callable[[], bool]
) -> Iterator[Page]:
    """The pages of all streams, one stream after the other; no post twice in one run.

    A stream that fails is a problem told on the last page; only when all fail does the source,
    and only when each of them fails for good, for good.
    """
    known = mapping((cursor or {}).get("streams"))
    states = {name: mapping(known.get(name)) for name in names}
    seen: set[str] = set()
    failures: dict[str, SourceError] = {}
    for name in names:
        try:
            for page in read(name, states[name]):
                states[name] = page.cursor
                fresh = [post for post in page.posts if post.external_id not in seen]
                seen.update(post.external_id for post in fresh)
                yield replace(page, posts=fresh, cursor={"streams": dict(states)})
        except Stopped:
            raise
        except SourceError as error:
            failures[name] = error
        if stopping():
            return
    if len(failures) == len(names):
        raise _together(failures)
    if failures:
        told = [f"{name}: {error}" for name, error in failures.items()]
        yield Page([], {"streams": dict(states)}, told)


def _together(failures: dict[str, SourceError]) -> SourceError:
    """One error for all streams; what they have in common is said once."""
    errors = list(failures.values())
    sentences = list(dict.fromkeys(str(error) for error in errors))
    more = len(sentences) - MAX_SENTENCES
    said = "; ".join(sentences[:MAX_SENTENCES]) + (f"; and {more} more" if more > 0 else "")
    waits = [error.retry_after for error in errors if error.retry_after]
    return SourceError(
        said,
        permanent=all(error.permanent for error in errors),
        retry_after=min(waits) if waits else None,
    )


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time that is read from its newer end to its older one. Seconds since 1970.

    since: where it ends, with the overlap.
    top: where it began; when it is done, everything up to there has been read.
    at: how far down it has come.
    """

    since: int
    top: int
    at: int

    def state(self, at: int | None, until: Any) -> Cursor:
        """What to remember: the place in the window, or that it is done.

        until: as the last finished window left it.
        """
        return {"until": self.top} if at is None else {"until": until, "top": self.top, "at": at}


def window(state: Cursor, backfill_days: int, overlap: int) -> Window:
    """The window a state stands in, or the next one.

    backfill_days: how far the first one goes back. overlap: seconds that later ones read again.
    """
    now = int(time.time())
    until, top, at = (number(state.get(name)) for name in ("until", "top", "at"))
    since = max((now - backfill_days * 86_400) if until is None else (until - overlap), 0)
    if top is not None and at is not None and since < at <= top <= now:
        return Window(since, top, at)
    return Window(since, now, now)


def unique(posts: Sequence[Post | None]) -> list[Post]:
    """The posts there are, each id once."""
    return list({post.external_id: post for post in posts if post is not None}.values())


def still_there(
    some: Sequence[str], there: Mapping[str, Post | None]
) -> Iterator[tuple[str, Post | None]]:
    """What a recheck yields for ids where a service simply leaves out what is gone.

    When it leaves out all of many, a fault is likelier than that everybody has deleted
    everything; erasing cannot be undone, so that is an error.
    """
    if len(some) >= MANY and not there:
        raise SourceError(f"none of {len(some)} stored posts is shown any more; nothing was erased")
    yield from ((ident, there.get(ident)) for ident in some)

"""Hacker News, by Algolia's search: stories and comments that hold a term.

The search shows the newest 1000 hits; older ones come by asking for what lies before them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from sources import base, streams
from sources.base import Context, Cursor, Page, Post, SourceError
from sources.fields import Terms, WebAddress, epoch, number, objects, read_json, text
from sources.text import author_name, plain_text, tidy, web_address

if TYPE_CHECKING:
    from collections.abc import Iterator

HITS = 1000  # the most that one answer has
OVERLAP = 2 * 86_400  # seconds read again: hits are indexed late, and posts can be edited for hours
ITEM = "https://news.ycombinator.com/item?id="


class HackerNewsSettings(base.Settings):
    """What to look for.

    terms: words or phrases; each is searched for on its own.
    comments: whether comments are read too, not only stories.
    backfill_days: how far the first run goes back.
    api_url: of Algolia's search.
    """

    terms: Terms = Field(min_length=1)
    comments: bool = True
    backfill_days: int = Field(default=365, ge=1, le=10_000)
    api_url: WebAddress = "https://hn.algolia.com"


class Hits(NamedTuple):
    """What an answer holds; oldest: the time of its oldest hit; full: there may be more."""

    posts: list[Post]
    oldest: int | None
    full: bool


class HackerNews:
    """Reads each term's hits from now down to where the last run began, and a bit further."""

    Settings = HackerNewsSettings

    def __init__(self, settings: HackerNewsSettings, context: Context) -> None:
        self._settings = settings
        self._context = context

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """Pages of each term, newest first."""
        return streams.each(self._settings.terms, cursor, self._read, self._context.stopping)

    def _read(self, term: str, state: Cursor) -> Iterator[Page]:
        window = streams.window(state, self._settings.backfill_days, OVERLAP)
        at: int | None = window.at
        while at is not None and not self._context.stopping():
            hits = self._ask(term, window.since, at)
            at = _below(hits, at)
            yield Page(hits.posts, window.state(at, state.get("until")))

    def _ask(self, term: str, since: int, at: int) -> Hits:
        kinds = "(story,comment)" if self._settings.comments else "story"
        answer = self._context.client.get(
            f"{self._settings.api_url}/api/v1/search_by_date",
            params={
                "query": f'"{term}"',
                "advancedSyntax": "true",
                "typoTolerance": "false",
                "tags": kinds,
                "hitsPerPage": HITS,
                "numericFilters": f"created_at_i>={since},created_at_i<={at}",
            },
            allow_private=self._context.allow_private_addresses,
        )
        return parse_hits(answer.body)


def _below(hits: Hits, at: int) -> int | None:
    """Where to go on: at the oldest hit's second, or below it where that brings nothing new."""
    if not hits.full or hits.oldest is None:
        return None
    return hits.oldest if hits.oldest < at else at - 1


def parse_hits(body: bytes) -> Hits:
    """The posts in an answer of Algolia's search; SourceError when it is none."""
    answer = read_json(body, "Algolia's answer")
    if not isinstance(answer.get("hits"), list):
        raise SourceError("Algolia's answer has no hits: has the service changed?")
    hits = objects(answer["hits"])
    times = [at for at in (number(hit.get("created_at_i")) for hit in hits) if at is not None]
    shown = number(answer.get("hitsPerPage")) or HITS
    posts = streams.unique([_post(hit) for hit in hits])
    return Hits(posts, min(times, default=None), len(answer["hits"]) >= min(shown, HITS))


def _post(hit: dict[str, Any]) -> Post | None:
    """A story or a comment; None for one without id, time or words."""
    ident, posted_at = number(hit.get("objectID")), epoch(hit.get("created_at_i"))
    title = tidy(text(hit.get("title")), 500)
    body = plain_text(text(hit.get("comment_text")) or text(hit.get("story_text")))
    words = "\n\n".join(part for part in (title, body) if part)
    if ident is None or posted_at is None or not words:
        return None
    return Post(
        external_id=str(ident),
        text=words,
        posted_at=posted_at,
        title=title,
        url=web_address(f"{ITEM}{ident}"),
        author=author_name(text(hit.get("author"))),
    )

"""RSS and Atom feeds, over HTTP or from a file.

The model for further adapters: settings, fetching, and a parser that is a pure function of bytes.
"""

from __future__ import annotations

import calendar
import hashlib
import re
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urljoin, urlsplit

from pydantic import Field, field_validator, model_validator

from sources import base
from sources.base import Context, Cursor, Page, Post, SourceError, Stopped
from sources.feeds import parse
from sources.headers import fresh_for, longest
from sources.text import (
    author_name,
    headed,
    known_id,
    plain_text,
    stable_id,
    tidy,
    web_address,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


ACCEPT = (
    "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1"
)
MAX_FILE = 50_000_000  # bytes of a local feed
MAX_SEEN = 50  # ids of the newest posts, kept to see where two polls overlap
MAX_PROBLEMS = 20  # told in full; the others are counted
OLDEST = datetime(1990, 1, 1, tzinfo=UTC)  # before the web there were no posts
GAP = (
    "more was posted than the feed shows at a time: posts between the last visit and this one may "
    "be missing; a shorter `every` helps"
)
RATINGS = ("im_rating", "review_rating", "schema_ratingvalue", "g_rating", "rating")


class RssSettings(base.Settings):
    """A feed by its address or, for exports, by its file.

    path: relative to the folder of config.toml.
    max_pages: of a feed in several pages (RFC 5005), how many are read at most.
    """

    url: str | None = None
    path: str | None = None
    max_pages: int = Field(default=10, ge=1, le=1000)

    @field_validator("url")
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        if url is not None and not re.match(r"https?://\S+$", url, re.IGNORECASE):
            raise ValueError("expected an address that begins with https:// or http://")
        return url

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.url is None) == (self.path is None):
            raise ValueError("give either url or path")
        return self


class Document(NamedTuple):
    """Some bytes and where they came from; a file has no headers, no address, no validators."""

    status: int
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})
    url: str = ""
    validators: Mapping[str, str] = MappingProxyType({})


class Feed(NamedTuple):
    """What a document holds.

    problems: sentences on what had to be left out.
    ttl: the feed asks not to be read again before that.
    complete: the document was received to its end.
    next_url: where older posts are, for a feed in several pages.
    """

    posts: list[Post]
    problems: list[str]
    ttl: timedelta | None
    complete: bool
    next_url: str | None


class Rss:
    """Reads a feed; unchanged documents cost a 304, or the hash of a body.

    read: what an entry of the feed becomes, where it is not the usual.
    refusals: what a status means at this server; such an answer is a permanent error.
    full: entries of a feed that shows no more at a time; a shorter one has no gap behind it.
    """

    Settings = RssSettings

    def __init__(
        self,
        settings: RssSettings,
        context: Context,
        read: Callable[[Any, str, datetime], Post] | None = None,
        refusals: Mapping[int, str] = MappingProxyType({}),
        full: int = 2,
    ) -> None:
        self._settings = settings
        self._context = context
        self._full = full
        self._read = read or read_entry
        self._refusals = refusals

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """The feed's posts, newest document first.

        The cursor moves on only with the last document: a run that dies before it, or a
        document that breaks off, is read again.
        """
        old = cursor if cursor and cursor.get("place") == self._place else {}
        document = self._fetch(old)
        new = self._cursor(document)
        fresh = fresh_for(document.headers, datetime.now(UTC))
        if document.status == 304 or new["sha256"] == old.get("sha256"):
            ttl = timedelta(seconds=old.get("ttl", 0))
            yield Page([], {**new, **old, **document.validators}, next_poll=longest(fresh, ttl))
            return
        known, met = set(old.get("seen", [])), False
        for feed, more in self._feeds(document, set(known)):
            met = met or not known.isdisjoint(_ids(feed))
            lost = known and not (more or met) and len(feed.posts) >= self._full
            lost = lost and self._settings.url is not None  # a file may be another one each time
            new.setdefault("seen", _ids(feed)[:MAX_SEEN])
            new.setdefault("ttl", feed.ttl.total_seconds() if feed.ttl else 0)
            wait = longest(fresh, timedelta(seconds=new["ttl"]))
            cursor = old if more else new
            yield Page(feed.posts, cursor, feed.problems, [GAP] if lost else [], wait)

    def _feeds(self, document: Document, seen: set[str]) -> Iterator[tuple[Feed, bool]]:
        """Each document of the feed, and whether there is more to come.

        Ends where a document holds a post of the last poll: the older ones are known.
        """
        for number in range(1, self._settings.max_pages + 1):
            now = datetime.now(UTC)
            feed = parse_feed(document.body, document.headers, document.url, now, self._read)
            if not feed.complete:
                yield feed, True
                raise SourceError(f"the feed breaks off after {len(feed.posts)} complete entries")
            ids = _ids(feed)
            more = _same_host(feed.next_url, document.url) if ids else None
            if number == self._settings.max_pages or not seen.isdisjoint(ids):
                more = None
            yield feed, more is not None
            if more is None or self._context.stopping():
                return
            seen.update(ids)
            document = self._further(more, number + 1)

    def _further(self, url: str, number: int) -> Document:
        try:
            return self._get(url, {})
        except Stopped:
            raise
        except SourceError as error:  # the feed itself is there: never permanent
            raise SourceError(
                f"page {number} of the feed: {error} (max_pages = {number - 1} does without it)",
                retry_after=error.retry_after,
            ) from error

    @property
    def _place(self) -> str:
        """A cursor belongs to one address, and dies with it."""
        return stable_id(self._settings.url or "", self._settings.path or "")

    def _cursor(self, document: Document) -> Cursor:
        digest = hashlib.sha256(document.body).hexdigest()
        return {"place": self._place, "sha256": digest, **document.validators}

    def _fetch(self, old: Cursor) -> Document:
        if self._settings.url is None:
            return Document(200, self._read_file())
        return self._get(self._settings.url, old)

    def _get(self, url: str, old: Cursor) -> Document:
        known = {name: old[name] for name in ("etag", "last_modified") if old.get(name)}
        answer = self._context.client.get(
            url,
            headers={"Accept": ACCEPT},
            allow_private=self._context.allow_private_addresses,
            validators=known,
            also=self._refusals,
        )
        if answer.status in self._refusals:
            raise SourceError(self._refusals[answer.status], permanent=True)
        return Document(answer.status, answer.body, answer.headers, answer.url, answer.validators)

    def _read_file(self) -> bytes:
        path = self._context.folder / str(self._settings.path)
        try:
            with path.open("rb") as file:
                body = file.read(MAX_FILE + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a valid path"
            raise SourceError(f"{self._settings.path} cannot be read: {reason}") from error
        if len(body) > MAX_FILE:
            raise SourceError(f"{self._settings.path} is larger than {MAX_FILE:,} bytes")
        return body


def parse_feed(
    body: bytes,
    headers: Mapping[str, str],
    url: str,
    now: datetime,
    read: Callable[[Any, str, datetime], Post] | None = None,
) -> Feed:
    """The posts of an RSS or Atom document; SourceError when it is none.

    headers: of the answer, names in lower case; Content-Type may name the encoding.
    url: where it came from; relative links start there.
    now: for entries without a believable date.
    read: what an entry becomes; default: `read_entry`.
    """
    parsed = parse(body, headers.get("content-type", ""))
    posts, problems = _posts([(read or read_entry)(entry, url, now) for entry in parsed.entries])
    if parsed.unreadable:
        problems.append(f"{parsed.unreadable} entries cannot be read")
    ttl, next_url = _ttl(parsed.channel), _next_url(parsed.channel, url)
    return Feed(posts, problems, ttl, parsed.complete, next_url)


def _posts(read: list[Post]) -> tuple[list[Post], list[str]]:
    posts: dict[str, Post] = {}
    problems = []
    for number, post in enumerate(read, start=1):
        if not post.text and post.rating is None:
            problems.append(f"entry {number} ({post.external_id[:80]}) has no text")
        elif posts.setdefault(post.external_id, post).text != post.text:
            problems.append(f"entry {number} has the id of another ({post.external_id[:80]})")
    more = len(problems) - MAX_PROBLEMS
    told = problems[:MAX_PROBLEMS] + ([f"{more} more entries with problems"] if more > 0 else [])
    return list(posts.values()), told


def read_entry(entry: Any, url: str, now: datetime) -> Post:
    """The post that an entry of feedparser's is, by the usual meaning of its fields."""
    title, text = headed(_clean(entry.get("title_detail"), 500), _clean(_content(entry)))
    published = _string(dict.get(entry, "published") or dict.get(entry, "updated"))
    link = _string(entry.get("link"))
    given = _string(entry.get("id")) or link
    return Post(
        external_id=known_id(given) or stable_id(title or text, published),
        text=text,
        posted_at=_posted_at(entry, now),
        title=title,
        url=_link(link, url),
        author=_author(entry),
        rating=_rating(entry),
    )


def _content(entry: Any) -> Any:
    """The fullest part: content before summary, plain text before HTML."""
    parts = [part for part in entry.get("content") or [] if part.get("value")]
    plain = [part for part in parts if part.get("type") == "text/plain"]
    return (plain or parts or [entry.get("summary_detail")])[0]


def _clean(part: Any, limit: int = 20_000) -> str:
    if not part:
        return ""
    value, kind = _string(part.get("value")), _string(part.get("type"))
    return plain_text(value, limit) if "html" in kind else tidy(value, limit)


def _posted_at(entry: Any, now: datetime) -> datetime:
    """Published, else updated, else now. feedparser's times are UTC."""
    for name in ("published_parsed", "updated_parsed", "created_parsed"):
        stamp = dict.get(entry, name)  # FeedParserDict.get would mix up the names
        if not stamp:
            continue
        try:
            moment = datetime.fromtimestamp(calendar.timegm(stamp), UTC)
        except (ValueError, OverflowError, OSError, TypeError):
            continue
        if moment > now + timedelta(days=1):
            return now
        if moment >= OLDEST:
            return moment
    return now


def _author(entry: Any) -> str | None:
    whole, detail = _string(entry.get("author")), entry.get("author_detail") or {}
    if whole.startswith("@"):  # feedparser takes @name@server for e-mail and cuts it
        return author_name(whole)
    return author_name(_string(detail.get("name")) or whole)


def _rating(entry: Any) -> float | None:
    """Stars by the extensions in use: App Store (im), review, schema.org, Google (g)."""
    for name in RATINGS:
        value = _string(dict.get(entry, name)).strip().replace(",", ".")
        if re.fullmatch(r"[1-5](\.\d{1,9})?", value) and float(value) <= 5:
            return float(value)
    return None


def _ttl(channel: Any) -> timedelta | None:
    """RSS's ttl is in minutes."""
    value = _string(channel.get("ttl")).strip()
    return longest(timedelta(minutes=int(value))) if re.fullmatch(r"[0-9]{1,7}", value) else None


def _next_url(channel: Any, url: str) -> str | None:
    for link in channel.get("links") or []:
        if link.get("rel") == "next":
            return _link(_string(link.get("href")), url)
    return None


def _link(link: str, url: str) -> str | None:
    try:
        return web_address(urljoin(url, link)) if link else None
    except ValueError:
        return None


def _same_host(link: str | None, url: str) -> str | None:
    """The link, unless it leads to another host than the one the operator named."""
    return link if link and urlsplit(link).netloc == urlsplit(url).netloc else None


def _ids(feed: Feed) -> list[str]:
    return [stable_id(post.external_id) for post in feed.posts]


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""

"""Comments on YouTube videos, by the YouTube Data API."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr, model_validator

from sources import base
from sources.allowances import Allowances
from sources.allowances import of as allowances_of
from sources.base import Context, Cursor, Page, Post, SourceError
from sources.fields import iso_time, mapping, number, objects, read_json, text
from sources.google import REFUSALS, Refusal, page_token, refusal, said
from sources.parts import Part, read_parts
from sources.streams import still_there
from sources.text import author_name, known_id, looks_like_markup, plain_text, tidy
from sources.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PER_PAGE = 100
OVERLAP = timedelta(days=14)  # how long replies and edits to a thread are looked for
MAX_PAGES = 5_000
MAX_REPLY_PAGES = 20  # of one thread in one run
MAX_COUNTS = 5_000  # threads whose number of replies is remembered
NEAR = 0.9  # of the daily units: worth a word
BATCH = 50  # ids in one request
PACIFIC = ZoneInfo("America/Los_Angeles")  # its midnight begins YouTube's day
SPENT = {"quotaexceeded", "dailylimitexceeded"}
HURRIED = {"ratelimitexceeded", "userratelimitexceeded", "resourceexhausted"}
VIDEO = re.compile(r"[A-Za-z0-9_-]{11}")


def _video(value: str) -> str:
    found = re.search(
        r"(?:^|[?&]v=|youtu\.be/|/shorts/|/live/|/embed/)([\w-]{11})(?:[?&#]|$)", value
    )
    if not found:
        raise ValueError("expected a video's address or its id of 11 characters")
    return found[1]


def _channel(value: str) -> str:
    found = re.search(r"(?:^|/channel/)(UC[\w-]{22})(?:[/?#]|$)", value)
    if not found:
        raise ValueError('expected a channel\'s id, "UC" and 22 more characters')
    return found[1]


class YouTubeSettings(base.Settings):
    """Videos and channels whose comments are read.

    api_key: of a Google Cloud project with the YouTube Data API v3.
    accept_terms: must be true: the operator has read what YouTube's terms forbid.
    videos, channels: addresses or ids; of a channel, the comments on all its videos.
    search: only threads with these words.
    quota: units a day that the key may use, by whichever source; this one then stops.
    api: the address of the API.
    """

    api_key: SecretStr = Field(min_length=1)
    accept_terms: bool = False
    videos: list[Annotated[str, AfterValidator(_video)]] = Field(default=[], max_length=200)
    channels: list[Annotated[str, AfterValidator(_channel)]] = Field(default=[], max_length=50)
    search: str | None = Field(default=None, min_length=1, max_length=200)
    quota: int = Field(default=10_000, ge=1)
    api: str = Field(default="https://www.googleapis.com/youtube/v3", pattern=r"^https?://\S+$")

    @model_validator(mode="after")
    def _ready(self) -> Self:
        if not self.accept_terms:
            raise ValueError(
                "YouTube's terms may forbid what this program does; read docs/sources/youtube.md, "
                "then set accept_terms = true or leave the source out"
            )
        if not (self.videos or self.channels):
            raise ValueError("give at least one of videos and channels")
        return self


class Thread(NamedTuple):
    """A comment and the replies that came with it; total: how many replies there are in all."""

    key: str
    posts: list[Post]
    total: int


class Threads(NamedTuple):
    """A page of threads, and the token of the next one."""

    threads: list[Thread]
    following: str


class Units:
    """The units of YouTube's day. They belong to the key: all its sources draw on them.

    Every request costs one, whatever comes of it; a try that is repeated costs one more.
    """

    def __init__(self, settings: YouTubeSettings, allowances: Allowances) -> None:
        self._name = allowances_of("youtube", settings.api_key.get_secret_value())
        self._limit = settings.quota
        self._allowances = allowances
        self._told = False
        self.left: int | None = None

    def spend(self) -> None:
        """Take one; SourceError when none is left before midnight in California."""
        self.left = self._allowances.take(self._name, _midnight(), self._limit)
        if self.left is None:
            raise spent(self._limit)

    def use_up(self) -> SourceError:
        """YouTube says that the key has none left; the error that says so."""
        self._allowances.use_up(self._name, _midnight(), self._limit)
        return spent(self._limit)

    def on(self, page: Page) -> Page:
        """The page with what is left; a word of its own, once a run, when that is little."""
        if self.left is None:
            return page
        used, problems = self._limit - self.left, page.problems
        if used >= self._limit * NEAR and not self._told:
            self._told = True
            problems = [*problems, f"{used:,} of {self._limit:,} YouTube units are used today"]
        quota = f"{self.left:,} of {self._limit:,} units left today"
        return replace(page, problems=problems, quota=quota)


def _midnight() -> datetime:
    """When YouTube's day began."""
    return datetime.now(PACIFIC).replace(hour=0, minute=0, second=0, microsecond=0)


def spent(limit: int) -> SourceError:
    """The allowance is used up; it begins again at midnight in California."""
    midnight = _midnight() + timedelta(days=1)
    return SourceError(
        f"YouTube's units for today are used up (this key may use {limit:,}): it is read again "
        f"after {midnight.astimezone(UTC):%H:%M} UTC; a longer `every` or fewer channels help",
        retry_after=max(midnight - datetime.now(UTC), timedelta(minutes=1)),
    )


class YouTube:
    """Reads threads with their replies, the latest first, back to the known ones and further."""

    Settings = YouTubeSettings
    RECHECK_EVERY = timedelta(days=25)  # the terms ask for it within 30

    def __init__(self, settings: YouTubeSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._units = Units(settings, context.allowances)

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """The comments on all videos and channels, and the units they cost."""
        search = self._settings.search or ""  # another search starts anew
        places = [("video", "videoId", video) for video in self._settings.videos]
        places += [
            ("channel", "allThreadsRelatedToChannelId", channel)
            for channel in self._settings.channels
        ]
        parts = [
            Part(f"{key} {search}", f"{kind} {key}", partial(self._threads, name, key))
            for kind, name, key in places
        ]
        for page in read_parts(parts, cursor, self._context.stopping):
            yield self._units.on(page)

    def recheck(self, ids: Sequence[str]) -> Iterator[tuple[str, Post | None]]:
        """Comments as they are now; None where one is gone."""
        for start in range(0, len(ids), BATCH):
            batch = list(ids[start : start + BATCH])
            found = self._get("comments", {"part": "snippet", "id": ",".join(batch)})
            if not isinstance(found.get("items"), list):
                raise SourceError("YouTube's answer holds no list of comments")
            shown = {text(item.get("id")) for item in objects(found["items"])}
            there = {post.external_id: post for post in _comments(found["items"], "")}
            unclear = shown - there.keys()
            yield from still_there([each for each in batch if each not in unclear], there)
            if self._context.stopping():
                return

    def _threads(self, name: str, key: str, cursor: Cursor | None) -> Iterator[Page]:
        """One video's or channel's threads; a run that is cut short goes on where it was."""
        window, counts = Window.after(cursor, OVERLAP), _counts(cursor)
        params = {"part": "snippet,replies", "order": "time", "maxResults": PER_PAGE, name: key}
        if self._settings.search:
            params["searchTerms"] = self._settings.search
        now_open: Counter[str] = Counter()
        for _ in range(MAX_PAGES):
            found = self._page(params, window)
            window.saw(thread.posts[0].posted_at for thread in found.threads)
            posts = [post for thread in found.threads for post in self._whole(thread, counts)]
            now_open.update({thread.key: thread.total for thread in found.threads})
            last = window.reached or not found.following
            window.next = "" if last else found.following
            kept = {**counts, **now_open} if not last else now_open
            counted = dict(list(kept.items())[-MAX_COUNTS:])
            yield Page(posts, {**window.mark(window.next), "replies": counted})
            if last or self._context.stopping():
                return

    def _page(self, params: Mapping[str, Any], window: Window) -> Threads:
        """The next page; from the start again where YouTube has forgotten the place."""
        token = {"pageToken": window.next} if window.next else {}
        try:
            return parse_threads(self._get("commentThreads", {**params, **token}))
        except _Forgotten:
            window.next = ""
            return parse_threads(self._get("commentThreads", params))

    def _whole(self, thread: Thread, counts: Mapping[str, int]) -> list[Post]:
        """The thread with all its replies, asked for where some are missing and new ones came."""
        missing = thread.total > len(thread.posts) - 1 and counts.get(thread.key) != thread.total
        return [*thread.posts, *self._replies(thread.key)] if missing else thread.posts

    def _replies(self, parent: str) -> list[Post]:
        posts: list[Post] = []
        params = {"part": "snippet", "parentId": parent, "maxResults": PER_PAGE}
        for _ in range(MAX_REPLY_PAGES):
            found = self._get("comments", params)
            posts += _comments(found.get("items"), "")
            following = page_token(found)
            if not following or self._context.stopping():
                break
            params = {**params, "pageToken": following}
        return posts

    def _get(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._context.client.get(
            f"{self._settings.api.rstrip('/')}/{method}",
            params={**params, "textFormat": "plainText"},
            headers={"X-Goog-Api-Key": self._settings.api_key.get_secret_value()},
            allow_private=self._context.allow_private_addresses,
            also=REFUSALS,
            spend=self._units.spend,
        )
        if answer.status in REFUSALS:
            raise self._refused(refusal(answer), with_token="pageToken" in params)
        return read_json(answer.body, "YouTube's answer")

    def _refused(self, refused: Refusal, *, with_token: bool) -> SourceError:
        reasons, hint = refused.reasons, said(refused)
        if reasons & SPENT:
            return self._units.use_up()
        if reasons & HURRIED:
            wait = timedelta(minutes=2)
            return SourceError(f"YouTube asks for fewer requests a minute{hint}", retry_after=wait)
        known = sorted(reasons & SENTENCES.keys())
        if known or "api key" in refused.message.lower():
            return SourceError((SENTENCES[known[0]] if known else WRONG) + hint, permanent=True)
        if with_token and refused.status in (400, 404):
            return _Forgotten("YouTube has forgotten where the last run was")
        return SourceError(
            f"YouTube refuses the request ({refused.status}): check `api_key`{hint}",
            permanent=refused.status != 400,
        )


class _Forgotten(SourceError):  # noqa: N818 (a state, not a fault)
    pass


OFF = "comments are switched off there: take the video or channel out of the configuration"
UNKNOWN = "YouTube knows no such video or channel: check `videos` and `channels`"
DISABLED = (
    "the key's project may not use YouTube: enable the YouTube Data API v3 in the Google Cloud "
    "console, and allow it among the key's restrictions"
)
RESTRICTED = (
    "the key may not be used from this machine: correct the key's application restrictions in the "
    "Google Cloud console"
)
WRONG = (
    "YouTube does not accept the API key: copy `api_key` anew from the credentials page of the "
    "Google Cloud console"
)
SENTENCES = {
    "commentsdisabled": OFF,
    "videonotfound": UNKNOWN,
    "channelnotfound": UNKNOWN,
    "accessnotconfigured": DISABLED,
    "servicedisabled": DISABLED,
    "apikeyserviceblocked": DISABLED,
    "apikeyhttpreferrerblocked": RESTRICTED,
    "apikeyipaddressblocked": RESTRICTED,
    "apikeyinvalid": WRONG,
    "keyinvalid": WRONG,
    "keyexpired": WRONG,
}


def parse_threads(found: Mapping[str, Any]) -> Threads:
    """The threads of a page."""
    if not isinstance(found.get("items"), list):
        raise SourceError("YouTube's answer holds no list of comments")
    threads = [_thread(item) for item in objects(found["items"])]
    return Threads([each for each in threads if each], page_token(found))


def _thread(item: Mapping[str, Any]) -> Thread | None:
    snippet = mapping(item.get("snippet"))
    video = text(snippet.get("videoId"))
    first = _comments([snippet.get("topLevelComment")], video)
    if not first:
        return None
    replies = _comments(mapping(item.get("replies")).get("comments"), video)
    return Thread(
        first[0].external_id, [*first, *replies], number(snippet.get("totalReplyCount")) or 0
    )


def _comments(items: Any, video: str) -> list[Post]:
    """The posts that some comments are; those without text or date are none."""
    posts = [_comment(item, video) for item in objects(items)]
    return [post for post in posts if post]


def _comment(item: Mapping[str, Any], video: str) -> Post | None:
    snippet, given = mapping(item.get("snippet")), known_id(text(item.get("id")))
    posted_at = iso_time(snippet.get("publishedAt"))
    shown = text(snippet.get("textOriginal")) or text(snippet.get("textDisplay"))
    words = plain_text(shown) if looks_like_markup(shown) else tidy(shown)
    if not (given and words and posted_at):
        return None
    found = VIDEO.fullmatch(text(snippet.get("videoId")) or video)
    author = mapping(snippet.get("authorChannelId")).get("value") or snippet.get(
        "authorDisplayName"
    )
    address = f"https://www.youtube.com/watch?v={found[0]}&lc={quote(given)}" if found else None
    return Post(
        external_id=given,
        text=words,
        posted_at=posted_at,
        url=address,
        author=author_name(text(author)),
    )


def _counts(cursor: Cursor | None) -> dict[str, int]:
    """How many replies each thread had, of whatever a cursor may hold."""
    known = {key: number(value) for key, value in mapping((cursor or {}).get("replies")).items()}
    return {key: value for key, value in known.items() if value is not None}

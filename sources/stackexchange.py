"""Stack Exchange: questions of one site by tags or by search, in the order of their last activity.

An edited or answered question becomes active again, so edits are seen without a second look.
"""

from __future__ import annotations

import html
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from sources import base, streams
from sources.allowances import of, taker
from sources.base import Context, Cursor, Page, Post, SourceError
from sources.fields import Terms, WebAddress, epoch, mapping, number, objects, read_json, text
from sources.text import author_name, headed, plain_text, tidy, web_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ITEMS = 100  # the most that one answer has
LAST_PAGE = 25  # further ones need a key
OVERLAP = 3600  # seconds of activity read again
REJECTED = (400, 401, 403, 404, 502, 503)  # come with an error that says more than the status
WITHOUT_KEY, WITH_KEY = 300, 10_000  # requests in 24 hours, by address
LATER = timedelta(hours=6)
USED_UP = "Stack Exchange's requests for today are used up; register a key for more"
FOREVER = {
    400: "does not understand the question: check `site` and `tags`",
    401: "wants credentials: check `key`",
    402: "does not take this access token: check `key`",
    403: "does not take this key: copy `key` anew from stackapps.com",
    404: "knows no such method: check `api_url`",
    405: "does not take this key: copy `key` anew from stackapps.com",
    406: "no longer takes this access token: check `key`",
}


class StackExchangeSettings(base.Settings):
    """What to look for on one site.

    site: as in the site's address: "stackoverflow", "law", "money", "travel".
    tags: questions with any of these tags; terms: questions that hold these words.
    key: of an app registered at stackapps.com; 10,000 instead of 300 requests a day.
    backfill_days: how far the first run goes back.
    """

    site: str = Field(pattern=r"^[a-z0-9.-]{1,60}$")
    tags: list[str] = Field(default=[], max_length=50)
    terms: Terms = Field(default=[])
    key: SecretStr | None = None
    backfill_days: int = Field(default=365, ge=1, le=10_000)
    api_url: WebAddress = "https://api.stackexchange.com"

    @field_validator("tags")
    @classmethod
    def _spelling(cls, tags: list[str]) -> list[str]:
        for tag in tags:
            if not tag or set(tag) & set(" ;,"):
                raise ValueError("tags are written as on the site, such as labor-law")
        return tags

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.tags or self.terms):
            raise ValueError("give tags or terms")
        return self


class Answer(NamedTuple):
    """What an answer holds.

    active: the last activity of its last question.
    backoff: the service wants to be left alone for that long.
    """

    posts: list[Post]
    active: int | None
    more: bool
    backoff: timedelta | None
    quota: str
    used_up: bool


class StackExchange:
    """Reads questions from the least to the most recently active one."""

    Settings = StackExchangeSettings
    RECHECK_EVERY = timedelta(days=7)

    def __init__(self, settings: StackExchangeSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        key = settings.key.get_secret_value() if settings.key else ""
        self._spend = taker(
            context.allowances,
            of("stackexchange", key),
            timedelta(days=1),
            WITH_KEY if key else WITHOUT_KEY,
            SourceError(USED_UP, retry_after=LATER),
        )

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """Pages of each tag and term."""
        tags = [f"tag {tag}" for tag in self._settings.tags]
        names = [*tags, *(f"search {term}" for term in self._settings.terms)]
        return streams.each(names, cursor, self._read, self._context.stopping)

    def recheck(self, ids: Sequence[str]) -> Iterator[tuple[str, Post | None]]:
        """Questions as they are now; those the site no longer shows are gone."""
        known = [ident for ident in ids if number(ident) is not None]
        for start in range(0, len(known), ITEMS):
            some = known[start : start + ITEMS]
            there = {
                post.external_id: post
                for post in self._ask(f"questions/{';'.join(some)}", {}).posts
            }
            yield from streams.still_there(some, there)

    def _read(self, name: str, state: Cursor) -> Iterator[Page]:
        kind, _, words = name.partition(" ")
        wanted = {"tagged": words} if kind == "tag" else {"q": words}
        done = number(state.get("active"))
        first = int(time.time()) - self._settings.backfill_days * 86_400
        low = max(done - OVERLAP if done is not None else first, 0)
        page, more = 1, True
        while more and not self._context.stopping():
            answer = self._ask(
                "search/advanced",
                {**wanted, "sort": "activity", "order": "asc", "min": low, "page": page},
            )
            more = answer.more
            done = max(done or 0, answer.active or 0, low)
            beyond = answer.active is not None and answer.active > low
            low, page = (answer.active or low, 1) if beyond else (low, page + 1)
            gaps = []
            if more and page > LAST_PAGE:
                more = False
                gaps = [f"more questions active at {_moment(low)} than the site shows"]
                done = low + 1 + OVERLAP
            wait = LATER if answer.used_up else answer.backoff
            yield Page(
                answer.posts, {"active": done}, gaps=gaps, next_poll=wait, quota=answer.quota
            )
            if more and answer.used_up:
                raise SourceError(USED_UP, retry_after=LATER)

    def _ask(self, method: str, params: dict[str, Any]) -> Answer:
        settings, client = self._settings, self._context.client
        key = {"key": settings.key.get_secret_value()} if settings.key else {}
        url = f"{settings.api_url}/2.3/{method}"
        fixed = {"site": settings.site, "pagesize": ITEMS, "filter": "withbody"}
        answer = client.get(
            url,
            params={**params, **fixed, **key},
            allow_private=self._context.allow_private_addresses,
            also=REJECTED,
            spend=self._spend,
        )
        if answer.status in REJECTED:
            raise refusal(answer.body, answer.status)
        parsed = parse_questions(answer.body)
        if parsed.backoff:
            client.pause(url, parsed.backoff)
        return parsed


def parse_questions(body: bytes) -> Answer:
    """The questions in an answer; SourceError when it is none."""
    answer = read_json(body, "Stack Exchange's answer")
    if not isinstance(answer.get("items"), list):
        raise SourceError("Stack Exchange's answer has no items: has the service changed?")
    items = objects(answer["items"])
    now = int(time.time())
    stamps = [number(item.get("last_activity_date")) for item in items]
    active = [min(at, now) for at in stamps if at]
    left, most = number(answer.get("quota_remaining")), number(answer.get("quota_max"))
    backoff = number(answer.get("backoff"))
    return Answer(
        posts=streams.unique([_post(item) for item in items]),
        active=max(active, default=None),
        more=answer.get("has_more") is True and bool(answer["items"]),
        backoff=timedelta(seconds=min(backoff, 86_400)) if backoff else None,
        quota="" if left is None else f"{left} of {most or '?'} requests left today",
        used_up=left == 0,
    )


def refusal(body: bytes, status: int) -> SourceError:
    """The error that says what the service's own error means for the operator."""
    try:
        answer = read_json(body)
    except SourceError:
        answer = {}
    ident = number(answer.get("error_id"))
    said = tidy(text(answer.get("error_message")), 200)
    if ident == 502:  # throttled: "more requests available in 4711 seconds"
        words = [word for word in said.split() if word.isascii() and word.isdigit()]
        wait = min(number(words[-1]) or 60, 86_400) if words else 3600
        return SourceError(
            "Stack Exchange has had enough requests from us for now",
            retry_after=timedelta(seconds=wait),
        )
    if ident in FOREVER:
        detail = f" ({said})" if said else ""
        return SourceError(f"Stack Exchange {FOREVER[ident]}{detail}", permanent=True)
    return SourceError(f"Stack Exchange is out of order at the moment ({ident or status})")


def _post(item: dict[str, Any]) -> Post | None:
    """A question; None for one without id, time or words."""
    ident, posted_at = number(item.get("question_id")), epoch(item.get("creation_date"))
    title, words = headed(
        tidy(html.unescape(text(item.get("title"))[:2000]), 500),
        plain_text(text(item.get("body"))),
    )
    if ident is None or posted_at is None or not words:
        return None
    return Post(
        external_id=str(ident),
        text=words,
        posted_at=posted_at,
        title=title,
        url=web_address(text(item.get("link"))),
        author=author_name(html.unescape(text(mapping(item.get("owner")).get("display_name")))),
    )


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(" ", "seconds")

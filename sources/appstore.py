"""Reviews of an app in Apple's App Store, country by country."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field

from sources import base
from sources.base import Context, Cursor, Page, Post, SourceError
from sources.feeds import parse
from sources.fields import mapping, text
from sources.parts import Part, read_parts
from sources.rss import read_entry
from sources.text import web_address
from sources.windows import GAP, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = 10  # Apple shows no more of a country
FULL = 50  # reviews on a page
OVERLAP = timedelta(days=3)
RETRY = timedelta(hours=1)
REFUSED = {
    400: "the App Store does not know {place}: check `app` and `countries`",
    404: "the App Store does not know {place}: check `app` and `countries`",
}
EMPTY = (
    "the App Store sent an empty list, though it showed reviews before; it does so at times, and "
    "is asked again"
)
NONE = "there are no reviews yet, or the App Store's list is empty just now, as happens at times"
ENDED = "the App Store's list ended early; it does so at times, and is read again"


def _number(value: object) -> object:
    """The number in 1234567890, "id1234567890" or an app's address."""
    found = re.search(r"(?:^|/id|^id)(\d{5,12})(?:\?|$)", str(value).strip())
    if not found:
        raise ValueError("expected the app's number, as in apps.apple.com/de/app/name/id1234567890")
    return found[1]


def _country(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", value):
        raise ValueError('expected a country in two letters, such as "de"')
    return value.lower()


class AppStoreSettings(base.Settings):
    """An app and the countries whose reviews are read.

    app: its number, or its address in the App Store.
    countries: two letters each; reviews are kept by country.
    api: the address of Apple's feeds.
    """

    app: Annotated[str, BeforeValidator(_number)]
    countries: list[Annotated[str, AfterValidator(_country)]] = Field(
        default=["de"], min_length=1, max_length=50
    )
    api: str = Field(default="https://itunes.apple.com", pattern=r"^https?://\S+$")


class Reviews(NamedTuple):
    """What a page of the feed holds; complete: it was received to its end."""

    posts: list[Post]
    moments: list[datetime]
    complete: bool


class AppStore:
    """Reads Apple's review feed, the latest written or changed first, until the known ones."""

    Settings = AppStoreSettings

    def __init__(self, settings: AppStoreSettings, context: Context) -> None:
        self._settings = settings
        self._context = context

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """The reviews of all countries."""
        app, countries = self._settings.app, dict.fromkeys(self._settings.countries)
        parts = [Part(f"{app} {each}", each, partial(self._country, each)) for each in countries]
        return read_parts(parts, cursor, self._context.stopping)

    def _country(self, country: str, cursor: Cursor | None) -> Iterator[Page]:
        """One country's reviews; its cursor moves on with the last page only."""
        window, old, before = Window.after(cursor, OVERLAP), cursor or {}, FULL
        for number in range(1, PAGES + 1):
            reviews = self._fetch(country, number)
            window.saw(reviews.moments)
            if not reviews.complete:
                yield Page(reviews.posts, old)
                raise SourceError("the App Store's answer breaks off")
            problem = _problem(number, before, len(reviews.posts), window)
            if cursor is None and number == 1 and not reviews.posts:
                problem = NONE
            last = window.reached or number == PAGES or len(reviews.posts) == 0
            moved = window.mark() if last and problem not in (EMPTY, ENDED) else old
            lost = last and number == PAGES and window.before is not None and not window.reached
            problems = [problem] if problem else []
            yield Page(reviews.posts, moved, problems, [GAP] if lost and reviews.posts else [])
            if last or self._context.stopping():
                return
            before = len(reviews.posts)

    def _fetch(self, country: str, number: int) -> Reviews:
        app = self._settings.app
        answer = self._context.client.get(
            f"{self._settings.api.rstrip('/')}/{country}/rss/customerreviews/page={number}/id={app}"
            "/sortby=mostrecent/xml",
            headers={"Accept": "application/atom+xml, application/xml"},
            allow_private=self._context.allow_private_addresses,
            also=(400, 403, 404),
        )
        if answer.status == 403:
            self._context.client.pause(self._settings.api, RETRY)
            raise SourceError(
                "the App Store refuses to answer (403), as it does after too many requests: it is "
                "asked again later; a longer `every` helps",
                retry_after=RETRY,
            )
        if answer.status in REFUSED:
            place = f"app {app} in country {country}"
            raise SourceError(REFUSED[answer.status].format(place=place), permanent=True)
        return parse_reviews(answer.body, answer.headers.get("content-type", ""), datetime.now(UTC))


def parse_reviews(body: bytes, content_type: str, now: datetime) -> Reviews:
    """The reviews of a page; SourceError where it is none. Entries without stars are the app."""
    parsed = parse(body, content_type)
    read = [_review(entry, now) for entry in parsed.entries]
    posts = {post.external_id: post for post in read if post.rating is not None}
    return Reviews(list(posts.values()), [post.posted_at for post in posts.values()],
                   parsed.complete)  # fmt: skip


def _review(entry: Any, now: datetime) -> Post:
    """The entry's post; Apple calls the review's page "related", not the entry's own."""
    post = read_entry(entry, "", now)
    links = [mapping(link).get("href") for link in dict.get(entry, "links") or []]
    return replace(post, url=post.url or web_address(text(links[0]) if links else ""))


def _problem(number: int, before: int, found: int, window: Window) -> str:
    """What is wrong with a page, or nothing.

    before: how many reviews the page before had; a list that ends after a full page may have been
    cut by one of Apple's faults.
    """
    if window.before is None or window.reached:
        return ""
    if found == 0:
        return EMPTY if number == 1 else ENDED if before >= FULL else ""
    return ""

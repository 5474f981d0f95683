"""Reviews of one's own listings on Google Maps, by the Business Profile API."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from urllib.parse import quote

from pydantic import AfterValidator, Field, SecretStr

from sources import base
from sources.base import Context, Cursor, Page, Post, SourceError
from sources.fields import iso_time, mapping, objects, read_json, text
from sources.google import (
    REFUSALS,
    TOKEN_URL,
    page_token,
    refusal,
    refused_access,
    said,
    token_for_login,
)
from sources.headers import retry_after
from sources.parts import Part, read_parts
from sources.text import author_name, known_id, tidy
from sources.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sources.http import Response

PER_PAGE = 50
MAX_PAGES = 2_000
OVERLAP = timedelta(days=2)  # the list is by last change: what is edited comes first again
STARS = {"ONE": 1.0, "TWO": 2.0, "THREE": 3.0, "FOUR": 4.0, "FIVE": 5.0}
TRANSLATED = re.compile(r"\(Translated by Google\)\s*", re.IGNORECASE)
ORIGINAL = re.compile(r"\(Original\)\s*", re.IGNORECASE)


def _location(value: str) -> str:
    if not re.fullmatch(r"accounts/\d{1,40}/locations/\d{1,40}", value.strip("/")):
        raise ValueError('expected a listing as in "accounts/123/locations/456"')
    return value.strip("/")


class GoogleBusinessSettings(base.Settings):
    """Listings of one's own, and the login of somebody who manages them.

    locations: "accounts/123/locations/456", several.
    client_id, client_secret: of the project that was granted access to the API.
    refresh_token: what Google gave when a manager of the listings agreed.
    api, token_url: the addresses of the API and of Google's logins.
    """

    locations: list[Annotated[str, AfterValidator(_location)]] = Field(min_length=1, max_length=500)
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)
    refresh_token: SecretStr = Field(min_length=1)
    api: str = Field(default="https://mybusiness.googleapis.com/v4", pattern=r"^https?://\S+$")
    token_url: str = Field(default=TOKEN_URL, pattern=r"^https?://\S+$")


class Reviews(NamedTuple):
    """What a page holds: the posts, when each was last changed, and the token of the next page."""

    posts: list[Post]
    changed: list[datetime]
    following: str


class GoogleBusiness:
    """Reads reviews, the latest changed first, back to the known ones."""

    Settings = GoogleBusinessSettings
    RECHECK_EVERY = timedelta(days=30)  # a request a review: often enough for those taken back

    def __init__(self, settings: GoogleBusinessSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._token = ""

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """The reviews of all listings."""
        self._sign_in()
        parts = [
            Part(each, each, partial(self._listing, each)) for each in self._settings.locations
        ]
        yield from read_parts(parts, cursor, self._context.stopping)

    def recheck(self, ids: Sequence[str]) -> Iterator[tuple[str, Post | None]]:
        """Reviews as they are now; None where one is gone from a listing that we can read."""
        self._sign_in()
        readable = set()
        for each in ids:
            location = each.partition("/reviews/")[0]
            if location not in self._settings.locations:
                continue
            if self._context.stopping():
                return
            if location not in readable:
                self._try_out(location)
                readable.add(location)
            answer = self._answer(quote(each), {})
            if answer.status == 404:
                yield each, None
            elif post := _post(read_json(self._accepted(answer, location).body, "the review")):
                yield each, post

    def _try_out(self, location: str) -> None:
        """SourceError unless the listing is ours, and shows by itself what its list shows."""
        shown = self._fetch(location, {}).posts
        if shown and self._answer(quote(shown[0].external_id), {}).status == 404:
            raise SourceError("Google shows no single reviews: nothing can be looked at again")

    def _sign_in(self) -> None:
        settings = self._settings
        self._token = token_for_login(
            settings.token_url,
            settings.client_id,
            settings.client_secret.get_secret_value(),
            settings.refresh_token.get_secret_value(),
            self._context,
        )

    def _listing(self, location: str, cursor: Cursor | None) -> Iterator[Page]:
        """One listing's reviews; a run that is cut short goes on where it was."""
        window = Window.after(cursor, OVERLAP)
        for _ in range(MAX_PAGES):
            reviews = self._page(location, window)
            window.saw(reviews.changed)
            window.next = "" if window.reached else reviews.following
            yield Page(reviews.posts, window.mark(window.next))
            if not window.next or self._context.stopping():
                return

    def _page(self, location: str, window: Window) -> Reviews:
        """The next page; from the start again where Google has forgotten the place."""
        if not window.next:
            return self._fetch(location, {})
        try:
            return self._fetch(location, {"pageToken": window.next})
        except _Forgotten:
            return self._fetch(location, {})

    def _fetch(self, location: str, more: Mapping[str, str]) -> Reviews:
        params = {"pageSize": PER_PAGE, "orderBy": "updateTime desc", **more}
        answer = self._answer(f"{location}/reviews", params)
        if answer.status == 400 and more:
            raise _Forgotten("Google has forgotten where the last run was")
        return parse_reviews(read_json(self._accepted(answer, location).body, "Google's answer"))

    def _answer(self, path: str, params: Mapping[str, Any]) -> Response:
        return self._context.client.get(
            f"{self._settings.api.rstrip('/')}/{path}",
            params=params,
            headers={"Authorization": f"Bearer {self._token}"},
            allow_private=self._context.allow_private_addresses,
            also=(*REFUSALS, 429),
        )

    def _accepted(self, answer: Response, location: str) -> Response:
        if answer.status == 429:
            raise self._busy(answer)
        if answer.status in REFUSALS:
            raise refused_access(
                refusal(answer),
                f"Google knows no listing {location}: check `locations`",
                f"the login may not read the reviews of {location}: it must belong to an owner or "
                "manager of the verified listing, and Google must have granted the project access "
                "to the Business Profile API",
            )
        return answer

    def _busy(self, answer: Response) -> SourceError:
        """Too many requests, or a project that may make none."""
        asked = retry_after(answer.headers, datetime.now(UTC))
        wait = timedelta(minutes=10) if asked is None else asked
        self._context.client.pause(self._settings.api, wait)
        return SourceError(
            "Google's quota is used up for now (429): it is asked again later; if it has never "
            "worked, the project has not been granted access and has a quota of 0: apply for it"
            + said(refusal(answer)),
            retry_after=wait,
        )


class _Forgotten(SourceError):  # noqa: N818 (a state, not a fault)
    pass


def parse_reviews(found: Mapping[str, Any]) -> Reviews:
    """The reviews of a page; a listing without any has no list either."""
    listed = found.get("reviews", [])
    if not isinstance(listed, list):
        raise SourceError("Google's answer holds no list of reviews")
    raw = objects(listed)
    times = [iso_time(each.get("updateTime")) for each in raw]
    posts = {post.external_id: post for post in map(_post, raw) if post}
    return Reviews(list(posts.values()), [at for at in times if at], page_token(found))


def _post(review: Mapping[str, Any]) -> Post | None:
    """A review, with words or stars alone; the owner's answer is not the customer's."""
    words, given = original(text(review.get("comment"))), known_id(text(review.get("name")))
    written = iso_time(review.get("createTime")) or iso_time(review.get("updateTime"))
    stars = STARS.get(text(review.get("starRating")))
    if not ((words or stars) and given and written):
        return None
    reviewer = mapping(review.get("reviewer"))
    name = "" if reviewer.get("isAnonymous") is True else text(reviewer.get("displayName"))
    return Post(
        external_id=given,
        text=words,
        posted_at=written,
        author=author_name(name),
        rating=stars,
    )


def original(comment: str) -> str:
    """The customer's own words, without the translation Google puts before or behind them."""
    translated = TRANSLATED.search(comment)
    own = ORIGINAL.search(comment, translated.end()) if translated else None
    if own:
        return tidy(comment[own.end() :])
    return tidy(comment[: translated.start()] if translated else comment) or tidy(comment)

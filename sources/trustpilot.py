"""Reviews of a company on Trustpilot, by its public API."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import quote

from pydantic import Field, SecretStr, model_validator

from sources import base
from sources.base import Context, Cursor, Page, Post, SourceError
from sources.fields import iso_time, mapping, number, objects, read_json, stars, text
from sources.text import author_name, headed, known_id, tidy
from sources.windows import GAP, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sources.http import Response

PER_PAGE = 100
MAX_PAGES = 1000
OVERLAP = timedelta(days=30)  # the list is by date of writing: this is how long edits are seen
REFUSED = (401, 403, 404)
UNIT = re.compile(r"[0-9a-f]{24}")


class TrustpilotSettings(base.Settings):
    """A company on Trustpilot, by its domain or by its id.

    api_key: of an application in the business account.
    domain: as in trustpilot.com/review/DOMAIN.
    business_unit: its id, where it is known.
    api: the address of the API.
    """

    api_key: SecretStr = Field(min_length=1)
    domain: str | None = Field(default=None, pattern=r"^[\w.-]+\.[\w-]+$", max_length=200)
    business_unit: str | None = Field(default=None, pattern=r"^[0-9a-f]{24}$")
    api: str = Field(default="https://api.trustpilot.com", pattern=r"^https?://\S+$")

    @model_validator(mode="after")
    def _one_company(self) -> Self:
        if (self.domain is None) == (self.business_unit is None):
            raise ValueError("give either domain or business_unit")
        return self


class Reviews(NamedTuple):
    """What a page holds, and whether there is another."""

    posts: list[Post]
    more: bool


class Trustpilot:
    """Reads reviews, the latest first, back to the known ones and a month further."""

    Settings = TrustpilotSettings
    RECHECK_EVERY = timedelta(days=30)  # a request a review: often enough for those taken back

    def __init__(self, settings: TrustpilotSettings, context: Context) -> None:
        self._settings = settings
        self._context = context

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """A hundred reviews at a time; a run that is cut short goes on where it was."""
        unit = self._settings.business_unit or self._known_unit(cursor) or self._find()
        place = {"unit": unit, "domain": self._settings.domain}
        if cursor and cursor.get("unit") != unit:
            cursor = None  # another company starts anew
        window = Window.after(cursor, OVERLAP)
        # Reviews that came meanwhile have moved the others on: one page back loses nothing.
        first = max((number(window.next) or 1) - 1, 1)
        for page in range(first, first + MAX_PAGES):
            reviews = self._fetch(unit, page)
            window.saw(post.posted_at for post in reviews.posts)
            last = window.reached or not reviews.more
            cut = not last and page == first + MAX_PAGES - 1
            mark = window.mark("" if last or cut else str(page + 1))
            yield Page(reviews.posts, {**mark, **place}, gaps=[GAP] if cut else [])
            if last or cut or self._context.stopping():
                return

    def recheck(self, ids: Sequence[str]) -> Iterator[tuple[str, Post | None]]:
        """Reviews as they are now; None where one is gone.

        Nothing is told where a review that the list shows cannot be had by itself.
        """
        shown = self._fetch(self._settings.business_unit or self._find(), 1).posts
        if shown and self._answer(_path(shown[0].external_id), {}).status == 404:
            raise SourceError("Trustpilot shows no single reviews: nothing can be looked at again")
        for each in ids:
            if self._context.stopping():
                return
            answer = self._answer(_path(each), {})
            if answer.status == 404:
                yield each, None
                continue
            review = read_json(self._accepted(answer, "").body, "Trustpilot's answer")
            if post := _post(review, datetime.now(UTC)):
                yield each, post

    def _known_unit(self, cursor: Cursor | None) -> str:
        """The id that was found on an earlier run for the same domain."""
        old = cursor or {}
        unit = text(old.get("unit"))
        known = old.get("domain") == self._settings.domain and UNIT.fullmatch(unit)
        return unit if known else ""

    def _find(self) -> str:
        missing = (
            f"Trustpilot knows no company {self._settings.domain}: check `domain` against the "
            "address of its page, trustpilot.com/review/…"
        )
        found = self._get("/v1/business-units/find", {"name": self._settings.domain}, missing)
        unit = text(found.get("id"))
        if not UNIT.fullmatch(unit):
            raise SourceError("Trustpilot's answer holds no company")
        return unit

    def _fetch(self, unit: str, page: int) -> Reviews:
        params = {"perPage": PER_PAGE, "page": page, "orderBy": "createdat.desc"}
        missing = f"Trustpilot knows no company with the id {unit}: check `business_unit`"
        found = self._get(f"/v1/business-units/{unit}/reviews", params, missing)
        return parse_reviews(found, datetime.now(UTC))

    def _get(self, path: str, params: Mapping[str, Any], missing: str) -> dict[str, Any]:
        answer = self._accepted(self._answer(path, params), missing)
        return read_json(answer.body, "Trustpilot's answer")

    def _answer(self, path: str, params: Mapping[str, Any]) -> Response:
        return self._context.client.get(
            self._settings.api.rstrip("/") + path,
            params=params,
            headers={
                "apikey": self._settings.api_key.get_secret_value(),
                "Accept": "application/json",
            },
            allow_private=self._context.allow_private_addresses,
            also=REFUSED,
        )

    def _accepted(self, answer: Response, missing: str) -> Response:
        if answer.status in REFUSED:
            raise SourceError(_refused(answer.status, missing), permanent=True)
        return answer


def parse_reviews(found: Mapping[str, Any], now: datetime) -> Reviews:
    """The reviews of a page; e-mail addresses and order numbers are not looked at."""
    if not isinstance(found.get("reviews"), list):
        raise SourceError("Trustpilot's answer holds no list of reviews")
    raw = objects(found["reviews"])
    posts = {post.external_id: post for post in (_post(each, now) for each in raw) if post}
    linked = any(link.get("rel") == "next-page" for link in objects(found.get("links")))
    return Reviews(list(posts.values()), bool(raw) and (linked or len(raw) >= PER_PAGE))


def _path(review: str) -> str:
    return f"/v1/reviews/{quote(review, safe='')}"


def _post(review: Mapping[str, Any], now: datetime) -> Post | None:
    title, words = headed(tidy(text(review.get("title")), 500), tidy(text(review.get("text"))))
    given = known_id(text(review.get("id")))
    rating = stars(review.get("stars"))
    if not (words or rating) or not given:
        return None
    return Post(
        external_id=given,
        text=words,
        posted_at=iso_time(review.get("createdAt")) or now,
        title=title,
        url=f"https://www.trustpilot.com/reviews/{given}" if given.isalnum() else None,
        author=author_name(text(mapping(review.get("consumer")).get("displayName"))),
        rating=rating,
    )


def _refused(status: int, missing: str) -> str:
    if status == 404:
        return missing
    if status == 401:
        return (
            "Trustpilot does not accept the API key (401): copy `api_key` anew from Integrations > "
            "Developers > APIs in the business account"
        )
    return (
        "Trustpilot forbids the access (403): the API belongs to paid plans; check that the plan "
        "has it, and that the application of `api_key` is enabled"
    )

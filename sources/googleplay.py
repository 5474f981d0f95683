"""Reviews of one's own apps in Google Play, by the Android Publisher API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field, SecretStr, field_validator

from sources import base
from sources.allowances import taker
from sources.base import Context, Cursor, Page, Post, SourceError
from sources.fields import epoch, iso_time, mapping, objects, read_json, stars, text
from sources.google import (
    REFUSALS,
    page_token,
    refusal,
    refused_access,
    service_account,
    token_for_account,
)
from sources.text import author_name, headed, known_id, tidy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCOPE = "https://www.googleapis.com/auth/androidpublisher"
PER_PAGE = 100
MAX_PAGES = 500
ALLOWED = 200  # requests an hour for an app's reviews
SHOWN = timedelta(days=7)  # Google shows reviews written or changed within that


class GooglePlaySettings(base.Settings):
    """An app of one's own.

    package: its name, "de.kanzlei.app".
    service_account: the JSON key of a service account that may answer reviews.
    api: the address of the API.
    """

    package: str = Field(pattern=r"^[A-Za-z]\w*(\.[A-Za-z]\w*)+$", max_length=200)
    service_account: SecretStr
    api: str = Field(default="https://androidpublisher.googleapis.com", pattern=r"^https?://\S+$")

    @field_validator("service_account")
    @classmethod
    def _key(cls, key: SecretStr) -> SecretStr:
        service_account(key.get_secret_value())
        return key


class Reviews(NamedTuple):
    """What a page holds, and the token of the next one."""

    posts: list[Post]
    following: str


class GooglePlay:
    """Reads the last week's reviews on every run: Google shows no others."""

    Settings = GooglePlaySettings

    def __init__(self, settings: GooglePlaySettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._spend = taker(
            context.allowances,
            f"googleplay {settings.package}",
            timedelta(hours=1),
            ALLOWED,
            SourceError(
                f"Google Play allows {ALLOWED} requests an hour for an app's reviews, and they are "
                "used up: a longer `every` helps",
                retry_after=timedelta(hours=1),
            ),
        )

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """A hundred reviews at a time, the latest changed first."""
        started = datetime.now(UTC)
        old = cursor if cursor and cursor.get("package") == self._settings.package else {}
        lost = _gap(iso_time(old.get("read")), started)
        account = service_account(self._settings.service_account.get_secret_value())
        token = token_for_account(account, SCOPE, self._context)
        params: dict[str, Any] = {"maxResults": PER_PAGE}
        for _ in range(MAX_PAGES):
            reviews = self._fetch(params, token)
            done = not reviews.following
            now = {"read": started.isoformat(), "package": self._settings.package}
            gaps = [lost] if lost and done else []
            yield Page(reviews.posts, now if done else dict(old), gaps=gaps)
            if done or self._context.stopping():
                return
            params = {**params, "token": reviews.following}

    def _fetch(self, params: Mapping[str, Any], token: str) -> Reviews:
        package = self._settings.package
        path = f"/androidpublisher/v3/applications/{package}/reviews"
        answer = self._context.client.get(
            self._settings.api.rstrip("/") + path,
            params=params,
            headers={"Authorization": f"Bearer {token}"},
            allow_private=self._context.allow_private_addresses,
            also=REFUSALS,
            spend=self._spend,
        )
        if answer.status in REFUSALS:
            raise refused_access(
                refusal(answer),
                f"Google Play knows no app {package}: check `package`",
                f"the service account may not read the reviews of {package}: invite its e-mail "
                "address in the Play Console under Users and permissions, with the permission to "
                "reply to reviews; a new permission takes up to two days",
            )
        return parse_reviews(read_json(answer.body, "Google Play's answer"))


def _gap(before: datetime | None, now: datetime) -> str:
    """What a pause of more than a week costs."""
    if before is None or now - before <= SHOWN:
        return ""
    return (
        f"the last visit was on {before:%Y-%m-%d}, and Google Play shows one week: reviews between "
        "the two are missing; download them in the Play Console and bring them in by `file`"
    )


def parse_reviews(found: Mapping[str, Any]) -> Reviews:
    """The reviews of a page; an app without any has no list either."""
    listed = found.get("reviews", [])
    if not isinstance(listed, list):
        raise SourceError("Google Play's answer holds no list of reviews")
    posts = {post.external_id: post for post in map(_post, objects(listed)) if post}
    pagination = mapping(found.get("tokenPagination"))
    return Reviews(list(posts.values()), page_token(pagination))


def _post(review: Mapping[str, Any]) -> Post | None:
    """The customer's words; the developer's answers are not theirs."""
    comments = [mapping(each.get("userComment")) for each in objects(review.get("comments"))]
    comment = next(filter(None, comments), {})
    title, _, body = text(comment.get("text")).partition("\t")
    title, words = headed(tidy(title, 500) if body.strip() else "", tidy(body) or tidy(title))
    written = epoch(mapping(comment.get("lastModified")).get("seconds"))
    given = known_id(text(review.get("reviewId")))
    if not (words and written and given):
        return None
    return Post(
        external_id=given,
        text=words,
        posted_at=written,
        title=title,
        author=author_name(text(review.get("authorName"))),
        rating=stars(comment.get("starRating")),
    )

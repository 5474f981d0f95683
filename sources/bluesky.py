"""Bluesky: search for terms with the session of an app password.

The session is kept in memory for the life of the process and never stored: it is worth as much as
the password. A restart costs one login of the 300 that an account has a day.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field, SecretStr

from sources import base, streams
from sources.allowances import of, taker
from sources.base import Context, Cursor, Page, Post, SourceError
from sources.fields import Terms, WebAddress, iso_time, mapping, number, objects, read_json, text
from sources.text import author_name, known_id, tidy, web_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sources.http import Response

LIMIT = 100  # the most that one answer has
URIS = 25  # posts looked at again in one request
OVERLAP = 86_400  # seconds read again: posts are indexed late
REJECTED = (400, 401, 403)
LOGINS = (  # of one account
    ("in five minutes", timedelta(minutes=5), 30),
    ("a day", timedelta(days=1), 300),
)
MEMBERS_ONLY = "!no-unauthenticated"
EXPIRED = ("ExpiredToken", "InvalidToken", "AuthMissing")


class BlueskySettings(base.Settings):
    """What to look for, and as whom.

    handle, app_password: of an account of your own; an app password, not the account's.
    terms: words or phrases; each is searched for on its own.
    post_language: as authors set it, as "de"; default: all.
    backfill_days: how far the first run goes back.
    service: the account's server.
    """

    handle: str = Field(pattern=r"^@?[\w.:-]+$")
    app_password: SecretStr
    terms: Terms = Field(min_length=1)
    post_language: str | None = Field(default=None, pattern="^[a-z]{2}$")
    backfill_days: int = Field(default=365, ge=1, le=10_000)
    service: WebAddress = "https://bsky.social"


class Session(NamedTuple):
    """A login: what is sent with each request, and what renews it."""

    access: str
    refresh: str


class Found(NamedTuple):
    """What an answer holds; oldest: the time of its last post; more: where to go on."""

    posts: list[Post]
    oldest: int | None
    more: str


_sessions: dict[tuple[str, str], Session] = {}


class Bluesky:
    """Reads each term's posts from now down to where the last run began, and a bit further."""

    Settings = BlueskySettings
    RECHECK_EVERY = timedelta(days=1)

    def __init__(self, settings: BlueskySettings, context: Context) -> None:
        self._settings = settings
        self._context = context

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """Pages of each term, newest first."""
        return streams.each(self._settings.terms, cursor, self._read, self._context.stopping)

    def recheck(self, ids: Sequence[str]) -> Iterator[tuple[str, Post | None]]:
        """Posts as they are now; those the service no longer shows are gone."""
        known = [ident for ident in ids if ident.startswith("at://")]
        for start in range(0, len(known), URIS):
            if self._context.stopping():
                return
            some = known[start : start + URIS]
            answer = self._ask("app.bsky.feed.getPosts", {"uris": some})
            there = {post.external_id: post for post in parse_posts(answer.body).posts}
            yield from streams.still_there(some, there)

    def _read(self, term: str, state: Cursor) -> Iterator[Page]:
        """A window is read by the service's cursor, or by time where that ends too early."""
        window = streams.window(state, self._settings.backfill_days, OVERLAP)
        at: int | None = window.at
        while at is not None and not self._context.stopping():
            lowest = at
            for pages, found in enumerate(self._chain(term, window.since, at), start=1):
                lowest = min(lowest, found.oldest if found.oldest is not None else lowest)
                more = bool(found.more) or (pages > 1 and lowest < at)
                following = lowest if more else None
                yield Page(found.posts, window.state(following, state.get("until")))
                if not more or self._context.stopping():
                    return
            at = lowest

    def _chain(self, term: str, since: int, at: int) -> Iterator[Found]:
        """Answers linked by the service's cursor."""
        more = ""
        while True:
            found = parse_posts(self._search(term, since, at, more).body)
            more = found.more if found.posts and found.more != more else ""
            yield found._replace(more=more)
            if not more:
                return

    def _search(self, term: str, since: int, at: int, more: str) -> Response:
        params = {
            "q": f'"{term}"' if " " in term else term,
            "sort": "latest",
            "limit": LIMIT,
            "since": _iso(since),
            "until": _iso(at + 1),
            "lang": self._settings.post_language,
            "cursor": more,
        }
        given = {name: value for name, value in params.items() if value}
        return self._ask("app.bsky.feed.searchPosts", given)

    def _ask(self, method: str, params: dict[str, Any]) -> Response:
        """A query with the session; one that has expired is renewed once."""
        session = _sessions.get(self._account) or self._log_in()
        answer = self._get(method, params, session)
        if answer.status in REJECTED and _error(answer)[0] in EXPIRED:
            answer = self._get(method, params, self._renewed(session))
        if answer.status in REJECTED:
            name, said = _error(answer)
            raise SourceError(
                f"Bluesky refuses to search ({answer.status} {name}): {said}",
                permanent=name in ("InvalidRequest", "AccountTakedown", "AccountDeactivated"),
            )
        return answer

    def _get(self, method: str, params: dict[str, Any], session: Session) -> Response:
        url = f"{self._settings.service}/xrpc/{method}"
        answer = self._context.client.get(
            url,
            params=params,
            headers={"Authorization": f"Bearer {session.access}"},
            allow_private=self._context.allow_private_addresses,
            also=(*REJECTED, 429),
        )
        return self._patient(url, answer)

    def _post(
        self,
        method: str,
        body: Any,
        headers: dict[str, str],
        spend: Callable[[], None] = lambda: None,
    ) -> Response:
        url = f"{self._settings.service}/xrpc/com.atproto.server.{method}"
        answer = self._context.client.post(
            url,
            json=body,
            headers=headers,
            allow_private=self._context.allow_private_addresses,
            also=(*REJECTED, 429),
            spend=spend,
        )
        return self._patient(url, answer)

    def _patient(self, url: str, answer: Response) -> Response:
        """The answer, unless it says that we have asked enough."""
        if answer.status != 429:
            return answer
        wait = _until_reset(answer.headers.get("ratelimit-reset", ""))
        self._context.client.pause(url, wait)
        raise SourceError("Bluesky asks us to come back later (429)", retry_after=wait)

    @property
    def _account(self) -> tuple[str, str]:
        return self._settings.service, self._settings.handle

    def _count_login(self) -> None:
        """Raise once as many were made as Bluesky allows an account."""
        for said, within, limit in LOGINS:
            error = SourceError(
                f"Bluesky allows an account {limit} logins {said}, and they are used up: do not "
                "start the worker or its commands in a loop",
                retry_after=within,
            )
            name = of(f"bluesky logins {said}", " ".join(self._account))
            taker(self._context.allowances, name, within, limit, error)()

    def _log_in(self) -> Session:
        """A new session with the app password."""
        answer = self._post(
            "createSession",
            {
                "identifier": self._settings.handle.removeprefix("@"),
                "password": self._settings.app_password.get_secret_value(),
            },
            {},
            self._count_login,
        )
        if answer.status in REJECTED:
            raise SourceError(
                f"Bluesky does not take handle and app_password ({_error(answer)[0]}): make a new "
                "app password in the account's settings, under privacy and security",
                permanent=True,
            )
        return self._keep(answer)

    def _renewed(self, session: Session) -> Session:
        """The session with fresh tokens; a new one where it can no longer be renewed."""
        _sessions.pop(self._account, None)
        bearer = {"Authorization": f"Bearer {session.refresh}"}
        answer = self._post("refreshSession", None, bearer)
        return self._log_in() if answer.status in REJECTED else self._keep(answer)

    def _keep(self, answer: Response) -> Session:
        given = read_json(answer.body, "Bluesky's login")
        session = Session(text(given.get("accessJwt")), text(given.get("refreshJwt")))
        if not all(re.fullmatch(r"[\x21-\x7e]+", token) for token in session):
            raise SourceError("Bluesky's login gives no session")
        _sessions[self._account] = session
        return session


def parse_posts(body: bytes) -> Found:
    """The posts in an answer; SourceError when it is none."""
    answer = read_json(body, "Bluesky's answer")
    if not isinstance(answer.get("posts"), list):
        raise SourceError("Bluesky's answer has no posts: has the service changed?")
    views = objects(answer["posts"])
    times = [at for at in (_sorted_at(view) for view in views) if at is not None]
    posts = streams.unique([_post(view) for view in views])
    return Found(posts, min(times, default=None), text(answer.get("cursor"))[:500])


def _post(view: dict[str, Any]) -> Post | None:
    """A post; None without id, time or words, and where its author shows it to members only."""
    record, author = mapping(view.get("record")), mapping(view.get("author"))
    uri, did = known_id(text(view.get("uri"))), text(author.get("did"))
    posted_at = iso_time(record.get("createdAt")) or iso_time(view.get("indexedAt"))
    words = tidy(text(record.get("text")))
    hidden = any(label.get("val") == MEMBERS_ONLY for label in objects(author.get("labels")))
    if not (uri and words) or posted_at is None or hidden:
        return None
    address = f"https://bsky.app/profile/{did}/post/{uri.rpartition('/')[2]}"
    return Post(
        external_id=uri,
        text=words,
        posted_at=posted_at,
        url=web_address(address),
        author=author_name(did),
    )


def _sorted_at(view: dict[str, Any]) -> int | None:
    """The time that since and until go by: when it was written, unless that is in the future."""
    stamps = (mapping(view.get("record")).get("createdAt"), view.get("indexedAt"))
    known = [moment for moment in map(iso_time, stamps) if moment]
    return int(max(min(known).timestamp(), 0)) if known else None


def _error(answer: Response) -> tuple[str, str]:
    """The service's name for an error, and its words."""
    try:
        body = read_json(answer.body)
    except SourceError:
        body = {}
    return tidy(text(body.get("error")), 60), tidy(text(body.get("message")), 200)


def _until_reset(stamp: str) -> timedelta:
    """From now to the moment when the allowance is renewed; five minutes where none is named."""
    reset = number(stamp.strip())
    left = (reset - time.time()) if reset is not None else 300
    return timedelta(seconds=min(max(left, 1), 86_400))


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

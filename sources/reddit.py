"""Reddit, through PRAW: new posts and comments of subreddits, and search.

PRAW speaks to Reddit through the shared client (`_Session`), so that timeouts, size limits, the
stop signal and the limits per host hold here too.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

from pydantic import Field, SecretStr, field_validator, model_validator

from sources import base, streams
from sources.base import Context, Cursor, Page, Post, SourceError
from sources.fields import Terms, WebAddress, epoch, number, text, what_it_is
from sources.http import release
from sources.text import author_name, headed, known_id, tidy, web_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import praw
    import requests

    from sources.http import Client

T = TypeVar("T")

BATCH = 100  # items in one answer, and ids asked for at once
SHOWN = 900  # Reddit's listings end after about a thousand items
OVERLAP = 6 * 3600  # seconds read again: posts held back for moderation come late
READ_BY_PRAW = (301, 302, 400, 401, 403, 404, 409, 413, 414, 415, 451)
GONE = re.compile(r"\s*\[ ?(deleted|removed|Removed by Reddit)[^\]]{0,200}\]\s*")


class RedditSettings(base.Settings):
    """What to read, and as which approved app.

    client_id, client_secret: of the app that Reddit approved; username: of the account it belongs
    to, which Reddit wants to see in every request.
    subreddits: whose new posts are read, and their comments if `comments` is set.
    terms: words to search for in posts (Reddit does not search comments), in `search_in`.
    backfill_days: how far the first run goes back, if Reddit still shows that much.
    oauth_url, reddit_url: of the API, and of its logins.
    """

    client_id: str = Field(min_length=1)
    client_secret: SecretStr
    username: str = Field(pattern=r"^(/?u/)?[\w-]{1,30}$")
    subreddits: list[str] = Field(default=[], max_length=50)
    comments: bool = True
    terms: Terms = Field(default=[])
    search_in: str = Field(default="all", pattern=r"^\w+(\+\w+)*$")
    backfill_days: int = Field(default=365, ge=1, le=10_000)
    oauth_url: WebAddress = "https://oauth.reddit.com"
    reddit_url: WebAddress = "https://www.reddit.com"

    @field_validator("subreddits")
    @classmethod
    def _names(cls, names: list[str]) -> list[str]:
        shown = [name.removeprefix("/").removeprefix("r/") for name in names]
        for name in shown:
            if not name.isidentifier() and not name.replace("_", "").isalnum():
                raise ValueError("subreddits are names, such as legaladvice")
        return shown

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.subreddits or self.terms):
            raise ValueError("give subreddits or terms")
        return self


class Item(NamedTuple):
    """A submission or a comment as PRAW gives it: its post, if it is one still, and its time."""

    name: str
    created: int | None
    post: Post | None


class Reddit:
    """Reads each listing from its newest item down to where the last run began."""

    Settings = RedditSettings
    RECHECK_EVERY = timedelta(days=1)

    def __init__(self, settings: RedditSettings, context: Context) -> None:
        self._settings = settings
        self._context = context

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """Pages of each subreddit's posts and comments, and of each search."""
        names = [f"r/{name}" for name in self._settings.subreddits]
        if self._settings.comments:
            names += [f"comments in r/{name}" for name in self._settings.subreddits]
        names += [f"search {term}" for term in self._settings.terms]
        session = _Session(self._context.client, allow_private=self._private)
        reddit = self._guarded(lambda: _reddit(self._settings, session))

        def read(name: str, state: Cursor) -> Iterator[Page]:
            return self._read(name, state, reddit, session)

        return streams.each(names, cursor, read, self._context.stopping)

    def recheck(self, ids: Sequence[str]) -> Iterator[tuple[str, Post | None]]:
        """Posts and comments as they are now; deleted and removed ones are gone."""
        session = _Session(self._context.client, allow_private=self._private)
        reddit = self._guarded(lambda: _reddit(self._settings, session))
        known = [ident for ident in ids if ident.startswith(("t1_", "t3_"))]
        for start in range(0, len(known), BATCH):
            if self._context.stopping():
                return
            some = known[start : start + BATCH]
            found = self._guarded(partial(_info, reddit, some))
            there = {item.name: item.post for item in found}
            yield from streams.still_there(some, there)

    @property
    def _private(self) -> bool:
        return self._context.allow_private_addresses

    def _read(
        self, name: str, state: Cursor, reddit: praw.Reddit, session: _Session
    ) -> Iterator[Page]:
        """The state moves on only at the listing's end: a run that dies before it starts anew."""
        now = int(time.time())
        done = number(state.get("until"))
        since = done - OVERLAP if done is not None else now - self._settings.backfill_days * 86_400
        listing = iter(self._guarded(lambda: _listing(reddit, name, self._settings.search_in)))
        count, more, created = 0, True, now
        while more:
            if self._context.stopping():
                return
            items = self._guarded(lambda: _some(listing))
            count += len(items)
            created = next((i.created for i in reversed(items) if i.created is not None), created)
            more = len(items) == BATCH and created >= since
            lost = not more and done is not None and count >= SHOWN and created > done
            gaps = [_missing(name, done, created)] if lost and done is not None else []
            posts = streams.unique([item.post for item in items])
            yield Page(posts, state if more else {"until": now}, gaps=gaps, quota=session.quota)

    def _guarded(self, ask: Callable[[], T]) -> T:
        """Whatever PRAW raises as a sentence."""
        try:
            return ask()
        except Exception as error:
            raise _sentence(error) from error


class _Session:
    """What PRAW takes for a `requests.Session`."""

    def __init__(self, client: Client, *, allow_private: bool) -> None:
        self.headers: dict[str, str] = {}
        self.quota = ""
        self._client = client
        self._allow_private = allow_private

    def close(self) -> None:
        """Nothing is held open."""

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """The answer, as requests would give it."""
        import requests

        headers = {**self.headers, **(options.get("headers") or {})}
        given: dict[str, Any] = {"allow_private": self._allow_private, "also": READ_BY_PRAW}
        if method.upper() == "GET":
            params = options.get("params") or {}
            answer = self._client.get(url, headers=headers, params=params, **given)
        else:
            user, password = options["auth"]
            headers["Authorization"] = requests.auth._basic_auth_str(user, password)  # noqa: SLF001
            form = {name: str(value) for name, value in options.get("data") or []}
            answer = self._client.post(url, headers=headers, form=form, **given)
        self._note_limits(url, answer.headers)
        if answer.status in range(200, 300) and answer.body.lstrip()[:1] not in (b"{", b"["):
            # PRAW takes an empty answer for the end of a listing
            raise SourceError(f"Reddit's answer is {what_it_is(answer.body)}, not JSON")
        response = requests.Response()
        response.status_code = answer.status
        response._content = answer.body  # noqa: SLF001 (where requests keeps it)
        response.url = answer.url
        # without x-ratelimit-*: PRAW would sleep through the stop signal
        response.headers.update(
            {name: value for name, value in answer.headers.items() if not _is_limit(name)}
        )
        return response

    def _note_limits(self, url: str, headers: dict[str, str]) -> None:
        left, used, reset = (
            number(headers.get(f"x-ratelimit-{name}", "").strip().split(".")[0])
            for name in ("remaining", "used", "reset")
        )
        if left is None or reset is None:
            return
        self.quota = f"{left} of {left + (used or 0)} requests left for the next {reset} s"
        if left < 1:
            self._client.pause(url, timedelta(seconds=min(reset + 1, 3600)))


def parse_item(item: Any) -> Item:
    """A submission or a comment, by what Reddit delivered: nothing more is asked for."""
    values = vars(item)
    kind = "t1" if "body" in values else "t3"
    name = known_id(text(values.get("name")) or f"{kind}_{text(values.get('id'))}")
    posted_at = epoch(values.get("created_utc"))
    title, words = headed(
        tidy(text(values.get("title")), 500),
        tidy(text(values.get("body")) or text(values.get("selftext"))),
    )
    said = text(values.get("body")) or text(values.get("selftext"))
    author = vars(values["author"]).get("name") if values.get("author") else None
    gone = GONE.fullmatch(said) or values.get("removed_by_category") or author is None
    created = int(posted_at.timestamp()) if posted_at else None
    if gone or posted_at is None or not words:
        return Item(name, created, None)
    link = text(values.get("permalink"))
    post = Post(
        external_id=name,
        text=words,
        posted_at=posted_at,
        title=title,
        url=web_address(f"https://www.reddit.com{link}") if link.startswith("/") else None,
        author=author_name(text(author)),
    )
    return Item(name, created, post)


def _reddit(settings: RedditSettings, session: _Session) -> praw.Reddit:
    import praw

    # platform:app:version (by /u/name), as Reddit's Data API Wiki asks for
    agent = f"linux:sentiment-worker:v{release()} (by /u/{settings.username.rpartition('/')[2]})"
    return praw.Reddit(
        client_id=settings.client_id,
        client_secret=settings.client_secret.get_secret_value(),
        user_agent=agent,
        username=None,
        password=None,
        refresh_token=None,
        oauth_url=settings.oauth_url,
        reddit_url=settings.reddit_url,
        check_for_updates=False,
        requestor_kwargs={"session": session},
    )


def _listing(reddit: praw.Reddit, name: str, place: str) -> Any:
    params: dict[str, str | int] = {"limit": BATCH}
    if name.startswith("comments in r/"):
        subreddit = reddit.subreddit(name.removeprefix("comments in r/"))
        return subreddit.comments(limit=None, params=params)
    if name.startswith("search "):
        term = name.removeprefix("search ")
        return reddit.subreddit(place).search(f'"{term}"', sort="new", limit=None, params=params)
    return reddit.subreddit(name.removeprefix("r/")).new(limit=None, params=params)


def _info(reddit: praw.Reddit, names: Sequence[str]) -> list[Item]:
    """Those of the items that Reddit still shows."""
    return [parse_item(item) for item in reddit.info(fullnames=names)]


def _some(listing: Iterator[Any]) -> list[Item]:
    """The next items, as many as Reddit sends at once."""
    items = []
    for item in listing:
        items.append(parse_item(item))
        if len(items) == BATCH:
            break
    return items


def _sentence(error: Exception) -> SourceError:
    """What an error of PRAW, or of the client below it, means for the operator."""
    from prawcore import exceptions as praw_errors

    inner = getattr(error, "original_exception", error)
    if isinstance(inner, SourceError):
        return inner
    lost = isinstance(error, praw_errors.Redirect) and not error.path.startswith("/subreddits/")
    for kind, said in (
        (praw_errors.Redirect, "there is no such subreddit: check its name"),
        (praw_errors.NotFound, "the subreddit is gone or banned (404)"),
        (praw_errors.UnavailableForLegalReasons, "the subreddit is withheld here (451)"),
        (praw_errors.Forbidden, REFUSED),
        (praw_errors.OAuthException, LOGIN),
        (praw_errors.InvalidToken, LOGIN),
    ):
        if isinstance(error, kind) and not lost:  # of no subreddit, Reddit shows a search
            return SourceError(said, permanent=True)
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:  # how a login is refused
        return SourceError(LOGIN, permanent=True)
    if isinstance(error, praw_errors.ResponseException) and status != 200:
        return SourceError(f"Reddit answered with status {status}, which is no help to us")
    return SourceError(f"Reddit's answer cannot be read ({type(error).__name__})")


REFUSED = "Reddit refuses us (403): the subreddit is private, or the app is not approved"
LOGIN = (
    "Reddit does not take `client_id` and `client_secret`: copy both anew from "
    "reddit.com/prefs/apps, and see that the app is approved"
)


def _missing(name: str, since: int, until: int) -> str:
    low, high = (
        datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%d %H:%M") for end in (since, until)
    )
    return (
        f"{name}: more new posts than Reddit still shows; some between {low} and {high} UTC "
        "are missing"
    )


def _is_limit(name: str) -> bool:
    return name.startswith("x-ratelimit-")

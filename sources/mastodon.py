"""Mastodon: hashtags on several servers, and full-text search where a token allows it.

Ids count milliseconds since 1970, followed by 16 bits: a moment can be turned into an id. A post
that reaches a server late gets an id of the time it was written, so each run goes back a while.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import quote, urljoin, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from sources import base, streams
from sources.base import Context, Cursor, Page, Post, SourceError
from sources.fields import (
    Terms,
    WebAddress,
    iso_time,
    mapping,
    number,
    objects,
    read_any_json,
    read_json,
    text,
)
from sources.text import author_name, known_id, plain_text, web_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sources.http import Response

LIMIT = 40  # the most that one answer has
OVERLAP = timedelta(hours=12)
SEARCH_PAGES = 25  # of one search in one run
REJECTED = (401, 403, 404, 410, 422)
PUBLIC = ("public", "unlisted")
NOTE = "application/activity+json"
WHOAMI = "/.well-known/nodeinfo"  # https://nodeinfo.diaspora.software


class MastodonSettings(base.Settings):
    """What to look for, and where.

    servers: addresses, each asked for every hashtag.
    hashtags: without the #; terms: words to search for, which needs a token.
    tokens: server -> access token, for servers that want one and for search.
    backfill_days: how far the first run goes back.
    """

    servers: list[WebAddress] = Field(min_length=1, max_length=20)
    hashtags: list[str] = Field(default=[], max_length=50)
    terms: Terms = Field(default=[])
    tokens: dict[str, SecretStr] = Field(default={})
    backfill_days: int = Field(default=365, ge=1, le=10_000)

    @field_validator("hashtags")
    @classmethod
    def _words(cls, tags: list[str]) -> list[str]:
        for tag in tags:
            if not re.fullmatch(r"#?\w+", tag):
                raise ValueError("hashtags are single words, such as arbeitsrecht")
        return [tag.removeprefix("#") for tag in tags]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not (self.hashtags or self.terms):
            raise ValueError("give hashtags or terms")
        unknown = {server.rstrip("/") for server in self.tokens} - set(self.servers)
        if unknown:
            raise ValueError(f"tokens has {unknown.pop()}, which is not one of servers")
        if self.terms and not self.tokens:
            raise ValueError("searching for terms needs a token: set tokens")
        return self

    def token(self, server: str) -> SecretStr | None:
        """The server's token, if there is one."""
        return {name.rstrip("/"): token for name, token in self.tokens.items()}.get(server)


class Statuses(NamedTuple):
    """What an answer holds; ids: of all its statuses, of those too that are no posts."""

    posts: list[Post]
    ids: list[int]


class Mastodon:
    """Reads each hashtag on each server forward in time, each search backward."""

    Settings = MastodonSettings
    RECHECK_EVERY = timedelta(days=2)

    def __init__(self, settings: MastodonSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._first = int(time.time()) - settings.backfill_days * 86_400

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """Pages of each server's hashtags and searches."""
        names = []
        for server in self._settings.servers:
            names += [f"{server} #{tag}" for tag in self._settings.hashtags]
            if self._settings.token(server):
                names += [f"{server} search {term}" for term in self._settings.terms]
        return streams.each(names, cursor, self._read, self._context.stopping)

    def recheck(self, ids: Sequence[str]) -> Iterator[tuple[str, Post | None]]:
        """Posts as their home servers show them; 410 means deleted, so does 404 of a well server.

        A server that fails is not asked again in this round.
        """
        failed: set[str] = set()
        well: set[str] = set()
        for ident in ids:
            if self._context.stopping():
                return
            home = _home(ident)
            if not home or home in failed:
                continue
            try:
                answer = self._context.client.get(
                    ident,
                    headers={"Accept": NOTE},
                    allow_private=self._is_ours(home),
                    also=(404, 410),
                )
            except SourceError:
                failed.add(home)  # out of reach, or it wants a signature: nothing is known
                continue
            if answer.status == 404 and home not in well:
                (well if self._is_well(ident) else failed).add(home)
            if home in failed:
                continue
            if answer.status in (404, 410):
                yield ident, None
            elif post := parse_note(answer.body, ident):
                yield ident, post

    def _is_well(self, ident: str) -> bool:
        """Whether a post's server still shows what all of the fediverse's show of themselves.

        One that was moved, or stands behind another program for a while, answers 404 to all.
        """
        try:
            said = self._context.client.get(
                urljoin(ident, WHOAMI),
                allow_private=self._is_ours(_home(ident)),
                also=(404, 410),
            )
        except SourceError:
            return False
        return said.status == 200

    def _is_ours(self, home: str) -> bool:
        """Whether a home may be in a private network: one of `servers` may, where that is allowed.

        Addresses of posts are made by whichever server they come from: by them, anybody in the
        fediverse could have us knock at this network's doors.
        """
        servers = {_home(server) for server in self._settings.servers}
        return self._context.allow_private_addresses and home in servers

    def _read(self, name: str, state: Cursor) -> Iterator[Page]:
        server, _, what = name.partition(" ")
        if what.startswith("#"):
            return self._hashtag(server, what[1:], state)
        return self._search(server, what.removeprefix("search "), state)

    def _hashtag(self, server: str, tag: str, state: Cursor) -> Iterator[Page]:
        """min_id goes forward: nothing is skipped, however much was posted."""
        done = number(state.get("id"))
        low = max(done - _ids(OVERLAP.total_seconds()), 0) if done else _ids(self._first)
        more = True
        while more and not self._context.stopping():
            answer = self._ask(
                server,
                f"/api/v1/timelines/tag/{quote(tag)}",
                {"limit": LIMIT, "min_id": low},
            )
            found = parse_statuses(read_any_json(answer.body, f"{server}'s answer"))
            highest = max([*found.ids, _previous(answer.headers), low])
            more, low = bool(found.ids) and highest > low, highest
            done = max(done or 0, min(low, _ids(time.time() + 86_400)))
            yield Page(found.posts, {"id": done}, quota=_quota(answer.headers))

    def _search(self, server: str, term: str, state: Cursor) -> Iterator[Page]:
        """Newest first, down to where the last run began; the state moves only at the end."""
        done = number(state.get("until"))
        since = max(done - int(OVERLAP.total_seconds()) if done else self._first, 0)
        started = int(time.time())
        for turn in range(SEARCH_PAGES):
            if self._context.stopping():
                return
            answer = self._ask(
                server,
                "/api/v2/search",
                {"q": f'"{term}"', "type": "statuses", "limit": LIMIT, "offset": turn * LIMIT},
            )
            found = parse_search(answer.body)
            oldest = min([post.posted_at.timestamp() for post in found.posts], default=0)
            last = not found.ids or (bool(found.posts) and oldest < since)
            gap = not last and turn == SEARCH_PAGES - 1
            last = last or gap
            gaps = [_gap(server, term, oldest)] if gap else []
            state = {"until": started} if last else state
            yield Page(found.posts, state, gaps=gaps, quota=_quota(answer.headers))
            if last:
                return

    def _ask(self, server: str, path: str, params: Mapping[str, Any]) -> Response:
        token = self._settings.token(server)
        answer = self._context.client.get(
            server + path,
            params=params,
            headers={"Authorization": f"Bearer {token.get_secret_value()}"} if token else {},
            allow_private=self._context.allow_private_addresses,
            also=(*REJECTED, 429),
        )
        wait = _wait(answer)
        if wait:
            self._context.client.pause(server, wait)
        if answer.status == 429:
            raise SourceError(
                f"{urlsplit(server).hostname} asks us to come back later (429)",
                retry_after=wait or timedelta(minutes=5),
            )
        if answer.status in REJECTED:
            raise refusal(server, answer.status, with_token=token is not None)
        return answer


def refusal(server: str, status: int, *, with_token: bool) -> SourceError:
    """What a server's refusal means for the operator."""
    host = urlsplit(server).hostname
    if status in (401, 403, 422) and with_token:
        said = (
            f"{host} does not take the token ({status}): make a new one with the scope read and "
            "put it into `tokens`"
        )
    elif status in (401, 403, 422):
        said = f"{host} shows its hashtags to members only ({status}): set a token for it"
    else:
        said = f"{host} knows no such timeline ({status}): is it a Mastodon server?"
    return SourceError(said, permanent=True)


def parse_statuses(value: Any) -> Statuses:
    """The public posts in a list of statuses; SourceError when it is none."""
    if not isinstance(value, list):
        raise SourceError("the answer is no list of posts: is it a Mastodon server?")
    statuses = objects(value)
    ids = [each for each in (number(status.get("id")) for status in statuses) if each]
    return Statuses(streams.unique([_post(status) for status in statuses]), ids)


def parse_search(body: bytes) -> Statuses:
    """The public posts in a search's answer."""
    return parse_statuses(read_json(body, "the search's answer").get("statuses"))


def parse_note(body: bytes, ident: str) -> Post | None:
    """A post as its home server publishes it (ActivityStreams); None when it is something else."""
    try:
        note = read_json(body, "the post")
    except SourceError:
        return None
    posted_at = iso_time(note.get("published"))
    words = _words(text(note.get("summary")), text(note.get("content")))
    if note.get("id") != ident or posted_at is None or not words:
        return None
    url = note.get("url")
    return Post(ident, words, posted_at, url=web_address(text(url)) or web_address(ident))


def _post(status: dict[str, Any]) -> Post | None:
    """A status; None for boosts, for what is not public, and without id, time or words."""
    ident = known_id(text(status.get("uri")))
    posted_at = iso_time(status.get("created_at"))
    words = _words(text(status.get("spoiler_text")), text(status.get("content")))
    public = status.get("visibility", "public") in PUBLIC and not status.get("reblog")
    if not (ident and public and words) or posted_at is None:
        return None
    account = mapping(status.get("account"))
    handle = text(account.get("acct"))
    return Post(
        external_id=ident,
        text=words,
        posted_at=posted_at,
        url=web_address(text(status.get("url"))) or web_address(ident),
        author=author_name(f"@{handle}") if handle else None,
    )


def _words(warning: str, content: str) -> str:
    """The content warning, which is part of what is said, and the text."""
    return "\n\n".join(part for part in (plain_text(warning, 500), plain_text(content)) if part)


def _gap(server: str, term: str, oldest: float) -> str:
    since = datetime.fromtimestamp(oldest, UTC).strftime("%Y-%m-%d %H:%M")
    return f'{server} has more new posts with "{term}" than it shows: those before {since} UTC'


def _home(uri: str) -> str:
    """The host of a post's uri; empty where it is no web address."""
    try:
        return urlsplit(uri).netloc if web_address(uri) else ""
    except ValueError:
        return ""


def _ids(seconds: float) -> int:
    """The lowest id of a moment, or the ids in a stretch of time."""
    return int(seconds * 1000) << 16


def _previous(headers: Mapping[str, str]) -> int:
    """The min_id of the page after this one, by the Link header; 0 where there is none."""
    found = re.search(
        r"[?&]min_id=([0-9]{1,19})[^>]*>\s*;\s*rel=\"?prev\b", headers.get("link", "")
    )
    return number(found[1]) or 0 if found else 0


def _wait(answer: Response) -> timedelta | None:
    """How long to leave the server alone once its allowance is used up."""
    left = number(answer.headers.get("x-ratelimit-remaining", "").strip())
    reset = iso_time(answer.headers.get("x-ratelimit-reset"))
    if (left != 0 and answer.status != 429) or reset is None:
        return None
    return min(max(reset - datetime.now(UTC), timedelta(seconds=1)), timedelta(hours=1))


def _quota(headers: Mapping[str, str]) -> str:
    left = number(headers.get("x-ratelimit-remaining", "").strip())
    most = number(headers.get("x-ratelimit-limit", "").strip())
    return "" if left is None or most is None else f"{left} of {most} requests left for now"

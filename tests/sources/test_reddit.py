"""The laws of the Reddit adapter: PRAW's own code, against a server that speaks Reddit's API."""

from __future__ import annotations

import base64
import math
import re
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from prawcore import sessions
from pydantic import ValidationError

from sources import reddit
from sources.base import Context, Post, SourceError
from sources.conformance import PRIVATE, Conformance, ids_of
from sources.reddit import SHOWN, Reddit
from sources.testing import Answer, Limit, json_answer

NOW = int(time.time())
AUTH = "Basic " + base64.b64encode(b"id:s3cret").decode()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    """PRAW waits for seconds before it tries a login again."""
    monkeypatch.setattr(sessions.time, "sleep", lambda _seconds: None)


def submission(number: int, ago: int, **values) -> dict:
    data = {
        "id": f"s{number}",
        "name": f"t3_s{number}",
        "title": f"Ahornhof {number}",
        "selftext": f"War **gut** & schnell, {number}",
        "author": "eva",
        "created_utc": float(NOW - ago),
        "permalink": f"/r/recht/comments/s{number}/ahornhof/",
        "removed_by_category": None,
        "author_email": PRIVATE,
        **values,
    }
    return {"kind": "t3", "data": data}


def comment(number: int, ago: int, **values) -> dict:
    data = {
        "id": f"c{number}",
        "name": f"t1_c{number}",
        "body": f"Finde ich auch, {number}",
        "author": "max",
        "created_utc": float(NOW - ago),
        "permalink": f"/r/recht/comments/s1/ahornhof/c{number}/",
        "link_id": "t3_s1",
        "replies": "",
        **values,
    }
    return {"kind": "t1", "data": data}


class Site:
    """Tokens for approved apps, listings by `after` that end after a thousand, info by name."""

    def __init__(self, posts=(), comments=(), found=(), *, size: int = 100) -> None:
        self.posts, self.comments, self.size = list(posts), list(comments), size
        self.found = list(found)
        self.left, self.token, self.tokens = 100, "", 0
        self.renewed = time.time() + 321

    def script(self, server) -> None:
        server.script("/api/v1/access_token", self.login)
        server.script("/r/recht/new", self.listing(lambda: self.posts))
        server.script("/r/recht/comments/", self.listing(lambda: self.comments))
        server.script("/r/all/search/", self.listing(lambda: self.found or self.posts))
        server.script("/api/info/", self.info)

    def login(self, asked) -> Answer:
        if asked.headers.get("authorization") != AUTH:
            return json_answer({"message": "Unauthorized", "error": 401}, 401)
        self.tokens += 1
        self.token = f"t0ken{self.tokens}"
        return json_answer(
            {"access_token": self.token, "token_type": "bearer", "expires_in": 86400, "scope": "*"}
        )

    def limits(self) -> dict[str, str]:
        if time.time() > self.renewed:
            self.left, self.renewed = 100, time.time() + 321
        self.left -= 1
        return {
            "x_ratelimit_remaining": f"{max(self.left, 0)}.0",
            "x_ratelimit_used": str(100 - self.left),
            "x_ratelimit_reset": str(math.ceil(self.renewed - time.time())),
        }

    def refused(self, asked) -> Answer | None:
        if asked.headers.get("authorization") != f"bearer {self.token}":
            return json_answer({"message": "Unauthorized", "error": 401}, 401)
        return None

    def listing(self, things):
        def answer(asked) -> Answer:
            if refused := self.refused(asked):
                return refused
            found = sorted(things(), key=lambda thing: -thing["data"]["created_utc"])[:1000]
            names = [thing["data"]["name"] for thing in found]
            start = names.index(asked.params["after"]) + 1 if "after" in asked.params else 0
            shown = found[start : start + self.size]
            more = shown and start + self.size < len(found)
            after = shown[-1]["data"]["name"] if more else None
            data = {"children": shown, "after": after, "before": None, "dist": len(shown)}
            return json_answer({"kind": "Listing", "data": data}, **self.limits())

        return answer

    def info(self, asked) -> Answer:
        if refused := self.refused(asked):
            return refused
        wanted = asked.params["id"].split(",")
        shown = [
            t for t in (*self.posts, *self.comments, *self.found) if t["data"]["name"] in wanted
        ]
        data = {"children": shown, "after": None, "before": None}
        return json_answer({"kind": "Listing", "data": data}, **self.limits())


POSTS = [submission(number, ago=number * 86_400) for number in range(1, 6)]  # beyond the overlap
FOUND = [submission(number, ago=number * 40_000) for number in range(11, 14)]
COMMENTS = [comment(number, ago=number * 86_400) for number in range(1, 3)]


def settings(server, **options) -> dict:
    return {
        "client_id": "id",
        "client_secret": "s3cret",
        "username": "u/firma",
        "subreddits": ["r/recht"],
        "oauth_url": server.url(""),
        "reddit_url": server.url(""),
        **options,
    }


class TestReddit(Conformance):
    adapter = Reddit
    offers = 10
    secrets = ("s3cret", "t0ken1")

    @pytest.fixture(autouse=True)
    def _small_pages(self, monkeypatch):
        monkeypatch.setattr(reddit, "BATCH", 2)

    def settings(self, server):
        return settings(server, terms=["Ahornhof"])

    limits = (Limit(100, 60),)

    def serve(self, server, more=0):
        later = [submission(100 + number, ago=-3600 * number) for number in range(1, more + 1)]
        Site([*POSTS, *later], COMMENTS, FOUND, size=2).script(server)


@pytest.fixture
def adapter(server, context):
    def made(site=None, **options):
        if site:
            site.script(server)
        private = Context(context.client, context.folder, allow_private_addresses=True)
        return Reddit(Reddit.Settings(**settings(server, **options)), private)

    return made


def posts(pages) -> list[Post]:
    return [post for page in pages for post in page.posts]


def test_a_submission_becomes_a_post(adapter):
    """Title and text, the permanent address, time in UTC; known by its full name."""
    (post,) = posts(adapter(Site(POSTS[:1]), comments=False).pages(None))
    assert post == Post(
        external_id="t3_s1",
        text="Ahornhof 1\n\nWar **gut** & schnell, 1",
        posted_at=datetime.fromtimestamp(NOW - 86_400, UTC),
        title="Ahornhof 1",
        url="https://www.reddit.com/r/recht/comments/s1/ahornhof/",
        author="eva",
    )


def test_comments_and_searches_are_read_too(adapter):
    """Posts, comments and search results, each once."""
    names = [
        p.external_id for p in posts(adapter(Site(POSTS, COMMENTS), terms=["A b"]).pages(None))
    ]
    assert sorted(names) == ["t1_c1", "t1_c2", "t3_s1", "t3_s2", "t3_s3", "t3_s4", "t3_s5"]


def test_reddit_is_told_who_we_are(adapter, server):
    """The user agent names program and account, as Reddit wants it."""
    list(adapter(Site(POSTS)).pages(None))
    agents = {asked.headers["user-agent"] for asked in server.requests}
    assert all(re.match(r"linux:sentiment-worker:v\S+ \(by /u/firma\)", agent) for agent in agents)


def test_one_login_a_run(adapter):
    """The token serves all listings of a run, and is not stored."""
    site = Site(POSTS, COMMENTS, size=1)
    (*_, last) = adapter(site).pages(None)
    assert site.tokens == 1
    assert "t0ken" not in str(last.cursor)


@pytest.mark.parametrize("values", [{"selftext": "[removed]"}, {"author": "[deleted]"},
                                    {"removed_by_category": "moderator"}])  # fmt: skip
def test_what_is_deleted_is_not_read(adapter, values):
    """Deleted and removed posts never get in."""
    assert posts(adapter(Site([submission(1, 0, **values)])).pages(None)) == []


def test_a_held_back_post_is_read_later(adapter):
    """What moderators release hours later is found by the overlap."""
    site = Site(POSTS)
    (*_, last) = adapter(site).pages(None)
    site.posts.append(submission(99, ago=5 * 3600))
    assert "t3_s99" in ids_of(adapter(site).pages(last.cursor))


def test_a_gap_is_told(adapter):
    """More new posts than Reddit shows: the sentence says which time is missing, once."""
    crowd = [submission(number, ago=number) for number in range(SHOWN + 200)]
    site = Site(crowd)
    pages = list(
        adapter(site, comments=False).pages({"streams": {"r/recht": {"until": NOW - 864000}}})
    )
    assert len(ids_of(pages)) == 1000
    (told,) = pages[-1].gaps
    assert told.startswith("r/recht: more new posts than Reddit still shows; some between 20")
    (*_, last) = adapter(site, comments=False).pages(pages[-1].cursor)
    assert last.gaps == []


def test_the_first_run_reports_no_gap(adapter):
    """Before the first run nothing was promised."""
    crowd = [submission(number, ago=number) for number in range(SHOWN + 200)]
    (*_, last) = adapter(Site(crowd), comments=False).pages(None)
    assert last.gaps == []


def test_the_rate_limit_is_obeyed_without_sleeping(adapter, server):
    """With nothing left the host is left alone until the reset, and the worker stays free."""
    site = Site(POSTS, COMMENTS)
    site.left = 1
    pages = adapter(site).pages(None)
    assert next(pages).quota == "0 of 100 requests left for the next 321 s"
    (told,) = next(pages).problems
    assert "comments in r/recht: 127.0.0.1" in told
    assert "asked to be left alone for another 5 min" in told


@pytest.mark.parametrize(
    ("path", "answer", "sentence", "permanent"),
    [
        ("/r/recht/new", Answer(status=302, headers={"Location": "/subreddits/search"}),
         "no such subreddit", True),
        ("/r/recht/new", json_answer({"reason": "private", "error": 403}, 403), "private", True),
        ("/r/recht/new", json_answer({"reason": "banned", "error": 404}, 404), "banned", True),
        ("/r/recht/new", Answer(status=451), "withheld", True),
        ("/r/recht/new", json_answer({}, 503), "out of order", False),
        ("/r/recht/new", Answer(status=429, headers={"Retry-After": "99"}), "come back later", False),
        ("/r/recht/new", Answer(b"<html>"), "is a web page", False),
        ("/r/recht/new", Answer(b"null"), "is cut short", False),
        ("/r/recht/new", Answer(b"{"), "cannot be read", False),
        ("/api/v1/access_token", json_answer({"error": "invalid_grant"}), "client_secret", True),
    ],
)  # fmt: skip
def test_errors_are_sentences(adapter, server, path, answer, sentence, permanent):
    """What Reddit refuses, and for how long."""
    reader = adapter(Site(POSTS), comments=False)
    server.script(path, answer)
    with pytest.raises(SourceError, match=sentence) as caught:
        list(reader.pages(None))
    assert caught.value.permanent is permanent


def test_a_wrong_secret_is_told(adapter):
    """Permanent, with the remedy and without the secret."""
    with pytest.raises(
        SourceError, match="does not take `client_id` and `client_secret`"
    ) as caught:
        list(adapter(Site(POSTS), client_secret="wr0ng").pages(None))
    assert caught.value.permanent
    assert "wr0ng" not in str(caught.value)


def test_deleted_and_edited_posts_are_noticed(adapter, server):
    """Deleted, removed and missing ones are gone; the others come as they are now."""
    site = Site(
        [
            submission(1, 9, selftext="Neu"),
            submission(2, 9, author="[deleted]", selftext="[deleted]"),
        ],
        [comment(1, 9, body="[removed]")],
    )
    there = dict(adapter(site).recheck(["t3_s1", "t3_s2", "t1_c1", "t3_missing"]))
    assert there.pop("t3_s1").text == "Ahornhof 1\n\nNeu"
    assert there == {"t3_s2": None, "t1_c1": None, "t3_missing": None}
    assert unquote(server.requests[-1].params["id"]) == "t3_s1,t3_s2,t1_c1,t3_missing"
    assert timedelta(hours=24) >= Reddit.RECHECK_EVERY


def test_settings_say_what_is_missing(server):
    """Something to read is needed, and names have their spelling."""
    with pytest.raises(ValidationError, match="give subreddits or terms"):
        Reddit.Settings(**settings(server, subreddits=[]))
    with pytest.raises(ValidationError, match="subreddits are names"):
        Reddit.Settings(**settings(server, subreddits=["https://reddit.com/r/x"]))

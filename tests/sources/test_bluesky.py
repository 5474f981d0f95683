"""The laws of the Bluesky adapter, against a server that speaks its protocol."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from sources import bluesky
from sources.base import Context, Post, SourceError
from sources.bluesky import Bluesky, parse_posts
from sources.conformance import PRIVATE, Conformance, ids_of
from sources.testing import Answer, Limit, json_answer

NOW = int(time.time())


def iso(ago: int) -> str:
    return datetime.fromtimestamp(NOW - ago, UTC).isoformat().replace("+00:00", ".000Z")


def view(number: int, ago: int, **record) -> dict:
    return {
        "uri": f"at://did:plc:eva/app.bsky.feed.post/{number}",
        "author": {"did": "did:plc:eva", "handle": "eva.example", "email": PRIVATE, "labels": []},
        "record": {"text": f"Ahornhof war gut, Nummer {number}", "createdAt": iso(ago), **record},
        "indexedAt": iso(ago),
    }


class Pds:
    """Logins with their limit, tokens that expire, search newest first with a cursor.

    deep: how many posts a cursor reaches at most; times go further.
    """

    def __init__(self, *views: dict, size: int = 2, deep: int = 1000) -> None:
        self.views, self.size, self.deep = list(views), size, deep
        self.logins, self.valid, self.renewable = 0, "", ""

    def script(self, server) -> None:
        server.script("/xrpc/com.atproto.server.createSession", self.create_session)
        server.script("/xrpc/com.atproto.server.refreshSession", self.refresh_session)
        server.script("/xrpc/app.bsky.feed.searchPosts", self.search)
        server.script("/xrpc/app.bsky.feed.getPosts", self.get_posts)

    def session(self) -> Answer:
        self.logins += 1
        self.valid, self.renewable = f"access{self.logins}", f"refresh{self.logins}"
        return json_answer(
            {"accessJwt": self.valid, "refreshJwt": self.renewable, "email": PRIVATE}
        )

    def create_session(self, asked) -> Answer:
        if json.loads(asked.body) != {"identifier": "eva.example", "password": "s3cret"}:
            return json_answer({"error": "AuthenticationRequired", "message": "Invalid"}, 401)
        return self.session()

    def refresh_session(self, asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {self.renewable}":
            return json_answer({"error": "ExpiredToken", "message": "Token has expired"}, 400)
        return self.session()

    def allowed(self, asked) -> bool:
        return asked.headers.get("authorization") == f"Bearer {self.valid}"

    def search(self, asked) -> Answer:
        if not self.allowed(asked):
            return json_answer({"error": "ExpiredToken", "message": "Token has expired"}, 400)
        found = [
            v for v in self.views if asked.params["since"] <= v["indexedAt"] < asked.params["until"]
        ]
        found.sort(key=lambda v: v["indexedAt"], reverse=True)
        start = int(asked.params.get("cursor", "0"))
        shown = found[start : start + self.size]
        after = start + len(shown)
        more = {"cursor": str(after)} if after < min(len(found), self.deep) else {}
        return json_answer({"posts": shown, "hitsTotal": len(found), **more})

    def get_posts(self, asked) -> Answer:
        if not self.allowed(asked):
            return json_answer({"error": "ExpiredToken", "message": "Token has expired"}, 400)
        return json_answer({"posts": [v for v in self.views if v["uri"] in asked.query.replace(
            "%3A", ":").replace("%2F", "/")]})  # fmt: skip


SOME = [view(number, ago=number * 86_400) for number in range(1, 7)]


@pytest.fixture(autouse=True)
def _no_sessions(monkeypatch):
    monkeypatch.setattr(bluesky, "_sessions", {})


class TestBluesky(Conformance):
    adapter = Bluesky
    offers = 6
    secrets = ("s3cret", "access1", "refresh1")

    def settings(self, server):
        return {
            "handle": "@eva.example",
            "app_password": "s3cret",
            "terms": ["Ahornhof"],
            "service": server.url(),
        }

    limits = (
        Limit(3000, 300),
        Limit(30, 300, lambda asked: asked.path.endswith("createSession")),
        Limit(300, 86_400, lambda asked: asked.path.endswith("createSession")),
    )

    def serve(self, server, more=0):
        later = [view(100 + number, ago=-3600 * number) for number in range(1, more + 1)]
        Pds(*SOME, *later).script(server)


@pytest.fixture
def adapter(server, context):
    def made(pds, **options):
        pds.script(server)
        private = Context(context.client, context.folder, allow_private_addresses=True)
        options = {"app_password": "s3cret", "terms": ["Ahornhof"], **options}
        settings = Bluesky.Settings(handle="eva.example", service=server.url(), **options)
        return Bluesky(settings, private)

    return made


def test_a_view_becomes_a_post():
    """The author is known by the did, which survives a change of name."""
    (post,) = parse_posts(json_answer({"posts": [view(7, ago=0)]}).body).posts
    assert post == Post(
        external_id="at://did:plc:eva/app.bsky.feed.post/7",
        text="Ahornhof war gut, Nummer 7",
        posted_at=datetime.fromtimestamp(NOW, UTC),
        url="https://bsky.app/profile/did:plc:eva/post/7",
        author="did:plc:eva",
    )


def test_who_hides_from_strangers_is_not_read():
    """An author who shows posts to members only is left out."""
    hidden = view(1, ago=0)
    hidden["author"]["labels"] = [{"val": "!no-unauthenticated"}]
    assert parse_posts(json_answer({"posts": [hidden]}).body).posts == []


def test_one_login_serves_many_runs(adapter):
    """The session outlives the run, within the process only: nothing of it is in the cursor."""
    pds = Pds(*SOME)
    for _ in range(3):
        (*_, last) = adapter(pds).pages(None)
    assert pds.logins == 1
    assert "access" not in json.dumps(last.cursor)


def test_an_expired_session_is_renewed(adapter, server):
    """Without the password where that is possible, with it where not."""
    pds = Pds(*SOME)
    list(adapter(pds).pages(None))
    pds.valid = "expired"
    assert len(ids_of(adapter(pds).pages(None))) == 6
    assert [a.path for a in server.requests if "Session" in a.path][-1].endswith("refreshSession")
    pds.valid = pds.renewable = "expired"
    assert len(ids_of(adapter(pds).pages(None))) == 6
    assert [a.path for a in server.requests if "Session" in a.path][-1].endswith("createSession")


def test_what_the_cursor_does_not_reach_is_asked_for_by_time(adapter):
    """A search that ends too early goes on below the oldest post it gave."""
    assert len(ids_of(adapter(Pds(*SOME, deep=4)).pages(None))) == 6


def test_a_late_post_is_read(adapter):
    """The next run overlaps the last one by a day."""
    pds = Pds(*SOME)
    first = list(adapter(pds).pages(None))
    pds.views.append(view(99, ago=80_000))
    assert len(ids_of(adapter(pds).pages(first[-1].cursor)) - ids_of(first)) == 1


def test_a_wrong_password_is_told(adapter):
    """Permanent, with the remedy and without the password."""
    with pytest.raises(SourceError, match="does not take handle and app_password") as caught:
        list(adapter(Pds(), app_password="wr0ng").pages(None))
    assert caught.value.permanent
    assert "wr0ng" not in str(caught.value)


def test_its_rate_limit_is_obeyed(adapter, server):
    """RateLimit-Reset says when to come back."""
    reached = adapter(Pds(*SOME))
    server.script(
        "/xrpc/app.bsky.feed.searchPosts",
        Answer(status=429, headers={"RateLimit-Reset": str(int(time.time()) + 200)}),
    )
    with pytest.raises(SourceError, match="come back later") as caught:
        list(reached.pages(None))
    assert timedelta(seconds=100) < caught.value.retry_after <= timedelta(seconds=200)


def test_deleted_posts_are_noticed(adapter, server):
    """Posts the service leaves out are gone; if it leaves out all of many, that is an error."""
    pds = Pds(view(1, ago=0, text="Neu"))
    ids = [f"at://did:plc:eva/app.bsky.feed.post/{number}" for number in range(1, 13)]
    there = dict(adapter(pds).recheck(ids[:2]))
    assert (there[ids[0]].text, there[ids[1]]) == ("Neu", None)
    with pytest.raises(SourceError, match="nothing was erased"):
        dict(adapter(Pds()).recheck(ids))

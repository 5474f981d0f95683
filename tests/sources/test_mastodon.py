"""The laws of the Mastodon adapter, against servers that speak its API."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from sources.base import Context, Post, SourceError
from sources.conformance import PRIVATE, Conformance, ids_of
from sources.mastodon import Mastodon, parse_statuses
from sources.testing import Answer, Limit, Server, json_answer

NOW = int(time.time())
TAG = "/api/v1/timelines/tag/arbeitsrecht"


def status(number: int, ago: int, **values) -> dict:
    at = datetime.fromtimestamp(NOW - ago, UTC)
    return {
        "id": str((int((NOW - ago) * 1000) << 16) + number),
        "uri": f"https://heim.example/users/eva/statuses/{number}",
        "url": f"https://heim.example/@eva/{number}",
        "created_at": at.isoformat().replace("+00:00", "Z"),
        "visibility": "public",
        "spoiler_text": "",
        "content": f"<p>Ahornhof war gut, Nummer {number}</p>",
        "account": {"acct": "eva@heim.example", "note": PRIVATE},
        "reblog": None,
        **values,
    }


class Instance:
    """Timelines by min_id, oldest page first but newest on top; search for members; limits."""

    def __init__(self, *statuses: dict, size: int = 2, token: str = "", left: int = 300) -> None:
        self.statuses, self.size, self.token, self.left = list(statuses), size, token, left
        self.renewed = time.time() + 300

    def script(self, server) -> None:
        server.script(TAG, self.timeline)
        server.script("/api/v2/search", self.search)

    def limits(self) -> dict[str, str]:
        if time.time() > self.renewed:
            self.left, self.renewed = 300, time.time() + 300
        self.left -= 1
        reset = datetime.fromtimestamp(self.renewed, UTC).isoformat()
        return {
            "X_RateLimit_Limit": "300",
            "X_RateLimit_Remaining": str(max(self.left, 0)),
            "X_RateLimit_Reset": reset,
        }

    def refused(self, asked) -> Answer | None:
        if self.left < 0:
            return json_answer({"error": "Too many requests"}, 429, **self.limits())
        if self.token and asked.headers.get("authorization") != f"Bearer {self.token}":
            return json_answer({"error": "The access token is invalid"}, 401)
        return None

    def timeline(self, asked) -> Answer:
        limits = self.limits()
        if refused := self.refused(asked):
            return refused
        low = int(asked.params["min_id"])
        later = sorted((s for s in self.statuses if int(s["id"]) > low), key=lambda s: int(s["id"]))
        shown = later[: self.size][::-1]
        if shown:
            link = f'<http://x{TAG}?min_id={shown[0]["id"]}>; rel="prev"'
            limits["Link"] = f'<http://x{TAG}?max_id={shown[-1]["id"]}>; rel="next", {link}'
        return json_answer(shown, **limits)

    def search(self, asked) -> Answer:
        limits = self.limits()
        if refused := self.refused(asked):
            return refused
        start = int(asked.params["offset"]) // 40 * self.size
        found = sorted(self.statuses, key=lambda s: -int(s["id"]))
        return json_answer({"statuses": found[start : start + self.size]}, **limits)


SOME = [status(number, ago=number * 86_400) for number in range(1, 6)]


class TestMastodon(Conformance):
    adapter = Mastodon
    offers = 5
    secrets = ("t0ken",)

    def settings(self, server):
        return {
            "servers": [server.url("")],
            "hashtags": ["#arbeitsrecht"],
            "tokens": {server.url(""): "t0ken"},
        }

    limits = (Limit(300, 300),)

    def serve(self, server, more=0):
        later = [status(100 + number, ago=-3600 * number) for number in range(1, more + 1)]
        everything = [*SOME, *later]
        homes = [f"/users/eva/statuses/{number}" for number in range(1, len(everything) + 1)]
        here = [
            {**each, "uri": server.url(home)} for each, home in zip(everything, homes, strict=True)
        ]
        Instance(*here, token="t0ken").script(server)
        for each, home in zip(here, homes, strict=True):
            note = {"id": each["uri"], "published": each["created_at"], "content": each["content"]}
            server.script(home, json_answer(note))


class TestMastodonSearch(TestMastodon):
    def settings(self, server):
        return {**super().settings(server), "hashtags": [], "terms": ["Ahornhof"]}


@pytest.fixture
def adapter(server, context):
    def made(instance=None, **options):
        if instance:
            instance.script(server)
        private = Context(context.client, context.folder, allow_private_addresses=True)
        options = {"hashtags": ["arbeitsrecht"], **options}
        return Mastodon(Mastodon.Settings(servers=[server.url("/")], **options), private)

    return made


def test_a_status_becomes_a_post():
    """Known by its uri, which is the same on every server; the author by handle and home."""
    (post,) = parse_statuses([status(7, ago=0, spoiler_text="Recht")]).posts
    assert post == Post(
        external_id="https://heim.example/users/eva/statuses/7",
        text="Recht\n\nAhornhof war gut, Nummer 7",
        posted_at=datetime.fromtimestamp(NOW, UTC),
        url="https://heim.example/@eva/7",
        author="@eva@heim.example",
    )


@pytest.mark.parametrize("values", [{"visibility": "private"}, {"visibility": "direct"},
                                    {"reblog": {"id": "1"}}, {"content": "<p></p>"}])  # fmt: skip
def test_what_is_not_public_is_not_read(values):
    """Private posts, boosts and empty posts are left out."""
    assert parse_statuses([status(1, ago=0, **values)]).posts == []


def test_nothing_is_skipped_going_forward(adapter, server):
    """However much was posted since, min_id goes through all of it, in requests of 40."""
    assert len(ids_of(adapter(Instance(*SOME)).pages(None))) == 5
    assert {asked.params["limit"] for asked in server.requests} == {"40"}


def test_a_post_that_arrives_late_is_read(adapter):
    """Servers give it an id of the time it was written: the next run goes back that far."""
    instance = Instance(status(1, ago=60))
    first = list(adapter(instance).pages(None))
    instance.statuses.append(status(2, ago=6 * 3600))
    assert len(ids_of(adapter(instance).pages(first[-1].cursor))) == 2


def test_one_server_that_fails_does_not_keep_the_others(adapter, server):
    """What others offer is read; the failure is a problem that names its server."""
    Instance(*SOME).script(server)
    settings = Mastodon.Settings(
        servers=["http://127.0.0.1:1", server.url("")], hashtags=["arbeitsrecht"]
    )
    pages = list(Mastodon(settings, adapter()._context).pages(None))
    assert len(ids_of(pages)) == 5
    assert "127.0.0.1:1 #arbeitsrecht: 127.0.0.1:1 cannot be reached" in pages[-1].problems[0]


def test_a_post_on_two_servers_is_one_post(adapter, server):
    """Its uri is the same everywhere."""
    with type(server)() as other:
        Instance(*SOME).script(server)
        Instance(*SOME).script(other)
        settings = Mastodon.Settings(
            servers=[other.url(""), server.url("")], hashtags=["arbeitsrecht"]
        )
        posts = [
            p for page in Mastodon(settings, adapter()._context).pages(None) for p in page.posts
        ]
    assert len(posts) == 5


def test_an_allowance_that_is_used_up_is_obeyed(adapter, server):
    """With no request left the host is left alone until the limit is renewed."""
    pages = adapter(Instance(*SOME, left=2)).pages(None)
    assert [next(pages).quota, next(pages).quota][-1] == "0 of 300 requests left for now"
    with pytest.raises(SourceError, match="left alone") as caught:
        list(pages)
    assert caught.value.retry_after > timedelta(minutes=4)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("instance", "options", "sentence"),
    [
        (Instance(token="other"), {}, "members only .401.: set a token"),
        (None, {}, "knows no such timeline .404.: is it a Mastodon server"),
    ],
)
def test_refusals_say_what_to_do(adapter, instance, options, sentence):
    """Permanent, with the remedy."""
    with pytest.raises(SourceError, match=sentence) as caught:
        list(adapter(instance, **options).pages(None))
    assert caught.value.permanent


def test_a_bad_token_is_named(adapter, server):
    """A token that is not taken is told, and not repeated."""
    tokens = {server.url("/"): "wr0ng"}
    with pytest.raises(SourceError, match="does not take the token") as caught:
        list(adapter(Instance(token="other"), tokens=tokens).pages(None))
    assert "wr0ng" not in str(caught.value)


def test_search_ends_where_the_last_run_began(adapter, server):
    """Newest first, no further down than needed."""
    instance = Instance(*SOME, token="t")
    options = {"hashtags": [], "terms": ["Ahornhof"], "tokens": {server.url(""): "t"}}
    first = list(adapter(instance, **options).pages(None))
    asked = len(server.requests)
    list(adapter(instance, **options).pages(first[-1].cursor))
    assert len(ids_of(first)) == 5
    assert len(server.requests) - asked == 1


def test_a_deleted_post_is_noticed_at_its_home(adapter, server):
    """410 and 404 mean gone, a note is the post as it is now, anything else says nothing."""
    ids = [server.url(f"/users/eva/statuses/{number}") for number in range(4)]
    note = {
        "id": ids[0],
        "published": "2026-03-01T10:00:00Z",
        "content": "<p>Neu</p>",
        "url": ids[0],
    }
    server.script("/users/eva/statuses/0", json_answer(note))
    server.script("/users/eva/statuses/1", Answer(status=410))
    server.script("/users/eva/statuses/3", Answer(status=401))
    server.script("/.well-known/nodeinfo", json_answer({"links": []}))
    there = dict(adapter().recheck(ids))
    assert [there.get(ident, "untold") and getattr(there.get(ident, 0), "text", "untold")
            for ident in ids] == ["Neu", None, None, "untold"]  # fmt: skip


def test_a_home_that_shows_nothing_at_all_has_deleted_nothing(adapter, server):
    """A server that moved answers 404 to everything; only 410 says that a post was deleted."""
    ids = [server.url(f"/users/eva/statuses/{number}") for number in range(4)]
    server.script("/users/eva/statuses/0", Answer(status=410))
    assert dict(adapter().recheck(ids)) == {ids[0]: None}
    asked = [asked.path for asked in server.requests]
    assert asked[1:] == ["/users/eva/statuses/1", "/.well-known/nodeinfo"]


def test_a_home_that_fails_is_not_asked_again(adapter, server):
    """One dead server with many posts holds nobody up; ids that are no addresses are passed over."""
    ids = [server.url(f"/users/eva/statuses/{number}") for number in range(4)]
    server.script("/users/eva/statuses/0", Answer(status=500))
    assert dict(adapter().recheck(["https://[", "x", *ids])) == {}
    assert {asked.path for asked in server.requests} == {"/users/eva/statuses/0"}


def test_a_posts_address_leads_into_no_private_network(adapter, server):
    """A private server of one's own may be asked; where strangers' posts say they live, not."""
    with Server() as inside:
        asked = inside.url("/users/eva/statuses/1")
        inside.script("/users/eva/statuses/1", Answer(status=404))
        assert dict(adapter().recheck([asked])) == {}
        assert inside.requests == []


def test_settings_fit_together():
    """Terms need a token, tokens belong to servers, hashtags are words."""
    with pytest.raises(ValidationError, match="needs a token"):
        Mastodon.Settings(servers=["https://a.example"], terms=["x"])
    with pytest.raises(ValidationError, match="not one of servers"):
        Mastodon.Settings(servers=["https://a.example"], hashtags=["x"], tokens={"https://b": "t"})
    with pytest.raises(ValidationError, match="single words"):
        Mastodon.Settings(servers=["https://a.example"], hashtags=["zwei Wörter"])


def test_a_search_that_shows_too_little_is_a_gap(adapter, server, monkeypatch):
    """More new posts than the search pages through: it says before when some are missing."""
    monkeypatch.setattr("sources.mastodon.SEARCH_PAGES", 2)
    options = {"hashtags": [], "terms": ["Ahornhof"], "tokens": {server.url(""): "t"}}
    pages = list(adapter(Instance(*SOME, token="t"), **options).pages(None))
    assert [page.gaps for page in pages[:-1]] == [[]]
    assert 'more new posts with "Ahornhof" than it shows: those before 20' in pages[-1].gaps[0]

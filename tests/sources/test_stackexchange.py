"""The laws of the Stack Exchange adapter, against a server that speaks its API."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from pydantic import ValidationError

from sources.base import Context, Post, SourceError
from sources.conformance import PRIVATE, Conformance, ids_of
from sources.stackexchange import StackExchange, parse_questions, refusal
from sources.testing import Answer, Limit, json_answer

NOW = int(time.time())


def question(number: int, ago: int, **values) -> dict:
    return {
        "question_id": number,
        "title": f"K&#252;ndigung {number}",
        "body": f"<p>Was nun, Nummer {number}?</p>",
        "creation_date": NOW - 90 * 86_400,
        "last_activity_date": NOW - ago,
        "link": f"https://law.stackexchange.com/questions/{number}",
        "owner": {"display_name": "J&#246;rg", "email": PRIVATE, "user_id": 4},
        **values,
    }


class Site:
    """Questions by activity, so many a page; counts what is left of the day's requests."""

    def __init__(self, *questions: dict, size: int = 3, left: int = 300, **extra) -> None:
        self.questions, self.size, self.left, self.extra = list(questions), size, left, extra
        self.most = max(left, 300)

    def by_id(self, asked):
        wanted = unquote(asked.path).rpartition("/")[2].split(";")
        return json_answer(
            {"items": [q for q in self.questions if str(q["question_id"]) in wanted]}
        )

    def __call__(self, asked):
        if asked.params.get("key", "good") != "good":
            return json_answer({"error_id": 403, "error_name": "access_denied"}, 400)
        self.left -= 1
        low, page = int(asked.params["min"]), int(asked.params["page"])
        found = [each for each in self.questions if each["last_activity_date"] >= low]
        backwards = asked.params["order"] == "desc"
        found.sort(key=lambda each: each["last_activity_date"], reverse=backwards)
        start = (page - 1) * self.size
        return json_answer(
            {
                "items": found[start : start + self.size],
                "has_more": len(found) > start + self.size,
                "quota_max": self.most,
                "quota_remaining": self.left,
                **self.extra,
            }
        )


SOME = [question(number, ago=number * 86_400) for number in range(1, 8)]


class TestStackExchange(Conformance):
    adapter = StackExchange
    offers = 7
    secrets = ("good",)

    def settings(self, server):
        return {
            "site": "law",
            "tags": ["germany"],
            "key": "good",
            "api_url": server.url(),
        }

    limits = (Limit(30, 1), Limit(10_000, 86_400))

    def serve(self, server, more=0):
        later = [question(100 + number, ago=-3600 * number) for number in range(1, more + 1)]
        site = Site(*SOME, *later, left=10_000)
        server.script("/2.3/search/advanced", site)
        server.script("/2.3/questions/*", site.by_id)


@pytest.fixture
def adapter(server, context):
    def made(site=None, **options):
        if site:
            server.script("/2.3/search/advanced", site)
        private = Context(context.client, context.folder, allow_private_addresses=True)
        options = {"tags": ["germany"], **options}
        settings = StackExchange.Settings(site="law", api_url=server.url(), **options)
        return StackExchange(settings, private)

    return made


def test_a_question_becomes_a_post():
    """Entities decoded, text plain, author and link kept as the licence asks."""
    (post,) = parse_questions(json_answer({"items": [question(7, ago=0)]}).body).posts
    assert post == Post(
        external_id="7",
        text="Kündigung 7\n\nWas nun, Nummer 7?",
        posted_at=datetime.fromtimestamp(NOW - 90 * 86_400, UTC),
        title="Kündigung 7",
        url="https://law.stackexchange.com/questions/7",
        author="Jörg",
    )


def test_an_edited_question_comes_again(adapter):
    """Activity, not creation, is what moves on: an edit brings an old question back."""
    site = Site(*SOME)
    first = list(adapter(site).pages(None))
    site.questions[-1] = question(7, ago=0, body="<p>Doch gut</p>")
    again = list(adapter(site).pages(first[-1].cursor))
    assert "Kündigung 7\n\nDoch gut" in [post.text for page in again for post in page.posts]


def test_questions_of_one_second_are_all_read(adapter):
    """Within a second the pages are counted."""
    crowd = [question(number, ago=500) for number in range(1, 9)]
    assert len(ids_of(adapter(Site(*crowd)).pages(None))) == 8


def test_backoff_is_obeyed(adapter, context):
    """The service's own field closes its host, for every source."""
    (page,) = adapter(Site(SOME[0], backoff=60)).pages(None)
    assert page.next_poll == timedelta(seconds=60)
    with pytest.raises(SourceError, match="left alone for another"):
        list(adapter(Site(SOME[0])).pages(None))


def test_the_quota_is_counted_and_kept(adapter, server):
    """What is left is told; with nothing left nothing more is asked."""
    pages = adapter(Site(*SOME, left=1)).pages(None)
    assert next(pages).quota == "0 of 300 requests left today"
    with pytest.raises(SourceError, match="used up") as caught:
        list(pages)
    assert not caught.value.permanent
    assert len(server.requests) == 1


def test_throttling_names_its_end():
    """Error 502 says for how many seconds; transient."""
    body = json_answer(
        {"error_id": 502, "error_message": "more requests available in 4711 seconds"}
    )
    error = refusal(body.body, 400)
    assert (error.permanent, error.retry_after) == (False, timedelta(seconds=4711))


@pytest.mark.parametrize(
    ("answer", "sentence", "permanent"),
    [
        (
            json_answer({"error_id": 400, "error_message": "site"}, 400),
            "check `site` and `tags`",
            True,
        ),
        (json_answer({"error_id": 403}, 400), "copy `key` anew", True),
        (json_answer({"error_id": 500}, 400), "out of order", False),
        (Answer(b"<html>", status=400), "out of order", False),
    ],
)
def test_errors_say_what_to_do(adapter, answer, sentence, permanent):
    """The service's error numbers become sentences."""
    with pytest.raises(SourceError, match=sentence) as caught:
        list(adapter(lambda _asked: answer).pages(None))
    assert caught.value.permanent is permanent


def test_a_deleted_question_is_noticed(adapter, server):
    """What the site no longer shows is gone; the others come as they are now."""
    server.script("/2.3/questions/1;2", json_answer({"items": [question(2, ago=0)]}))
    there = dict(adapter().recheck(["1", "2"]))
    assert there["1"] is None
    assert there["2"].text == "Kündigung 2\n\nWas nun, Nummer 2?"


def test_settings_say_what_is_missing():
    """Tags or terms are needed, and tags have their spelling."""
    with pytest.raises(ValidationError, match="give tags or terms"):
        StackExchange.Settings(site="law")
    with pytest.raises(ValidationError, match="labor-law"):
        StackExchange.Settings(site="law", tags=["labor law"])


def test_more_questions_of_one_second_than_pages_are_a_gap(adapter, monkeypatch):
    """What the site does not page through is told, and the reading goes on behind it."""
    monkeypatch.setattr("sources.stackexchange.LAST_PAGE", 2)
    crowd = [question(number, ago=500) for number in range(1, 9)]
    pages = list(adapter(Site(*crowd)).pages(None))
    assert "more questions active at 20" in pages[-1].gaps[0]
    assert pages[-1].cursor["streams"]["tag germany"]["active"] > crowd[0]["last_activity_date"]

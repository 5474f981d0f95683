"""The laws of the Hacker News adapter, against a server that speaks Algolia's search."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pytest

from sources.base import Context, Post
from sources.conformance import PRIVATE, Conformance, ids_of
from sources.hackernews import OVERLAP, HackerNews, parse_hits
from sources.testing import Limit, json_answer

NOW = int(time.time())


def hit(number: int, ago: int, **values) -> dict:
    comment = {"comment_text": f"<p>Ahornhof &amp; Co {number}", "story_title": "Ask HN"}
    return {
        "objectID": str(number),
        "created_at_i": NOW - ago,
        "author": f"nutzer{number}",
        "email": PRIVATE,
        **comment,
        **values,
    }


class Algolia:
    """Newest first, so many a page, by numericFilters; never more than the first page."""

    def __init__(self, *hits: dict, size: int = 3) -> None:
        self.hits, self.size = list(hits), size

    def __call__(self, asked):
        low, high = map(int, re.findall(r"created_at_i[<>]=(\d+)", asked.params["numericFilters"]))
        found = [each for each in self.hits if low <= each["created_at_i"] <= high]
        found.sort(key=lambda each: -each["created_at_i"])
        return json_answer(
            {"hits": found[: self.size], "nbHits": len(found), "hitsPerPage": self.size}
        )


SOME = [hit(number, ago=number * 86_400) for number in range(1, 9)]  # beyond the overlap


class TestHackerNews(Conformance):
    adapter = HackerNews
    offers = 8

    def settings(self, server):
        return {"terms": ["Ahornhof"], "api_url": server.url()}

    limits = (Limit(10_000, 3600),)

    def serve(self, server, more=0):
        later = [hit(100 + number, ago=-3600 * number) for number in range(1, more + 1)]
        server.script("/api/v1/search_by_date", Algolia(*SOME, *later))


@pytest.fixture
def read(server, context):
    def run(algolia, cursor=None, **options):
        server.script("/api/v1/search_by_date", algolia)
        private = Context(context.client, context.folder, allow_private_addresses=True)
        settings = HackerNews.Settings(terms=["Ahornhof"], api_url=server.url(), **options)
        return list(HackerNews(settings, private).pages(cursor))

    return run


def test_a_comment_becomes_a_post():
    """Plain text, the comment's own address, time in UTC; the story's title is not its words."""
    (post,) = parse_hits(json_answer({"hits": [hit(7, ago=0)]}).body).posts
    assert post == Post(
        external_id="7",
        text="Ahornhof & Co 7",
        posted_at=datetime.fromtimestamp(NOW, UTC),
        url="https://news.ycombinator.com/item?id=7",
        author="nutzer7",
    )


def test_a_story_has_its_title():
    """Title and text of a story are both read."""
    story = hit(1, 0, title="Show HN: A", story_text="<i>B</i>", comment_text=None)
    (post,) = parse_hits(json_answer({"hits": [story]}).body).posts
    assert (post.title, post.text) == ("Show HN: A", "Show HN: A\n\nB")


def test_more_than_the_search_shows_is_read_in_slices(read, server):
    """What lies before the oldest hit is asked for, until nothing is left."""
    assert len(ids_of(read(Algolia(*SOME, size=3)))) == 8
    assert len(server.requests) > 2


def test_many_hits_in_one_second_do_not_stall_it(read):
    """Where a whole answer lies within a second, the next one starts below it."""
    crowd = [hit(number, ago=50) for number in range(1, 4)]
    assert "9" in ids_of(read(Algolia(*crowd, hit(9, ago=90), size=3)))


def test_a_late_hit_is_found(read):
    """A post that is indexed after others were read is read the next time."""
    algolia = Algolia(*SOME)
    first = read(algolia)
    algolia.hits.append(hit(99, ago=OVERLAP // 2))
    assert "99" in ids_of(read(algolia, first[-1].cursor))


def test_the_first_run_goes_back_as_far_as_told(read):
    """backfill_days is the limit of the first run."""
    assert ids_of(read(Algolia(hit(1, 3600), hit(2, 3 * 86_400)), backfill_days=2)) == {"1"}


def test_a_run_that_dies_goes_on_where_it_was(read, server):
    """After the first slice's cursor, only the rest is asked for."""
    first = read(Algolia(*SOME))
    server.requests.clear()
    rest = read(Algolia(*SOME), first[0].cursor)
    assert ids_of(first[:1]) | ids_of(rest) == ids_of(first)
    assert len(server.requests) == len(first) - 1

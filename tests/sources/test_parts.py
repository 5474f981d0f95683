"""The laws of sources in several parts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sources.base import Page, Post, SourceError, Stopped
from sources.parts import OFTEN, Part, read_parts

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GONE = SourceError("gone for good", permanent=True)


class Place:
    """A part with a post, or an error in its place; counts how often it was asked."""

    def __init__(self, key: str, *ids: str, error: SourceError | None = None, once=False) -> None:
        self.key, self.ids, self.error, self.once, self.asked = key, ids, error, once, 0

    def pages(self, cursor):
        self.asked += 1
        self.given = cursor
        if self.error:
            raise self.error
        yield Page([Post(each, each, NOW) for each in self.ids], {"at": self.key})


def run(*places: Place, cursor=None, stopping=lambda: False):
    parts = [Part(each.key, each.key, each.pages, each.once) for each in places]
    return list(read_parts(parts, cursor, stopping))


def test_each_part_has_a_cursor_of_its_own():
    """It gets back what it gave; one that is no longer configured is forgotten."""
    a, b = Place("a", "1"), Place("b", "2")
    last = run(a, b)[-1].cursor
    assert last == {"parts": {"a": {"at": "a"}, "b": {"at": "b"}}}
    assert run(a, cursor=last)[-1].cursor == {"parts": {"a": {"at": "a"}}}
    assert a.given == {"at": "a"}


def test_a_post_comes_once_a_run():
    """Within a page and between parts."""
    pages = run(Place("a", "1", "1", "2"), Place("b", "2", "3"))
    assert [post.external_id for page in pages for post in page.posts] == ["1", "2", "3"]


def test_a_look_further_back_is_taken_once():
    """Again only where it failed."""
    a, old = Place("a", "1"), Place("old", "0", once=True, error=SourceError("down"))
    first = run(a, old)[-1].cursor
    old.error = None
    second = run(a, old, cursor=first)[-1].cursor
    run(a, old, cursor=second)
    assert old.asked == 2


def test_one_failure_is_a_problem_all_are_an_error():
    """The first one is told with the next page; the error is permanent if each of them is."""
    bad, good = Place("bad", error=GONE), Place("good", "1")
    (page,) = run(bad, good)
    assert page.problems == ["bad: gone for good"]
    assert run(good, bad)[-1].problems == ["bad: gone for good"]
    wait = timedelta(hours=1)
    down = Place("down", error=SourceError("down", retry_after=wait))
    for places, permanent in (((bad,), True), ((bad, down), False)):
        with pytest.raises(SourceError, match="gone for good") as caught:
            run(*places)
        assert caught.value.permanent is permanent
    assert caught.value.retry_after == wait


def test_a_part_that_is_refused_for_good_is_left_in_peace():
    """After some refusals in a row it is asked once a day; each run tells of it all the same."""
    bad, good, cursor = Place("bad", error=GONE), Place("good", "1"), None
    for _ in range(OFTEN + 3):
        pages = run(bad, good, cursor=cursor)
        cursor = pages[-1].cursor
        assert [each for page in pages for each in page.problems] == ["bad: gone for good"]
    assert bad.asked == OFTEN
    cursor["refused"]["bad"]["until"] = "2020-01-01T00:00:00+00:00"
    bad.error = None
    pages = run(bad, good, cursor=cursor)
    assert (bad.asked, pages[-1].cursor.get("refused")) == (OFTEN + 1, None)


def test_what_passes_is_never_left_in_peace():
    """A part that is down is asked on each run."""
    down, good, cursor = Place("down", error=SourceError("down")), Place("good", "1"), None
    for _ in range(OFTEN + 3):
        cursor = run(down, good, cursor=cursor)[-1].cursor
    assert down.asked == OFTEN + 3


def test_a_stop_is_no_failure():
    """It ends the run at once, between parts and within one."""
    a, b = Place("a", error=Stopped()), Place("b", "1")
    with pytest.raises(Stopped):
        run(a, b)
    assert run(b, stopping=lambda: True) == []
    assert b.asked == 0


@pytest.mark.parametrize(
    "cursor", [{"parts": 1}, {"parts": {"a": 1}}, {"refused": {"a": {"times": OFTEN, "until": 7}}}]
)
def test_a_cursor_it_does_not_understand_is_none(cursor):
    """Whatever an older version left."""
    assert len(run(Place("a", "1"), cursor=cursor)) == 1

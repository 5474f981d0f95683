from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest

from sentiment import database
from sentiment.database import rows
from sentiment.erasing import erase_post
from sentiment.privacy import pseudonym
from sentiment.store import MAX_TEXT, store_page
from sources.base import Page
from tests.sentiment.firm import firm, page, post

BERLIN = ZoneInfo("Europe/Berlin")
HIDE = partial(pseudonym, b"key", "forum")
NEWS = (
    "Die Kanzlei Ahornhof hat in München einen neuen Standort eröffnet und berät dort künftig "
    "Unternehmen aus dem Mittelstand in allen Fragen der Nachfolge."
)


def firsts(db):
    """Of which post each one is a copy."""
    return [row["duplicate_of"] for row in rows(db, "SELECT duplicate_of FROM posts ORDER BY id")]


@pytest.fixture
def store(db):
    def stored(*posts, source=1, **cursor):
        return store_page(db, source, page(*posts, **cursor), HIDE, BERLIN)

    return stored


def test_a_post_seen_twice_is_stored_once(db, store):
    """A post seen twice is stored once."""
    assert store(post("1", "Guten Tag")).new == 1
    again = store(post("1", "Guten Tag"))
    assert (again.new, again.changed) == (0, 0)
    assert database.count(db, "SELECT count(*) FROM posts") == 1


def test_no_part_of_a_post_is_too_large_to_be_read(db, store):
    """Of a megabyte of title and text the beginning is kept, of such a link nothing."""
    store(post("1", "W" * 1_000_000, title="T" * 1_000_000, url="https://x.example/" + "y" * 9000))
    (row,) = rows(db, "SELECT length(title) AS title, length(text) AS text, url FROM posts")
    assert row == {"title": 1000, "text": MAX_TEXT, "url": None}


def test_the_same_id_at_two_sources_is_two_posts(db, store):
    """External ids are unique within a source only."""
    store(post("1", "Guten Tag"))
    store(post("1", "Guten Tag"), source=2)
    assert database.count(db, "SELECT count(*) FROM posts") == 2


def test_posts_and_cursor_stand_together_or_not_at_all(db, store):
    """When a page cannot be stored, its cursor is not stored either."""
    broken = post("2", "x", at="2026-03-02T10:00")
    object.__setattr__(broken, "posted_at", "no time at all")
    store(post("0", "vorher"), page=1)
    with pytest.raises(AttributeError):
        store(post("1", "Guten Tag"), broken, page=2)
    assert rows(db, "SELECT external_id FROM posts") == [{"external_id": "0"}]
    assert rows(db, "SELECT cursor FROM sources WHERE id = 1") == [{"cursor": '{"page": 1}'}]


def test_a_changed_post_is_matched_again(db, store):
    """A changed post gets the new text and waits for matching; its time stays."""
    store(post("1", "Alles gut"))
    db.execute("UPDATE posts SET matched_by = 'somebody'")
    assert store(post("1", "Alles schlecht", at="2026-03-05T10:00")).changed == 1
    (row,) = rows(db, "SELECT text, matched_by, posted_at FROM posts")
    assert row == {
        "text": "Alles schlecht",
        "matched_by": None,
        "posted_at": "2026-03-02T10:00:00+00:00",
    }


def test_an_erased_post_never_comes_back(db, store):
    """A source that still shows an erased post does not bring it back."""
    store(post("1", "Alles gut"))
    db.execute("UPDATE posts SET text = '', content_hash = '', erased_at = '2026-04-01'")
    store(post("1", "Alles gut"))
    assert rows(db, "SELECT text FROM posts") == [{"text": ""}]


def test_an_author_is_stored_as_a_pseudonym_only(db, store):
    """No column holds the author's name; the same author has the same pseudonym."""
    store(post("1", "eins", author="Erika Muster"), post("2", "zwei", author="Erika Muster"))
    first, second = rows(db, "SELECT * FROM posts")
    assert "Erika" not in str(first) + str(second)
    assert first["author"] == second["author"]
    assert len(first["author"]) == 16


def test_the_day_is_the_one_on_the_wall_in_the_configured_zone(db, store):
    """22:30 UTC in March is the next day in Berlin only from the change of clocks on."""
    store(
        post("winter", "a", at="2026-03-20T22:30"),
        post("late", "b", at="2026-03-20T23:30"),
        post("summer", "c", at="2026-03-30T22:30"),
    )
    assert [row["day"] for row in rows(db, "SELECT day FROM posts ORDER BY posted_at")] == [
        "2026-03-20",
        "2026-03-21",
        "2026-03-31",
    ]


@pytest.mark.parametrize("lie", [datetime(1970, 1, 1, tzinfo=UTC), None])
def test_a_date_that_cannot_be_true_becomes_the_time_of_collection(db, store, lie):
    """Posts from before the web or from the future were posted now."""
    now = datetime.now(UTC)
    moment = lie or now + timedelta(days=400)
    store(post("1", "a", at=moment.replace(tzinfo=None).isoformat()))
    (row,) = rows(db, "SELECT posted_at FROM posts")
    assert abs(datetime.fromisoformat(row["posted_at"]) - now) < timedelta(minutes=1)


def test_hostile_text_is_stored_harmlessly(db, store):
    """NULs and lone surrogates go, a megabyte is cut, markup stays the text it is."""
    store(post("1", "a\0b \ud800 <script>"), post("2", "x" * 1_000_000))
    texts = [row["text"] for row in rows(db, "SELECT text FROM posts ORDER BY external_id")]
    assert texts == ["ab ? <script>", "x" * MAX_TEXT]


def test_a_rating_outside_one_to_five_is_no_rating(db, store):
    """Stars are 1 to 5; anything else is dropped, never stretched."""
    store(post("1", "a", rating=4.5), post("2", "b", rating=11))
    assert [row["rating"] for row in rows(db, "SELECT rating FROM posts")] == [4.5, None]


def test_a_copy_points_at_the_earliest_post_whatever_the_order_of_arrival(tmp_path):
    """Near-identical texts are linked to the first copy, in any order of arrival."""
    posts = [
        post("a", NEWS, at="2026-03-02T08:00"),
        post("b", f"RT @presse: {NEWS}", at="2026-03-02T09:00"),
        post("c", NEWS.replace("künftig", "nun"), at="2026-03-03T09:00"),
        post("d", "Ein ganz anderer Text über Steuern, der mit all dem nichts zu tun hat."),
    ]
    for number, order in enumerate(permutations(posts)):
        config = firm(tmp_path, database={"path": f"{number}.db"})
        with database.open_database(config) as db:
            for one in order:
                store_page(db, 1, page(one), HIDE, BERLIN)
            linked = rows(
                db,
                "SELECT p.external_id AS copy, f.external_id AS first FROM posts p "
                "JOIN posts f ON f.id = p.duplicate_of ORDER BY 1",
            )
        assert linked == [{"copy": "b", "first": "a"}, {"copy": "c", "first": "a"}]


def test_a_copy_that_is_rewritten_counts_again(db, store):
    """An edit can make a copy a text of its own, and the first copy another's."""
    store(post("a", NEWS), post("b", NEWS, at="2026-03-02T11:00"), post("c", NEWS, at="2026-03-03"))
    rewritten = "Ich war dort und kann nur sagen, dass mir niemand zugehört hat, leider."
    store(post("a", rewritten))
    copies = rows(db, "SELECT external_id, duplicate_of FROM posts ORDER BY 1")
    assert [row["duplicate_of"] for row in copies] == [None, None, 2]


def test_an_edit_leaves_erased_copies_what_they_were(db, store):
    """Their texts cannot be compared any more: they stay copies of what they were copies of."""
    store(post("a", NEWS), post("b", NEWS, at="2026-03-02T11:00"), post("c", NEWS, at="2026-03-20"))
    for number in (1, 2):
        erase_post(db, number)
    store(post("c", NEWS + " Das ist neu.", at="2026-03-20"))
    assert firsts(db) == [None, 1, 1]
    store(post("c", "Ich nehme alles zurück, was ich hier einmal geschrieben habe, und schweige."))
    assert firsts(db) == [None, 1, None]


def test_an_erased_copy_follows_the_copies_that_are_left(db, store):
    """Where the first copy becomes another text, those that are left have a first one of theirs."""
    store(post("a", NEWS), post("b", NEWS, at="2026-03-03"), post("c", NEWS, at="2026-03-04"))
    erase_post(db, 3)
    store(post("a", "Ich nehme alles zurück, was ich hier einmal geschrieben habe, und schweige."))
    assert firsts(db) == [None, None, 2]


def test_a_stock_phrase_is_no_copy(db, store):
    """Two people may both say thank you."""
    store(post("a", "Super Service, vielen Dank!"), post("b", "Super Service, vielen Dank!"))
    assert database.count(db, "SELECT count(*) FROM posts WHERE duplicate_of IS NOT NULL") == 0


def test_a_gap_stays_recorded(config, db):
    """What could no longer be had is visible for a month, however well later readings go."""
    source = rows(db, "SELECT id FROM sources WHERE name = 'forum'")[0]["id"]
    store_page(db, source, Page([], {}, gaps=["more was posted than it shows"]), HIDE, config.zone)
    store_page(db, source, Page([], {}), HIDE, config.zone)
    (seen,) = rows(db, "SELECT gaps, last_gap FROM source_health WHERE source = 'forum'")
    assert seen == {"gaps": 1, "last_gap": "more was posted than it shows"}
    db.execute("UPDATE gaps SET found_at = '2026-01-01T00:00:00+00:00'")
    (old,) = rows(db, "SELECT gaps, last_gap FROM source_health WHERE source = 'forum'")
    assert old == {"gaps": 0, "last_gap": None}

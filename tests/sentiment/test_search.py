"""Full-text search over posts: complete whatever happens to posts, and as forgetful as they are."""

import pytest

from sentiment import database
from sentiment.database import STEPS, connect, get_state, migrations, rows
from sentiment.erasing import erase_post, scrub
from sentiment.purge import purge
from sentiment.store import store_page
from tests.sentiment.firm import firm, page, post
from tests.sentiment.test_views import post as bare_post


def found(db, words):
    sql = "SELECT external_id FROM posts WHERE id IN (SELECT rowid FROM posts_fts WHERE posts_fts MATCH ?)"
    return sorted(row["external_id"] for row in rows(db, sql, words))


def store(db, config, *posts):
    return store_page(db, 1, page(*posts), lambda name: name, config.zone)


def intact(db):
    """FTS5 compares every token with the posts; raises "malformed" when one differs."""
    db.execute("INSERT INTO posts_fts (posts_fts, rank) VALUES ('integrity-check', 1)")


@pytest.fixture
def three(db, config):
    store(
        db,
        config,
        post("a", "Kündigung in der Probezeit", title="Frage zum Arbeitsrecht"),
        post("b", "Die Steuererklärung kostete 300 Euro"),
        post("c", "The payslip was wrong again"),
    )
    return db


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("kundigung", ["a"]),
        ("KÜNDIGUNG", ["a"]),
        ("arbeitsrecht", ["a"]),
        ("steuer*", ["b"]),
        ("payslip OR probezeit", ["a", "c"]),
        ("Erbrecht", []),
    ],
)
def test_posts_are_found_by_their_words(three, words, ids):
    """Titles too; case and dots over letters do not matter."""
    assert found(three, words) == ids


def test_a_changed_post_is_found_by_its_new_words_only(three, config):
    """The search follows the post."""
    store(three, config, post("b", "Der Jahresabschluss war günstig"))
    assert found(three, "steuererklärung") == []
    assert found(three, "jahresabschluss") == ["b"]
    intact(three)


def test_a_deleted_post_is_not_found(three):
    """Whoever deletes it, and however."""
    three.execute("DELETE FROM posts WHERE external_id = 'c'")
    assert found(three, "payslip") == []
    intact(three)


def test_an_erased_post_is_not_found(three):
    """Its id stays, its words do not."""
    erase_post(three, 1)
    assert found(three, "probezeit") == []
    assert found(three, "euro") == ["b"]
    intact(three)


def traces(config, word):
    """How often the bytes of a word stand in the database's files."""
    files = config.database_path.parent.glob("sentiment.db*")
    return sum(file.read_bytes().lower().count(word.encode()) for file in files)


@pytest.mark.parametrize("way", ["erase", "delete", "change"])
def test_nothing_of_a_forgotten_word_is_left_in_the_files(db, config, way):
    """Not in the rows, not in the index's old segments, not in free pages, not in the log."""
    for start in range(0, 900, 100):  # many segments, and the word in one of the oldest
        store(db, config, *(post(f"{n}", f"alltag{n} " * 20) for n in range(start, start + 100)))
        if start == 100:
            store(db, config, post("x", "Der Geheimnistraeger war unzufrieden " * 5))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert traces(config, "geheimnistraeger") >= 2  # in the post and in the index
    (row,) = rows(db, "SELECT id FROM posts WHERE external_id = 'x'")
    if way == "erase":
        erase_post(db, row["id"])
    elif way == "delete":
        db.execute("DELETE FROM posts WHERE id = ?", [row["id"]])
    else:
        store(db, config, post("x", "Nichts mehr"))
    scrub(db)
    assert traces(config, "geheimnistraeger") == 0
    assert found(db, "alltag150") == ["150"]
    assert get_state(db, "unscrubbed") is None
    intact(db)


def test_scrubbing_without_need_writes_nothing(three):
    """The index is merged only after something was taken out of it."""
    before = three.execute("SELECT total_changes()").fetchone()
    scrub(three)
    assert three.execute("SELECT total_changes()").fetchone() == before


def test_what_is_erased_while_scrubbing_is_scrubbed_the_next_time(three, monkeypatch):
    """Another connection may erase between two merges."""
    from sentiment import erasing

    erase_post(three, 1)
    real = erasing._merge

    def meanwhile(db, pages):
        erase_post(db, 2)
        return real(db, pages)

    monkeypatch.setattr(erasing, "_merge", meanwhile)
    scrub(three)
    assert get_state(three, "unscrubbed") == "1"


def test_purging_scrubs(db, config):
    """Texts that are too old leave the files on the same day."""
    bare_post(db, 1, day="2020-01-01")
    db.execute("UPDATE posts SET text = 'Uraltgeschichte', matched_by = 'x'")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert traces(config, "uraltgeschichte") >= 1
    purge(config, db)
    assert traces(config, "uraltgeschichte") == 0


def test_posts_of_an_older_database_are_found(tmp_path):
    """A file from before there was a search is brought up, its posts included."""
    config = firm(tmp_path)
    with connect(config.database_path) as db:
        STEPS[0](db)
        migrations.ensure_migrations_table(db)
        db["_sqlite_migrations"].insert(
            {"migration_set": "sentiment", "name": STEPS[0].__name__, "applied_at": "2026-01-01"}
        )
        db.execute(
            "INSERT INTO sources (id, name, kind, every_seconds, active) VALUES (9, 's', 'rss', 1, 0)"
        )
        bare_post(db, 7, source=9)
        assert "posts_fts" not in db.table_names()
    with database.open_database(config) as db:
        assert found(db, "text") == ["x7"]
        intact(db)
        db.execute("DELETE FROM posts")
        assert found(db, "text") == []

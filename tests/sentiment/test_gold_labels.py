"""Labels that people corrected: they stand beside the mention, and go with its text."""

import sqlite3
from zoneinfo import ZoneInfo

import pytest

from sentiment import database
from sentiment.database import count, rows
from sentiment.erasing import erase_post
from sentiment.match import match
from sentiment.store import store_page
from tests.sentiment.firm import page, post

GOOD = "Kanzlei Ahornhof: die Steuerberatung ist gut."


def collected(db, text):
    store_page(db, 1, page(post("1", text)), str, ZoneInfo("Europe/Berlin"))


@pytest.fixture
def mention(config, db):
    """A matched mention's id."""
    collected(db, GOOD)
    match(config, db)
    return count(db, "SELECT id FROM mentions WHERE service_id IS NOT NULL")


def label(db, mention, polarity="negative", by="ada", emotions="[]"):
    db.execute(
        "INSERT INTO gold_labels (mention_id, polarity, emotions, labelled_at, labelled_by) "
        "VALUES (?, ?, ?, '2026-03-01T09:30:00+00:00', ?)",
        [mention, polarity, emotions, by],
    )


def labels(db):
    return count(db, "SELECT count(*) FROM gold_labels")


def test_a_person_labels_a_mention_once(db, mention):
    """Two people may differ about a mention; one has one opinion of it, and only of known kinds."""
    label(db, mention)
    label(db, mention, None, by="grace", emotions='["joy"]')
    with pytest.raises(sqlite3.IntegrityError):
        label(db, mention, "positive")
    with pytest.raises(sqlite3.IntegrityError):
        label(db, mention, "glad", by="eve")
    assert labels(db) == 2


def test_a_label_goes_with_the_text(config, db, mention):
    """Erased or rewritten, the text is no longer what was labelled; read again, it is."""
    label(db, mention)
    db.execute("UPDATE posts SET matched_by = NULL")
    match(config, db)
    assert labels(db) == 1
    collected(db, GOOD + " Nachtrag: doch nicht.")
    assert labels(db) == 0
    label(db, mention)
    erase_post(db, 1)
    assert labels(db) == 0


def test_a_label_goes_with_the_mention(db, mention):
    """What is deleted by hand leaves no label behind."""
    label(db, mention)
    db.execute("DELETE FROM mentions WHERE id = ?", [mention])
    assert labels(db) == 0


def test_a_file_from_before_gets_the_table(tmp_path):
    """A database of the first version keeps what it holds and can take labels."""
    with database.connect(tmp_path / "old.db") as db:
        database.migrations.apply(db, stop_before="m002_gold_labels")
        db.execute("INSERT INTO companies (name, own, active) VALUES ('Alt', 1, 1)")
        assert "gold_labels" not in db.table_names()
        database.migrate(db)
        assert rows(db, "SELECT name FROM companies") == [{"name": "Alt"}]
        assert labels(db) == 0

"""Opening, agreeing with config.toml, transactions."""

import sqlite3
import threading

import pytest
from sqlite_utils.migrations import Migrations

from sentiment import database
from sentiment.database import DatabaseError, rows, transaction
from tests.sentiment.firm import FIRM, firm


def test_many_may_open_a_new_database_at_once(config):
    """Programs that start together on a fresh folder all find a whole database."""
    errors = []

    def open_it():
        try:
            with database.open_database(config) as db:
                assert database.count(db, "SELECT count(*) FROM services") == 2
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_tables_are_strict_and_the_journal_is_wal(db):
    """Types are enforced, readers do not wait for the writer."""
    assert rows(db, "PRAGMA journal_mode") == [{"journal_mode": "wal"}]
    loose = rows(
        db,
        "SELECT name FROM pragma_table_list WHERE type = 'table' AND NOT strict "
        "AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_sqlite%'",
    )
    assert loose == []


def test_a_transaction_is_all_or_nothing(db):
    """What fails in the middle leaves nothing behind."""
    twice = ["INSERT INTO companies (name, own, active) VALUES ('Neu', 0, 1)"] * 2
    with pytest.raises(sqlite3.IntegrityError), transaction(db):  # noqa: PT012
        for statement in twice:
            db.execute(statement)
    assert rows(db, "SELECT name FROM companies WHERE name = 'Neu'") == []


def test_opening_again_writes_nothing(config, db):
    """An unchanged configuration costs no write."""
    before = db.execute("PRAGMA data_version").fetchone()
    with database.open_database(config):
        pass
    assert db.execute("PRAGMA data_version").fetchone() == before


def test_what_is_no_longer_configured_becomes_inactive(tmp_path, db):
    """Nothing is deleted when the configuration loses a service, a source or a competitor."""
    smaller = {key: FIRM[key][:1] for key in ("services", "sources")}
    with database.open_database(firm(tmp_path, competitors=[], **smaller)):
        pass
    for table, active in (("companies", [1, 0]), ("services", [1, 0]), ("sources", [1, 0])):
        found = rows(db, f"SELECT active FROM {table} ORDER BY id")
        assert [row["active"] for row in found] == active


def test_a_source_whose_settings_changed_is_read_from_the_start(tmp_path, db):
    """Another address: the cursor is reset and a permanent error forgotten; others keep theirs."""
    db.execute("UPDATE sources SET cursor = '{}', disabled = 1")
    moved = [{**FIRM["sources"][0], "url": "https://new.example/feed"}, FIRM["sources"][1]]
    with database.open_database(firm(tmp_path, sources=moved)):
        pass
    found = rows(db, "SELECT cursor, disabled FROM sources ORDER BY id")
    assert found == [{"cursor": None, "disabled": 0}, {"cursor": "{}", "disabled": 1}]


def test_another_time_zone_moves_the_days(tmp_path, config, db):
    """A post of 23:30 in Berlin is a post of the same day in UTC, of the next one in Auckland."""
    db.execute(
        "INSERT INTO posts (source_id, external_id, title, text, posted_at, day, collected_at, "
        "content_hash) VALUES (1, 'x', '', 'x', '2026-03-02T22:30:00+00:00', '2026-03-02', '', '')"
    )
    with database.open_database(firm(tmp_path, timezone="Pacific/Auckland")):
        pass
    assert rows(db, "SELECT day FROM posts") == [{"day": "2026-03-03"}]


@pytest.mark.parametrize("table", ["companies", "services", "sources"])
def test_deleted_names_come_back(config, db, table):
    """What config.toml names is in the database whenever it is opened."""
    before = rows(db, f"SELECT name FROM {table} ORDER BY name")
    db.execute(f"DELETE FROM {table}")
    with database.open_database(config):
        pass
    assert rows(db, f"SELECT name FROM {table} ORDER BY name") == before


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path):
    """Somebody else's file is not touched."""
    (tmp_path / "sentiment.db").write_text("This is a letter, and quite a long one at that." * 20)
    with (
        pytest.raises(DatabaseError, match=r"sentiment\.db"),
        database.open_database(firm(tmp_path)),
    ):
        pass


def test_a_file_of_the_first_version_is_brought_up(config):
    """Tables that came later are made, and what was there stays."""
    with database.connect(config.database_path) as old:
        first = Migrations("sentiment")
        first()(database.m001_tables)
        first.apply(old)
        old.execute("INSERT INTO companies (name, own, active) VALUES ('Alt', 0, 1)")
    with database.open_database(config) as db:
        assert rows(db, "SELECT name FROM companies WHERE name = 'Alt'") == [{"name": "Alt"}]
        assert rows(db, "SELECT * FROM allowances") == []

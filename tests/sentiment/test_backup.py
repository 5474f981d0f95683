"""The laws of a backup: whole, sound, its owner's alone, and never over another file."""

import os
import re
import sqlite3
import stat
import threading

import pytest

from sentiment import backup as backups
from sentiment.backup import backup
from sentiment.database import DatabaseError, open_database, open_existing, rows
from sentiment.pipeline import process
from sentiment.privacy import pseudonym_key
from sentiment.status import status
from sentiment.store import store_page
from tests.sentiment.firm import WordClassifier, firm, page, post

POSTS = [
    post(str(number), f"Kanzlei Ahornhof: Arbeitsrecht gut, sagt Nummer {number}.", author="Eva")
    for number in range(40)
]


@pytest.fixture
def worked(config, db):
    """Forty posts, matched, scored and rolled up."""
    store_page(db, 1, page(*POSTS), str, config.zone)
    process(config, db, WordClassifier)
    return db


def everything(db):
    """Every row of every table."""
    names = [
        row["name"]
        for row in rows(db, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    ]
    return {name: rows(db, f'SELECT * FROM "{name}"') for name in names}


def test_a_backup_holds_every_row_of_every_table(config, worked, tmp_path):
    """What was backed up opens as a database and shows the same rows, through the views too."""
    made = backup(config, tmp_path / "copy.db")
    assert made.posts == 40
    with open_existing(tmp_path / "copy.db", read_only=True) as copy:
        assert everything(copy) == everything(worked)
        shown = "SELECT * FROM scored_mentions ORDER BY mention_id"
        assert rows(copy, shown) == rows(worked, shown)


def test_a_backup_put_back_is_what_the_worker_goes_on_with(config, worked, tmp_path):
    """Restored as docs/operating.md says, the worker sees the same and has nothing to do again."""
    before = status(config, worked)
    backup(config, tmp_path / "copy.db")
    (tmp_path / "elsewhere").mkdir()
    restored = firm(tmp_path / "elsewhere")
    (tmp_path / "copy.db").rename(restored.database_path)
    with open_database(restored) as db:
        assert status(restored, db) == {**before, "database": str(restored.database_path)}
        done = process(restored, db, WordClassifier)
        assert (done.matched, done.scored, done.rolled_up) == (0, 0, 0)
        store_page(db, 1, page(*POSTS), str, restored.zone)
        assert len(rows(db, "SELECT id FROM posts")) == 40


def test_a_backup_is_one_moment_of_a_database_that_is_being_written(config, worked, tmp_path):
    """Each copy taken during writes holds whole transactions only, and is sound."""
    stop = threading.Event()

    def write():
        with open_database(config) as db:
            number = 100
            while not stop.is_set():
                posts = [post(f"{number} {part}", "Arbeitsrecht gut") for part in range(2)]
                store_page(db, 1, page(*posts, number=number), str, config.zone)
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            backup(config, tmp_path / f"{number}.db")
    finally:
        stop.set()
        writer.join()
    for number in range(5):
        with open_existing(tmp_path / f"{number}.db", read_only=True) as copy:
            (found,) = rows(copy, "SELECT count(*) AS n FROM posts WHERE id > 40")
            assert found["n"] % 2 == 0
            assert rows(copy, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]


def test_only_its_owner_can_read_a_backup(config, worked, tmp_path):
    """It holds personal data, whatever the umask says."""
    before = os.umask(0)
    try:
        backup(config, tmp_path / "copy.db")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


def test_an_older_copy_is_replaced_only_when_forced(config, worked, tmp_path):
    """The refusal says the remedy, and the older copy stays as it was."""
    backup(config, tmp_path / "copy.db")
    before = (tmp_path / "copy.db").read_bytes()
    store_page(worked, 1, page(post("new", "Arbeitsrecht gut")), str, config.zone)
    with pytest.raises(DatabaseError, match="--force"):
        backup(config, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_bytes() == before
    assert backup(config, tmp_path / "copy.db", force=True).posts == 41
    with open_existing(tmp_path / "copy.db", read_only=True) as copy:
        assert len(rows(copy, "SELECT id FROM posts")) == 41


def test_what_is_no_database_is_not_replaced_even_then(config, worked, tmp_path):
    """A slip of the keyboard costs nobody their configuration."""
    (tmp_path / "config.toml").write_text("mine")
    with pytest.raises(DatabaseError, match="no database"):
        backup(config, tmp_path / "config.toml", force=True)
    assert (tmp_path / "config.toml").read_text() == "mine"


def test_a_file_that_appears_during_the_copying_stays(config, worked, tmp_path, monkeypatch):
    """Two backups to one name at once: the later one gives way."""
    real = backups._checked

    def slow(copy):
        (tmp_path / "copy.db").write_text("mine")
        return real(copy)

    monkeypatch.setattr(backups, "_checked", slow)
    with pytest.raises(DatabaseError, match="exists already"):
        backup(config, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "mine"


@pytest.mark.parametrize("name", ["sentiment.db", "sentiment.db-wal", "pseudonym.key"])
def test_the_workers_own_files_are_no_targets(config, worked, tmp_path, name):
    """Not even with --force."""
    pseudonym_key(config)
    before = (tmp_path / name).read_bytes()
    with pytest.raises(DatabaseError, match="belongs to the worker itself"):
        backup(config, tmp_path / "." / name, force=True)
    assert (tmp_path / name).read_bytes() == before


def test_a_backup_that_is_open_elsewhere_is_not_replaced(config, worked, tmp_path):
    """SQLite would apply the old write-ahead log to the new file."""
    (tmp_path / "copy.db-wal").write_bytes(b"log")
    with pytest.raises(DatabaseError, match="open in another program"):
        backup(config, tmp_path / "copy.db", force=True)


def test_a_copy_that_is_not_sound_is_not_kept(config, worked, tmp_path, monkeypatch):
    """A page that went bad on the way leaves neither a backup nor a rest of one."""
    real = backups._copy

    def spoilt(source, copy, progress):
        real(source, copy, progress)
        with copy.open("r+b") as file:
            file.seek(3 * 4096)
            file.write(b"\xff" * 2 * 4096)

    monkeypatch.setattr(backups, "_copy", spoilt)
    with pytest.raises(DatabaseError):
        backup(config, tmp_path / "out" / "copy.db")
    assert list((tmp_path / "out").iterdir()) == []


def test_without_a_database_there_is_nothing_to_back_up(config, tmp_path):
    """No empty file is made, neither here nor there."""
    with pytest.raises(DatabaseError, match="does not exist yet"):
        backup(config, tmp_path / "copy.db")
    assert not config.database_path.exists()
    assert not (tmp_path / "copy.db").exists()


def test_a_rotation_keeps_the_newest_and_touches_nothing_else(config, worked, tmp_path):
    """Five backups in a folder that keeps three, beside files of other people."""
    folder = tmp_path / "copies"
    folder.mkdir()
    others = [folder / "sentiment.db", folder / "other-20200101T000000Z.db", folder / "notes.txt"]
    for file in others:
        file.write_text("not ours")
    old = folder / "sentiment-20200101T000000Z.db"
    old.write_text("ours, and old")
    made = [backup(config, folder, keep=3) for _ in range(4)]
    assert str(old) in {name for one in made for name in one.removed}
    assert {file.name for file in folder.iterdir()} == {
        *(file.name for file in others),
        *(one.path.rpartition("/")[2] for one in made[1:]),
    }


def test_without_a_target_copies_go_beside_the_database(config, worked, tmp_path):
    """Into the folder `backups`, with the moment in their names."""
    made = backup(config)
    assert re.fullmatch(r"backups/sentiment-\d{8}T\d{6}Z\.db", made.path[len(str(tmp_path)) + 1 :])


def test_what_was_deleted_is_not_in_a_backup(config, worked, tmp_path):
    """Free pages are left behind, whatever the database's own file still holds."""
    worked.execute("PRAGMA secure_delete = OFF")
    worked.execute("DELETE FROM posts WHERE external_id = '39'")
    backup(config, tmp_path / "copy.db")
    assert b"Nummer 38" in (tmp_path / "copy.db").read_bytes()
    assert b"Nummer 39" not in (tmp_path / "copy.db").read_bytes()


def test_the_key_of_the_pseudonyms_is_named_and_not_copied(config, worked, tmp_path):
    """Who holds only the backup cannot tell who wrote a post."""
    assert backup(config, tmp_path / "a.db").key is None
    key = pseudonym_key(config)
    made = backup(config, tmp_path / "b.db")
    assert made.key == str(tmp_path / "pseudonym.key")
    assert key not in (tmp_path / "b.db").read_bytes()


def test_how_far_it_has_come_is_told(config, worked, tmp_path):
    """Of the bytes there are, up to all of them."""
    told = []
    backup(config, tmp_path / "copy.db", progress=lambda done, whole: told.append((done, whole)))
    assert told[-1][0] == told[-1][1] > 0
    assert sorted(told) == told


def test_a_backup_needs_no_write_lock(config, worked, tmp_path):
    """While another program holds the write lock, a backup is made all the same."""
    with sqlite3.connect(config.database_path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM posts")
        assert backup(config, tmp_path / "copy.db").posts == 40
        other.execute("ROLLBACK")
    other.close()

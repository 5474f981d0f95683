"""Taking from a post what says who wrote what; what stays of it is anonymous."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from sentiment.database import count, get_state, now, rows, set_state

if TYPE_CHECKING:
    from sqlite_utils import Database

UNSCRUBBED = "unscrubbed"  # in `state`: erased bytes are still in the files; see search.sql
REWRITE = "rewrite"  # in `state`: the file is to be rewritten
MERGE_PAGES = 500  # of the search index at a time, so that no writer waits long


def erase_post(db: Database, post_id: int, author: str | None = None) -> None:
    """Take text, title, link and author; the id stays, so that the post never comes back.

    author: what stands in the author's place from now on.
    """
    db.execute("DELETE FROM sketches WHERE post_id = ?", [post_id])
    db.execute("UPDATE mentions SET snippet = '' WHERE post_id = ?", [post_id])
    db.execute(
        "UPDATE posts SET text = '', title = '', url = NULL, author = ?, content_hash = '', "
        "erased_at = ? WHERE id = ?",
        [author, now(), post_id],
    )


def forget_scores(db: Database, post_id: int, *, all_of_them: bool) -> None:
    """Take a post's mentions out of the figures: those without a score yet, or all of them.

    A post with none left can be nobody's first copy: the earliest of its copies takes its place as
    the one that counts.
    """
    unscored = "" if all_of_them else "AND model IS NULL"
    db.execute(f"DELETE FROM mentions WHERE post_id = ? {unscored}", [post_id])
    if rows(db, "SELECT 1 FROM mentions WHERE post_id = ?", post_id):
        return
    copies = rows(
        db,
        "SELECT id FROM posts WHERE duplicate_of = ? ORDER BY posted_at, external_id",
        post_id,
    )
    for copy in copies:
        first = None if copy == copies[0] else copies[0]["id"]
        db.execute("UPDATE posts SET duplicate_of = ? WHERE id = ?", [first, copy["id"]])
    db.execute("UPDATE posts SET duplicate_of = NULL WHERE id = ?", [post_id])


def note_erasure(db: Database, reason: str, posts: int, source: str | None = None) -> None:
    """Leave a row that says that something was erased, and nothing of what it was."""
    db.execute(
        "INSERT INTO erasures (source, reason, posts, erased_at) VALUES (?, ?, ?, ?)",
        [source, reason, posts, now()],
    )


def rewrite_later(db: Database) -> None:
    """Ask, in the transaction that erases, that the next `scrub` rewrite the file.

    So what other programs or former versions left in free pages goes as well.
    """
    set_state(db, REWRITE, "due")


def scrub(db: Database) -> bool:
    """Remove from the files what was erased from the rows; outside a transaction.

    A word that is taken out of a full-text index stays in its older segments until these are
    merged, and former pages stay in the write-ahead log until that is emptied. FTS5's own
    `secure-delete` would do the first at once, but makes the index unreadable to SQLite before
    3.42, which people query the database with. False while another program keeps the database
    busy; then it is still due, and the worker tries again.
    """
    due = [key for key in (UNSCRUBBED, REWRITE) if get_state(db, key) is not None]
    if not due:
        return True
    for key in due:
        set_state(db, key, "under way")
    try:
        if UNSCRUBBED in due:
            _merge_all(db)
        if REWRITE in due:
            db.execute("VACUUM")
        busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError:
        return False
    if not busy:
        # unless something else was erased meanwhile, which wants another turn
        db.execute(
            "DELETE FROM state WHERE key IN (?, ?) AND value = 'under way'", [UNSCRUBBED, REWRITE]
        )
    return not busy


def _merge_all(db: Database) -> None:
    pages = -MERGE_PAGES  # negative: begin to merge all there is into one segment
    while _merge(db, pages):
        pages = MERGE_PAGES


def _merge(db: Database, pages: int) -> bool:
    """Whether there was something to do (a change or less: only the command itself)."""
    before = count(db, "SELECT total_changes()")
    db.execute("INSERT INTO posts_fts (posts_fts, rank) VALUES ('merge', ?)", [pages])
    return count(db, "SELECT total_changes()") - before >= 2

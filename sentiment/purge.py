"""Erase: texts are kept only as long as configured; scores and daily figures stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sentiment.database import rows, timestamp, today, transaction
from sentiment.erasing import erase_post, forget_scores, note_erasure, scrub
from sentiment.privacy import for_one_day, keyed_day, pseudonym_key

if TYPE_CHECKING:
    from sqlite_utils import Database

    from sentiment.config import Config

BATCH = 500  # posts a transaction
GRACE = timedelta(days=30)  # for which an old text may wait for its score; then it goes without
WITHOUT_KEY = "LIKE '-_______________'"  # a name for one day as former versions wrote it


def purge(config: Config, db: Database) -> int:
    """Erase whole days older than `[privacy] keep_texts`; returns how many posts that were.

    Posts that still wait to be read or scored are left for the next time, for at most `GRACE` after
    they were collected: a worker that cannot score must not keep texts for ever.
    """
    key = pseudonym_key(config)
    oldest = today(config.zone) - timedelta(days=config.privacy.keep_texts.days)
    erased = 0
    while found := rows(
        db,
        "SELECT id, author, day FROM posts WHERE day < ? AND erased_at IS NULL "
        "AND (collected_at < ? OR matched_by IS NOT NULL "
        f"AND id NOT IN (SELECT post_id FROM mentions WHERE model IS NULL)) LIMIT {BATCH}",
        oldest.isoformat(),
        timestamp(datetime.now(UTC) - GRACE),
    ):
        with transaction(db):
            for post in found:
                erase_post(db, post["id"], _of_its_day(key, post["author"], post["day"]))
                forget_scores(db, post["id"], all_of_them=False)
            note_erasure(db, "retention", len(found))
        erased += len(found)
    _unlink_respondents(db, oldest.isoformat(), key)
    _use_key(db, key)
    scrub(db)  # also after what was erased or changed since the last time
    return erased


def _of_its_day(key: bytes, author: str | None, day: str) -> str | None:
    """Comments of old surveys have names for one day from the start."""
    if author is None or author.startswith("-"):
        return author
    return for_one_day(key, author, day)


def _unlink_respondents(db: Database, oldest: str, key: bytes) -> None:
    """Survey figures stay; that answers of different days are one person's does not."""
    old = "day < ? AND respondent IS NOT NULL AND respondent NOT LIKE '-%'"
    some = f"SELECT id, respondent, day FROM survey_responses WHERE {old} LIMIT {10 * BATCH}"
    while found := rows(db, some, oldest):
        with transaction(db):
            for row in found:
                db.execute(
                    "UPDATE survey_responses SET respondent = ? WHERE id = ?",
                    [for_one_day(key, row["respondent"], row["day"]), row["id"]],
                )


def _use_key(db: Database, key: bytes) -> None:
    """Names for one day that were made without the key lead to whoever still has a pseudonym."""
    for table, column, index in (
        ("posts", "author", "erased_at IS NOT NULL AND"),
        ("survey_responses", "respondent", ""),
    ):
        some = f"SELECT id, {column} AS name FROM {table} WHERE {index} {column} {WITHOUT_KEY}"
        while found := rows(db, f"{some} LIMIT {10 * BATCH}"):
            with transaction(db):
                for row in found:
                    db.execute(
                        f"UPDATE {table} SET {column} = ? WHERE id = ?",
                        [keyed_day(key, row["name"]), row["id"]],
                    )

"""Erase: texts are kept only as long as configured; scores and daily figures stay."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sentiment.database import rows, today, transaction
from sentiment.erasing import erase_post, note_erasure, scrub
from sentiment.privacy import for_one_day

if TYPE_CHECKING:
    from sqlite_utils import Database

    from sentiment.config import Config

BATCH = 500  # posts a transaction


def purge(config: Config, db: Database) -> int:
    """Erase whole days older than `[privacy] keep_texts`; returns how many posts that were.

    Posts that still wait to be read or scored are left for the next time.
    """
    oldest = today(config.zone) - timedelta(days=config.privacy.keep_texts.days)
    erased = 0
    while found := rows(
        db,
        "SELECT id, author, day FROM posts WHERE day < ? AND erased_at IS NULL "
        "AND matched_by IS NOT NULL "
        f"AND id NOT IN (SELECT post_id FROM mentions WHERE model IS NULL) LIMIT {BATCH}",
        oldest.isoformat(),
    ):
        with transaction(db):
            for post in found:
                author = for_one_day(post["author"], post["day"]) if post["author"] else None
                erase_post(db, post["id"], author)
            note_erasure(db, "retention", len(found))
        erased += len(found)
    _unlink_respondents(db, oldest.isoformat())
    scrub(db)  # also after what was erased or changed since the last time
    return erased


def _unlink_respondents(db: Database, oldest: str) -> None:
    """Survey figures stay; that answers of different days are one person's does not."""
    old = "day < ? AND respondent IS NOT NULL AND respondent NOT LIKE '-%'"
    some = f"SELECT id, respondent, day FROM survey_responses WHERE {old} LIMIT {10 * BATCH}"
    while found := rows(db, some, oldest):
        with transaction(db):
            for row in found:
                db.execute(
                    "UPDATE survey_responses SET respondent = ? WHERE id = ?",
                    [for_one_day(row["respondent"], row["day"]), row["id"]],
                )

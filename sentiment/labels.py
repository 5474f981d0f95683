"""Gold labels: what people say a mention means. They stand beside the score, never in its place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from models.labels import EKMAN
from sentiment.database import count, timestamp, transaction

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlite_utils import Database

POLARITIES = ("negative", "neutral", "positive")


class LabelError(Exception):
    """The label cannot be stored; `key` says why: no_mention, no_polarity or no_emotion."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def label(  # noqa: PLR0917
    db: Database, mention: int, polarity: str, emotions: Collection[str], by: str, now: datetime
) -> None:
    """Store what somebody says a mention means; a second time replaces their first.

    Raises LabelError for an unknown mention, polarity or emotion, and for a text that is erased:
    nobody can judge that.
    """
    if polarity not in POLARITIES:
        raise LabelError("no_polarity")
    if set(emotions) - set(EKMAN):
        raise LabelError("no_emotion")
    with transaction(db):
        if not count(db, "SELECT count(*) FROM mentions WHERE id = ? AND snippet <> ''", mention):
            raise LabelError("no_mention")
        db.execute(
            "INSERT INTO gold_labels (mention_id, polarity, emotions, labelled_at, labelled_by) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT (mention_id, labelled_by) DO UPDATE SET "
            "polarity = excluded.polarity, emotions = excluded.emotions, "
            "labelled_at = excluded.labelled_at",
            [mention, polarity, json.dumps(sorted(set(emotions))), timestamp(now), by],
        )


def take_back(db: Database, mention: int, by: str) -> bool:
    """Forget what somebody said a mention means; False when they had said nothing."""
    done: Any = db.execute(
        "DELETE FROM gold_labels WHERE mention_id = ? AND labelled_by = ?", [mention, by]
    )
    return bool(done.rowcount == 1)

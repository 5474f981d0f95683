"""Score: polarity and emotion of every mention that the current model has not judged yet."""

from __future__ import annotations

import json
from time import monotonic
from typing import TYPE_CHECKING, Any

from models.classifier import Classifier, Passage, Prediction
from sentiment.database import get_state, now, rows, set_state, transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlite_utils import Database

BATCH = 256  # mentions a transaction: a few seconds of work on a slow machine

PENDING = """
FROM mentions m JOIN posts p ON p.id = m.post_id
WHERE (m.model IS NULL OR m.model < :model OR m.model > :model) AND p.erased_at IS NULL
    AND p.matched_by IS NOT NULL
"""  # a changed post is matched first: its mentions' places are those of the former text


def model_key(classifier: Classifier) -> str:
    """The model as scores carry it: name@revision."""
    return f"{classifier.name}@{classifier.revision}"


def pending(db: Database, model: str, limit: int | None = None) -> list[int]:
    """Ids of the mentions without a score by this model, newest posts first, at most `limit`."""
    sql = f"SELECT m.id {PENDING} ORDER BY p.posted_at DESC, m.id LIMIT :limit"
    values = {"model": model, "limit": -1 if limit is None else limit}
    return [row["id"] for row in db.query(sql, values)]


def score(
    db: Database,
    classifier: Classifier,
    *,
    limit: int | None = None,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> int:
    """Score what is pending, newest first, at most `limit`; returns how many mentions that were.

    Scores of other models stay. Which of them counts is written in `mentions.model`.
    """
    model = model_key(classifier)
    if get_state(db, "model") != model:
        set_state(db, "model", model)
    todo = pending(db, model, limit)
    done, began = 0, monotonic()
    for start in range(0, len(todo), BATCH):
        if stopping():
            break
        mentions = _load(db, todo[start : start + BATCH])
        predictions = classifier.classify([_passage(m, classifier) for m in mentions])
        with transaction(db):
            for mention, prediction in zip(mentions, predictions, strict=True):
                _write(db, mention, prediction, model)
        done += len(mentions)
        set_state(db, "mentions_per_second", f"{done / (monotonic() - began):.1f}")
        progress(done, len(todo))
    return done


def _load(db: Database, ids: list[int]) -> list[dict[str, Any]]:
    marks = ", ".join("?" * len(ids))
    return rows(
        db,
        "SELECT m.id, m.spans, m.snippet, p.text, p.content_hash "
        f"FROM mentions m JOIN posts p ON p.id = m.post_id WHERE m.id IN ({marks}) ORDER BY m.id",
        *ids,
    )


def _passage(mention: dict[str, Any], classifier: Classifier) -> Passage:
    """The whole post with the target's places, or the snippet for a model without targets."""
    if not classifier.reads_targets:
        return Passage(mention["snippet"])
    spans = tuple((start, end) for start, end in json.loads(mention["spans"]))
    return Passage(mention["text"], spans)


def _write(db: Database, mention: dict[str, Any], prediction: Prediction, model: str) -> None:
    unchanged = (
        "SELECT 1 FROM mentions m JOIN posts p ON p.id = m.post_id "
        "WHERE m.id = ? AND m.spans = ? AND m.snippet = ? AND p.content_hash = ?"
    )
    values = [mention[name] for name in ("id", "spans", "snippet", "content_hash")]
    if not rows(db, unchanged, *values):
        return  # the post changed while it was being scored: the next run scores it anew
    db.execute(
        "INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            mention["id"],
            model,
            prediction.polarity,
            prediction.negative,
            prediction.neutral,
            prediction.positive,
            prediction.valence,
            now(),
        ],
    )
    for emotion, probability in prediction.emotions.items():
        db.execute(
            "INSERT OR REPLACE INTO emotions VALUES (?, ?, ?, ?)",
            [mention["id"], model, emotion, probability],
        )
    _write_finer(db, mention["id"], prediction, model)
    db.execute("UPDATE mentions SET model = ? WHERE id = ?", [model, mention["id"]])


def _write_finer(db: Database, mention_id: int, prediction: Prediction, model: str) -> None:
    """Of a model's finer emotions those that are present: mostly one a mention, often none."""
    db.execute("DELETE FROM finer_emotions WHERE mention_id = ? AND model = ?", [mention_id, model])
    for label, probability in prediction.finer.items():
        if probability >= 0.5 and label != "neutral":
            db.execute(
                "INSERT INTO finer_emotions VALUES (?, ?, ?, ?)",
                [mention_id, model, label, probability],
            )

"""A small law firm, and a classifier simple enough to predict by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.classifier import Passage, Prediction
from sentiment.config import Config
from sources.base import Page, Post

FIRM = {
    "company": {"name": "Kanzlei Ahornhof", "aliases": ["@ahornhof"]},
    "competitors": [{"name": "Birkenberg & Söhne"}],
    "services": [
        {"name": "Arbeitsrecht", "aliases": ["Kündigungsschutz*"]},
        {"name": "Steuerberatung", "aliases": ["Steuererklärung"]},
    ],
    "sources": [
        {"name": "forum", "kind": "rss", "url": "https://forum.example/feed"},
        {"name": "reviews", "kind": "rss", "path": "reviews.xml", "scope": "own"},
    ],
}
EMOTIONS = dict.fromkeys(("anger", "disgust", "fear", "joy", "sadness", "surprise"), 0.1)


class WordClassifier:
    """Reads the words gut and schlecht in the target's neighbourhood, and nothing else."""

    name = "words"
    revision = "1"
    reads_targets = True

    def __init__(self, revision: str = "1") -> None:
        self.revision = revision
        self.seen: list[Passage] = []

    def classify(self, passages: Sequence[Passage]) -> list[Prediction]:
        self.seen += passages
        return [self._read(passage) for passage in passages]

    def _read(self, passage: Passage) -> Prediction:
        start, end = passage.spans[0] if passage.spans else (0, len(passage.text))
        near = passage.text[max(0, start - 5) : end + 20].lower()
        if "schlecht" in near:
            return Prediction(0.8, 0.1, 0.1, {**EMOTIONS, "anger": 0.9})
        if "gut" in near:
            return Prediction(0.1, 0.1, 0.8, {**EMOTIONS, "joy": 0.7})
        return Prediction(0.1, 0.8, 0.1, dict(EMOTIONS))


def firm(folder: Path, **changes: Any) -> Config:
    return Config.model_validate({**FIRM, "folder": folder, **changes})


def post(external_id: str, text: str, at: str = "2026-03-02T10:00", **values: Any) -> Post:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return Post(external_id=external_id, text=text, posted_at=moment, **values)


def page(*posts: Post, **cursor: Any) -> Page:
    return Page(list(posts), cursor=cursor)

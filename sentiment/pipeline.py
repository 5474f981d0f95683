"""The order of the stages: match → score → roll up. Collecting comes before, at its own pace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import structlog

from sentiment.match import match
from sentiment.rollup import rollup
from sentiment.score import score

if TYPE_CHECKING:
    from sqlite_utils import Database

    from models.classifier import Classifier
    from sentiment.config import Config

log = structlog.get_logger()

Progress = Callable[[str, int, int], None]  # stage, done, all


@dataclass(frozen=True, slots=True)
class Processed:
    """What one pass did: posts matched, mentions scored, days of a service rolled up."""

    matched: int
    scored: int
    rolled_up: int


def process(
    config: Config,
    db: Database,
    classifier: Callable[[], Classifier],
    *,
    stopping: Callable[[], bool] = lambda: False,
    progress: Progress = lambda _stage, _done, _all: None,
) -> Processed:
    """Bring everything derived from the posts up to date. Any stage can die; the next run resumes.

    classifier: gives the loaded model; called at the score stage, so that loading is not the first
    thing a start waits for.
    """
    matched = match(config, db, stopping=stopping, progress=lambda d, n: progress("match", d, n))
    scored = 0
    if not stopping():
        scored = score(
            db, classifier(), stopping=stopping, progress=lambda d, n: progress("score", d, n)
        )
    rolled_up = rollup(db, stopping=stopping, progress=lambda d, n: progress("roll up", d, n))
    done = Processed(matched, scored, rolled_up)
    if any(asdict(done).values()):
        log.info("processed", **asdict(done))
    return done

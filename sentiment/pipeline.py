"""The order of the stages: match → score → roll up → alert.

Collecting comes before and notifying after, each at its own pace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import structlog

from sentiment.alert import alert, due
from sentiment.match import match
from sentiment.rollup import rollup
from sentiment.score import score

if TYPE_CHECKING:
    from sqlite_utils import Database

    from models.classifier import Classifier
    from sentiment.config import Config

log = structlog.get_logger()

Progress = Callable[[str, int, int], None]  # stage, done, all


PASS = 5_000  # mentions scored before new posts get their turn


@dataclass(slots=True)
class Processed:
    """What was done: posts matched, mentions scored, days of a service at a source rolled up.

    transitions: alerts that changed their state.
    """

    matched: int = 0
    scored: int = 0
    rolled_up: int = 0
    transitions: int = 0


def process(
    config: Config,
    db: Database,
    classifier: Callable[[], Classifier],
    *,
    stopping: Callable[[], bool] = lambda: False,
    progress: Progress = lambda _stage, _done, _all: None,
) -> Processed:
    """Bring everything derived from the posts up to date. Any stage can die; the next run resumes.

    A long backlog, as after a change of model, is worked off in passes, so that new posts never
    wait for it. classifier: gives the loaded model; called when it is needed.
    """
    done = Processed()
    scored = PASS
    while scored == PASS and not stopping():
        done.matched += match(config, db, stopping=stopping, progress=partial(progress, "match"))
        scored = score(
            db, classifier(), limit=PASS, stopping=stopping, progress=partial(progress, "score")
        )
        done.scored += scored
        done.rolled_up += rollup(db, stopping=stopping, progress=partial(progress, "roll up"))
        if scored == PASS:
            log.info("backlog", scored=done.scored)
    if not stopping() and (any(asdict(done).values()) or due(db, datetime.now(UTC))):
        done.transitions = alert(config, db, stopping=stopping, progress=partial(progress, "alert"))
    if any(asdict(done).values()):
        log.info("processed", **asdict(done))
    return done

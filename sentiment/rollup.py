"""Roll up: the daily figures of each company, service, source and language that changed.

And the sums of survey answers by day, week and month.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.labels import EKMAN
from sentiment.database import count, rows, transaction
from sentiment.schema.survey_views import UNITS, roll_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlite_utils import Database

BATCH = 200  # days of a service at a source, a transaction

# A vote is an author's voice on a service and day: the mean of their mentions' probabilities.
# Authors without a name are counted as one each; copies of a near-identical text are not votes. A
# vote belongs to the language of the author's first mention of the day.
_MEANS = ",\n        ".join(
    f"avg((SELECT e.probability FROM emotions e WHERE e.mention_id = m.id AND e.model = m.model "
    f"AND e.emotion = '{emotion}')) AS {emotion}"
    for emotion in EKMAN
)
_PRESENT = ",\n    ".join(f"ifnull(sum({emotion} >= 0.5), 0)" for emotion in EKMAN)

CELL = f"""
WITH counted AS (
    SELECT m.id, m.model, p.duplicate_of IS NOT NULL AS is_copy,
        ifnull(p.author, '#' || m.id) AS voice,
        ifnull(p.language, 'und') AS language, p.posted_at, p.external_id
    FROM posts p JOIN mentions m ON m.post_id = p.id
    WHERE p.source_id = :source_id AND p.day = :day AND m.model IS NOT NULL
        AND m.company_id = :company_id AND ifnull(m.service_id, 0) = :service_id
),
voices AS (
    SELECT id, model, is_copy, voice, first_value(language) OVER (
        PARTITION BY voice ORDER BY is_copy, posted_at, external_id) AS language
    FROM counted
),
raw AS (
    SELECT language, count(*) AS raw_mentions, sum(NOT is_copy) AS mentions
    FROM voices GROUP BY language
),
votes AS (
    SELECT language, voice,
        avg(k.negative) AS negative, avg(k.neutral) AS neutral, avg(k.positive) AS positive,
        avg(k.valence) AS valence,
        {_MEANS}
    FROM voices m JOIN scores k ON k.mention_id = m.id AND k.model = m.model
    WHERE NOT is_copy
    GROUP BY voice
)
INSERT INTO daily_sentiment
SELECT :company_id, nullif(:service_id, 0), :source_id, raw.language, :day,
    raw.raw_mentions, raw.mentions,
    count(votes.voice),
    ifnull(sum(positive > negative AND positive > neutral), 0),
    ifnull(sum(neutral > negative AND neutral >= positive), 0),
    ifnull(sum(negative >= neutral AND negative >= positive), 0),
    ifnull(sum(valence), 0.0),
    {_PRESENT}
FROM raw LEFT JOIN votes ON votes.language = raw.language
GROUP BY raw.language
"""


def rollup(
    db: Database,
    *,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> int:
    """Recompute the cells that changed; returns how many days of a service at a source.

    Days of a service on which survey answers changed count likewise.
    """
    todo = count(
        db, "SELECT (SELECT count(*) FROM stale_days) + (SELECT count(*) FROM stale_survey_days)"
    )
    done = 0
    while not stopping():
        with transaction(db):
            stale = rows(db, f"SELECT * FROM stale_days LIMIT {BATCH}")
            for cell in stale:
                _recompute(db, cell)
        if not stale:
            break
        done += len(stale)
        progress(done, max(todo, done))
    while not stopping() and (days := _roll_up_surveys(db)):
        done += days
        progress(done, max(todo, done))
    return done


def _recompute(db: Database, cell: dict[str, object]) -> None:
    where = (
        "WHERE company_id = :company_id AND ifnull(service_id, 0) = :service_id "
        "AND source_id = :source_id AND day = :day"
    )
    db.execute(f"DELETE FROM daily_sentiment {where}", cell)
    db.execute(CELL, cell)
    db.execute(
        "DELETE FROM stale_days WHERE company_id = :company_id AND service_id = :service_id "
        "AND source_id = :source_id AND day = :day",
        cell,
    )


# In order, so that the days of a month come together and it is read once or twice, not each time.
SURVEY_DAYS = (
    f"SELECT service_id, day FROM stale_survey_days ORDER BY service_id, day LIMIT {BATCH}"
)


def _roll_up_surveys(db: Database) -> int:
    """Add up the survey answers of the days, weeks and months of a batch of days."""
    with transaction(db):
        for unit in UNITS:
            for statement in roll_up(unit, SURVEY_DAYS):
                db.execute(statement)
        done = db.execute(
            f"DELETE FROM stale_survey_days WHERE (service_id, day) IN ({SURVEY_DAYS})"
        )
    return int(done.rowcount)

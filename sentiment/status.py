"""What is going on: services, sources and work waiting, as plain data."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sentiment.database import count, get_state, rows, today
from sentiment.schema.intervals import net_interval, share_interval
from sentiment.schema.survey_views import MIN_RESPONSES

if TYPE_CHECKING:
    from sqlite_utils import Database

    from sentiment.config import Config

WINDOW = 14  # days; compared with as many before

_LOW, _HIGH = net_interval("positive", "negative", "authors")
SERVICES = f"""
WITH counts AS (
    SELECT v.id, v.name AS service,
        ifnull(sum(d.mentions), 0) AS mentions, ifnull(sum(d.authors), 0) AS authors,
        sum(d.positive) AS positive, sum(d.neutral) AS neutral, sum(d.negative) AS negative
    FROM services v
    JOIN companies c ON c.own = 1
    LEFT JOIN period_sentiment d ON d.service_id = v.id AND d.company_id = c.id
        AND d.unit = 'day' AND d.source_id = 0 AND d.language = ''
        AND d.start > :after AND d.start <= :until
    WHERE v.active = 1
    GROUP BY v.id
)
SELECT service, mentions, authors, positive, neutral, negative,
    100.0 * (positive - negative) / nullif(authors, 0) AS net_sentiment,
    {_LOW} AS net_sentiment_low,
    {_HIGH} AS net_sentiment_high
FROM counts ORDER BY id
"""


def status(config: Config, db: Database) -> dict[str, Any]:
    """Services of the last two weeks beside the two before, sources, and work waiting.

    Keys: model, days, services (service, mentions, authors, net_sentiment with its 95 % interval,
    before: net sentiment of the window before), sources (rows of source_health), waiting
    (posts not matched, mentions not scored, days not rolled up), surveys (see `surveys`), rescoring
    (see `rescoring`).
    """
    end = today(config.zone)
    middle, start = end - timedelta(days=WINDOW), end - timedelta(days=2 * WINDOW)
    before = {row["service"]: row for row in _services(db, str(start), str(middle))}
    services = [
        {**row, "before": before[row["service"]]["net_sentiment"]}
        for row in _services(db, str(middle), str(end))
    ]
    return {
        "company": config.company.name,
        "database": str(config.database_path),
        "model": get_state(db, "model"),
        "days": WINDOW,
        "services": services,
        "sources": rows(db, "SELECT * FROM source_health ORDER BY source"),
        "waiting": waiting(db),
        "rescoring": rescoring(db),
        "surveys": surveys(db),
    }


AGREEMENT = f"""
WITH counts AS (
    SELECT survey, count(*) AS comments, sum(polarity = rating_polarity) AS same,
        sum(polarity <> rating_polarity AND 'neutral' NOT IN (polarity, rating_polarity))
            AS opposite
    FROM survey_comment_scores GROUP BY survey
    HAVING count(*) >= {MIN_RESPONSES}
)
SELECT survey, comments, same, opposite, 100.0 * same / comments AS agreement,
    {share_interval("(1.0 * same / comments)", "comments")[0]} AS agreement_low,
    {share_interval("(1.0 * same / comments)", "comments")[1]} AS agreement_high
FROM counts
"""
FILES = """
SELECT survey, sum(error IS NULL) AS files, sum(error IS NOT NULL) AS refused,
    max(imported_at) AS imported_at,
    max(error) AS error
FROM survey_files GROUP BY survey
"""
ANSWERS = """
SELECT survey, count(*) AS answers, max(day) AS last_day FROM survey_responses GROUP BY survey
"""


def surveys(db: Database) -> list[dict[str, Any]]:
    """Each survey: answers, files, and how often the classifier agrees with its respondents.

    agreement: percent of scored comments whose polarity is that of the author's own number, with
    its 95 % interval; opposite: comments that one reads as positive and the other as negative. Not
    of fewer comments than min_responses.
    """
    found: dict[str, dict[str, Any]] = {}
    for sql in (ANSWERS, FILES, AGREEMENT):
        for row in rows(db, sql):
            found.setdefault(row["survey"], {"survey": row["survey"]}).update(row)
    return [found[name] for name in sorted(found)]


def waiting(db: Database) -> dict[str, int]:
    """How much each stage has still to do."""
    model = get_state(db, "model") or ""
    return {
        "posts_to_match": count(
            db, "SELECT count(*) FROM posts WHERE matched_by IS NULL AND erased_at IS NULL"
        ),
        "mentions_to_score": count(
            db,
            "SELECT count(*) FROM mentions m JOIN posts p ON p.id = m.post_id "
            "WHERE (m.model IS NULL OR m.model < ? OR m.model > ?) AND p.erased_at IS NULL",
            model,
            model,
        ),
        "days_to_roll_up": count(db, "SELECT count(*) FROM stale_days"),
    }


def rescoring(db: Database) -> dict[str, Any] | None:
    """How far a new model is with the mentions that another one scored; None: it is done.

    Keys: done and left, in mentions; minutes of computing that are left, at the pace of the last
    run (None before the first one).
    """
    model = get_state(db, "model") or ""
    mentions = "SELECT count(*) FROM mentions m WHERE m.model"
    left = count(db, f"{mentions} < ? OR m.model > ?", model, model)
    if not left:
        return None
    pace = float(get_state(db, "mentions_per_second") or 0)
    return {
        "done": count(db, f"{mentions} = ?", model),
        "left": left,
        "minutes": round(left / pace / 60, 1) if pace else None,
    }


def _services(db: Database, after: str, until: str) -> list[dict[str, Any]]:
    return list(db.query(SERVICES, {"after": after, "until": until}))

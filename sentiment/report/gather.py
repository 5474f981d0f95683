"""What the report is made of: figures of a month, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sentiment.database import rows, today
from sentiment.drivers import drivers_between
from sentiment.schema.intervals import MIN_VOTES
from sentiment.status import AGREEMENT

if TYPE_CHECKING:
    from sqlite_utils import Database

    from sentiment.config import Config
    from sentiment.phrases import Driver

POSTS = 3  # that explain a change
DRIVERS = 5  # phrases of a polarity
DRIVER_DAYS = 90  # up to the month's end: where a month is sour, praise is found before it

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """The figures of a month.

    changes: those beyond chance; compared: how many were looked at. posts, drivers: those that
    explain, by service. together: divergence of the month. shifts: of lead_lag, the strongest per
    service and figure whose interval misses 0. alerts: those that fired in the month or still did.
    today: where the month is still running.
    """

    company: str
    month: str
    scorecard: list[Row]
    segments: list[Row]
    changes: list[Row]
    compared: int
    posts: dict[str, list[Row]]
    drivers: dict[str, list[Driver]]
    together: list[Row]
    shifts: list[Row]
    agreement: list[Row]
    alerts: list[Row]
    today: str | None = None


def latest_month(db: Database) -> str:
    """The last month that has figures; the present one in an empty database."""
    found = rows(db, "SELECT max(period) AS month FROM service_scorecard")
    now = rows(db, "SELECT strftime('%Y-%m', 'now') AS month")
    return str(found[0]["month"] or now[0]["month"])


def gather(config: Config, db: Database, month: str) -> Found:
    """Everything the report says about a month."""
    order = {service.name: place for place, service in enumerate(config.services)}
    changes = _sorted(rows(db, CHANGES, month, MIN_VOTES, MIN_VOTES), order)
    beyond = [row for row in changes if row["beyond_chance"]]
    moved = _services(beyond)
    return Found(
        company=config.company.name,
        month=month,
        scorecard=_sorted(
            rows(db, "SELECT * FROM service_scorecard WHERE period = ?", month), order
        ),
        segments=_sorted(rows(db, SEGMENTS, month), order),
        changes=beyond,
        compared=len(changes),
        posts={service: _posts(db, service, month, beyond) for service in moved},
        drivers={service: _drivers(config, db, service, month) for service in moved},
        together=_sorted(rows(db, "SELECT * FROM divergence WHERE period = ?", month), order),
        shifts=_sorted(rows(db, SHIFTS), order),
        agreement=rows(db, AGREEMENT),
        alerts=rows(db, ALERTS, month, month),
        today=now if (now := str(today(config.zone))).startswith(month) else None,
    )


CHANGES = """
SELECT * FROM service_changes
WHERE period = ? AND metric <> 'csat_top2' AND n >= ? AND n_before >= ?
"""
SEGMENTS = """
SELECT service, segment, metric, value, low, high, responses FROM survey_scores
WHERE period = ? AND segment IS NOT NULL AND service IS NOT NULL AND metric IN ('nps', 'csat')
ORDER BY segment, metric DESC
"""
SHIFTS = """
SELECT service, metric, shift, months, correlation, low, high, max(abs(correlation)) AS strength
FROM lead_lag WHERE low > 0 OR high < 0 GROUP BY service, metric
"""
ALERTS = """
SELECT rule, company, service, subject, reason, detail, since_at, over_at FROM (
    SELECT a.rule, a.subject, c.name AS company, v.name AS service, t.reason, t.detail,
        t.happened_at AS since_at,
        (SELECT min(happened_at) FROM alert_transitions o
         WHERE o.alert_id = a.id AND o.id > t.id AND o.to_state <> 'firing') AS over_at
    FROM alert_transitions t
    JOIN alerts a ON a.id = t.alert_id
    LEFT JOIN companies c ON c.id = a.company_id
    LEFT JOIN services v ON v.id = a.service_id
    WHERE t.to_state = 'firing' AND t.from_state <> 'firing'
)
WHERE substr(since_at, 1, 7) <= ? AND (over_at IS NULL OR substr(over_at, 1, 7) >= ?)
ORDER BY since_at
"""
EXPLAINING = """
SELECT source, source_kind, day, snippet, url, polarity, valence, author FROM (
    SELECT m.*, row_number() OVER (
        PARTITION BY ifnull(author, '#' || mention_id) ORDER BY abs(valence) DESC) AS place
    FROM scored_mentions m JOIN companies c ON c.name = m.company AND c.own = 1
    WHERE service = ? AND day LIKE ? || '-%' AND polarity = ? AND NOT is_copy AND snippet <> ''
        AND length(snippet) >= 20
)
WHERE place = 1 ORDER BY abs(valence) DESC, day DESC LIMIT ?
"""


def _posts(db: Database, service: str, month: str, changes: list[Row]) -> list[Row]:
    """The clearest words, one author each, in the direction in which the service moved."""
    moved = next(row["change"] for row in changes if row["service"] == service)
    polarity = "negative" if moved < 0 else "positive"
    return rows(db, EXPLAINING, service, month, polarity, POSTS)


def _drivers(config: Config, db: Database, service: str, month: str) -> list[Driver]:
    """The phrases that set its negative and positive mentions apart."""
    last = (date.fromisoformat(f"{month}-01") + timedelta(days=31)).replace(day=1)
    return drivers_between(
        config,
        db,
        config.company.name,
        service,
        from_day=(last - timedelta(days=DRIVER_DAYS)).isoformat(),
        to_day=(last - timedelta(days=1)).isoformat(),
        limit=DRIVERS,
    )


def _services(changes: list[Row]) -> list[str]:
    return list(dict.fromkeys(row["service"] for row in changes))


def _sorted(found: list[Row], order: dict[str, int]) -> list[Row]:
    """As the portfolio has them; what is no longer in it comes last."""
    return sorted(found, key=lambda row: order.get(row["service"], len(order)))

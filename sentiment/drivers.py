"""Drivers: the phrases that set a service's negative and positive mentions apart, by period."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sentiment.database import now, rows, today, transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from sqlite_utils import Database

    from sentiment.config import Config
    from sentiment.phrases import Driver

NEWEST = 5_000
"""Mentions of a service and period that are looked at, the newest first."""

LIMIT = 10
"""Phrases of a polarity that are kept."""

WINDOWS = (28, 90, 365)  # days up to today
MONTHS = 12  # the present one and those before it

PATIENCE = 0.5
"""Seconds a mention that an outdated list is left as it is: new mentions change long lists little,
and a long list takes long. A list of 5,000 is computed every 42 minutes at most."""


class Period(NamedTuple):
    """Both days are part of it; ISO 8601."""

    name: str
    from_day: str
    to_day: str


def refresh_drivers(
    config: Config,
    db: Database,
    *,
    day: date | None = None,
    patient: bool = False,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> int:
    """Compute the lists whose mentions or days changed; returns how many.

    day: the last one of the periods, by default today. patient: leave long lists for a while.
    """
    _agree(db, periods(day or today(config.zone)))
    due = rows(db, DUE, 1 if patient else 0, PATIENCE)
    done = 0
    for at, row in enumerate(due, start=1):
        if stopping():
            break
        done += _refresh(config, db, row["id"])
        progress(at, len(due))
    return done


def periods(last: date) -> list[Period]:
    """What drivers are kept for: the last 28, 90 and 365 days, and the last twelve months."""
    found = [
        Period(f"{days} days", (last - timedelta(days=days - 1)).isoformat(), last.isoformat())
        for days in WINDOWS
    ]
    month = last.replace(day=1)
    for _ in range(MONTHS):
        end = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        found.append(Period(f"{month:%Y-%m}", month.isoformat(), end.isoformat()))
        month = (month - timedelta(days=1)).replace(day=1)
    return found


def drivers_between(
    config: Config,
    db: Database,
    company: str,
    service: str | None,
    *,
    from_day: str,
    to_day: str,
    source: str | None = None,
    language: str | None = None,
    limit: int = LIMIT,
) -> list[Driver]:
    """The drivers of any days, both included, from the newest `NEWEST` mentions.

    service: None for the company as a whole. source, language: only posts from there, in it.
    """
    values: dict[str, object] = {
        "company": company,
        "service": service,
        "from_day": from_day,
        "to_day": to_day,
        "source": source,
        "language": language,
        "newest": NEWEST,
    }
    return _drivers(config, db, values, limit)[0]


KEPT = """
SELECT polarity, phrase, mentions, authors, of_authors AS voices, other_authors,
    of_other_authors AS other_voices, log_odds, low, high, z, example_mention_id AS example
FROM service_drivers WHERE company = ? AND service = ? AND period = ? ORDER BY z DESC
"""


def kept_drivers(
    conn: sqlite3.Connection, company: str, service: str, period: str
) -> list[Driver] | None:
    """The drivers that are kept for a period; None where there is no list of that name.

    period: a period's name, "28 days" or "2026-03".
    """
    from sentiment.phrases import Driver

    (known,) = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM driver_lists WHERE period = ? AND updated_at IS NOT NULL "
        "AND service_id = (SELECT id FROM services WHERE name = ?))",
        [period, service],
    ).fetchone()
    if not known:
        return None
    return [Driver(*row) for row in conn.execute(KEPT, [company, service, period]).fetchall()]


# From the index: a service's mentions in the order of time, newest first. The time is in UTC and
# the day local, hence the wider bounds. Left out are copies, and comments of surveys, which were
# not written in public.
SAID = """
SELECT m.id, m.snippet, ifnull(p.author, '#' || m.id), k.polarity, p.language, k.valence
FROM mentions m
CROSS JOIN posts p ON p.id = m.post_id
CROSS JOIN scores k ON k.mention_id = m.id AND k.model = m.model
WHERE m.service_id IS (SELECT id FROM services WHERE name = :service)
    AND m.post_at BETWEEN date(:from_day, '-1 day') AND date(:to_day, '+2 days')
    AND m.post_day BETWEEN :from_day AND :to_day
    AND m.company_id = (SELECT id FROM companies WHERE name = :company)
    AND p.duplicate_of IS NULL AND m.snippet <> ''
    AND p.source_id IN (SELECT id FROM sources
        WHERE kind <> 'survey' AND (:source IS NULL OR name = :source))
    AND (:language IS NULL OR p.language = :language)
ORDER BY m.post_at DESC LIMIT :newest
"""

DUE = """
SELECT id FROM driver_lists
WHERE stale > 0 AND (NOT ? OR updated_at IS NULL
    OR (julianday('now') - julianday(updated_at)) * 86400 >= ? * mentions)
ORDER BY to_day DESC, from_day DESC, id
"""


def _drivers(
    config: Config, db: Database, values: dict[str, object], limit: int
) -> tuple[list[Driver], int]:
    """The drivers, and how many mentions were looked at."""
    from sentiment.phrases import Said, drivers  # numpy: not for those who only read the table

    said = [Said(*row) for row in db.execute(SAID, values).fetchall()]
    return drivers(said, limit=limit, names=_names(config, str(values["company"]))), len(said)


def _names(config: Config, company: str) -> list[str]:
    """What is no driver: names of the services, and of the company together with its words."""
    terms = [*config.services, *(one for one in config.companies if one.name == company)]
    names = [name for term in terms for name in (term.name, *term.aliases)]
    words = [word for term in terms[len(config.services) :] for word in term.name.split()]
    return names + [f"={word}" for word in words if len(word) > 2]


def _agree(db: Database, wanted: list[Period]) -> None:
    """Lists for every service that is spoken of, and for no period that is over."""
    pairs = rows(db, PAIRS)
    keys = {
        (pair["company_id"], pair["service_id"], *period) for pair in pairs for period in wanted
    }
    known = {
        (row["company_id"], row["service_id"], row["period"], row["from_day"], row["to_day"]): row
        for row in rows(db, "SELECT * FROM driver_lists")
    }
    if keys == known.keys():
        return
    with transaction(db):
        slots = {key[:3] for key in keys}
        for key in known.keys() - keys:
            if key[:3] not in slots:
                db.execute("DELETE FROM driver_lists WHERE id = ?", [known[key]["id"]])
        for key in sorted(keys - known.keys(), key=str):
            db.execute(MOVE, key)


PAIRS = """
SELECT DISTINCT s.company_id, nullif(s.service_id, 0) AS service_id
FROM period_sentiment s
JOIN companies c ON c.id = s.company_id AND c.active = 1
LEFT JOIN services v ON v.id = s.service_id
WHERE s.unit = 'month' AND s.source_id = 0 AND s.language = ''
    AND (s.service_id = 0 OR v.active = 1)
"""
MOVE = """
INSERT INTO driver_lists (company_id, service_id, period, from_day, to_day)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (company_id, ifnull(service_id, 0), period)
DO UPDATE SET from_day = excluded.from_day, to_day = excluded.to_day, stale = 1
"""


def _refresh(config: Config, db: Database, list_id: int) -> bool:
    """Compute a list, unless its mentions change meanwhile: then it is due again."""
    db.execute("UPDATE driver_lists SET stale = 2 WHERE id = ?", [list_id])
    values = {**rows(db, WHOSE, list_id)[0], "source": None, "language": None, "newest": NEWEST}
    drivers, mentions = _drivers(config, db, values, LIMIT)
    with transaction(db):
        if not rows(db, "SELECT 1 FROM driver_lists WHERE id = ? AND stale = 2", list_id):
            return False
        db.execute("DELETE FROM drivers WHERE list_id = ?", [list_id])
        for driver in drivers:
            _write(db, list_id, driver)
        db.execute(
            "UPDATE driver_lists SET stale = 0, mentions = ?, updated_at = ? WHERE id = ?",
            [mentions, now(), list_id],
        )
    return True


WHOSE = """
SELECT c.name AS company, v.name AS service, l.from_day, l.to_day
FROM driver_lists l
JOIN companies c ON c.id = l.company_id
LEFT JOIN services v ON v.id = l.service_id
WHERE l.id = ?
"""


def _write(db: Database, list_id: int, driver: Driver) -> None:
    db.execute(
        "INSERT INTO drivers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            list_id,
            driver.polarity,
            driver.phrase,
            driver.mentions,
            driver.authors,
            driver.voices,
            driver.other_authors,
            driver.other_voices,
            driver.log_odds,
            driver.low,
            driver.high,
            driver.z,
            driver.example,
        ],
    )

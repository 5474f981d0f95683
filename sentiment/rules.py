"""The plainer rules beside the sequential test. Each yields its subjects with what it sees."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sentiment.database import day_of, rows
from sentiment.decision import Evidence, Pace
from sentiment.reasons import Reason, why

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlite_utils import Database

    from sentiment.config import Config

PACE = {
    "drop": Pace(),
    "threshold": Pace(stay=timedelta(days=1)),
    "volume": Pace(stay=timedelta(days=1)),
    "emotion": Pace(stay=timedelta(days=1)),
    "survey": Pace(stay=timedelta(days=1)),
    "source": Pace(hold=timedelta(minutes=10), rest=timedelta(hours=1)),
}
CLEAR = 4.0  # standard errors beyond which chance is out of the question, many looks included
HYSTERESIS = 5.0  # points of net sentiment
FAILURES = 3  # in a row make a duty a broken one
LEARN_DAYS = 28  # without so many days of a past, nothing is unusual


@dataclass(frozen=True)
class Seen:
    """What a rule sees of one subject, and the facts that explain it."""

    rule: str
    service: int | None
    subject: str
    evidence: Evidence
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int | None, str]:
        """What names an alert: rule, service and subject."""
        return self.rule, self.service, self.subject


COUNTS = """
SELECT ifnull(sum(authors), 0) AS authors, ifnull(sum(positive), 0) AS positive,
    ifnull(sum(negative), 0) AS negative, ifnull(sum(anger), 0) AS anger,
    ifnull(sum(fear), 0) AS fear, min(day) AS first_day
FROM daily_sentiment d JOIN companies c ON c.id = d.company_id AND c.own = 1
WHERE d.service_id = :service AND d.day > :after AND d.day <= :until
    AND d.source_id IN (SELECT id FROM sources s WHERE kind <> 'survey'
        AND (SELECT min(day) FROM posts WHERE source_id = s.id) <= :known)
"""


def look(db: Database, config: Config, service: int, name: str, now: datetime) -> Iterator[Seen]:
    """The rules about what is said of one service."""
    config = of_service(config, name)
    yield from _threshold(db, config, service, now)
    yield from _volume(db, config, service, now)
    yield from _emotions(db, config, service, now)


def _counts(  # noqa: PLR0917
    db: Database,
    config: Config,
    service: int,
    after: datetime,
    until: datetime,
    known: datetime | None = None,
) -> dict[str, Any]:
    """Voices of these days; of sources that had posts by the day `known`, or of all."""
    values = {
        "service": service,
        "known": day_of(known or until, config.zone),
        "after": day_of(after, config.zone),
        "until": day_of(until, config.zone),
    }
    return next(iter(db.query(COUNTS, values)))


def watched(db: Database, config: Config) -> list[dict[str, Any]]:
    """Services that alerts are not switched off for: id and name."""
    off = {one.service for one in config.alerts.services if not one.enabled}
    found = rows(db, "SELECT id, name FROM services WHERE active = 1 ORDER BY id")
    return [row for row in found if row["name"] not in off]


def of_service(config: Config, name: str) -> Config:
    """The configuration with the alerts' settings that count for a service."""
    return config.model_copy(update={"alerts": config.alerts.of(name)})


def _threshold(db: Database, config: Config, service: int, now: datetime) -> Iterator[Seen]:
    rule = config.alerts.threshold
    below = rule.below
    if below is None:
        return
    found = _counts(db, config, service, now - rule.window, now)
    if found["authors"] < rule.min_authors:
        lacking = why("few in window", authors=rule.min_authors, days=rule.window.days)
        yield Seen("threshold", service, "", Evidence(unknown=lacking))
        return
    net = 100 * (found["positive"] - found["negative"]) / found["authors"]
    low = why("below", net=net, below=below)
    over = why("above", net=net) if net >= below + HYSTERESIS else None
    seen = Evidence("alarm" if net < below else "quiet", low, over)
    facts = {"net": round(net), "below": below, "authors": found["authors"]}
    yield Seen("threshold", service, "", seen, facts)


def _volume(db: Database, config: Config, service: int, now: datetime) -> Iterator[Seen]:
    rule = config.alerts.volume
    if not rule.enabled:
        return
    counted, before = _compared(db, config, service, now, rule.window)
    found = counted["authors"]
    if before is None:
        yield Seen("volume", service, "", Evidence(unknown=why("no past", days=LEARN_DAYS)))
        return
    counts, days = before
    usual = counts["authors"] / days * rule.window.days
    clear = found - usual >= CLEAR * math.sqrt(max(usual, 1.0) * 2)  # twice Poisson's variance
    many = found >= max(rule.min_authors, rule.factor * usual) and clear
    loud = why("many", authors=found, days=rule.window.days, usual=usual)
    over = None if many else why("as many", authors=found, days=rule.window.days)
    facts = {"authors": found, "usual": round(usual, 1), "days": rule.window.days}
    yield Seen("volume", service, "", Evidence("alarm" if many else "quiet", loud, over), facts)


def _emotions(db: Database, config: Config, service: int, now: datetime) -> Iterator[Seen]:
    rule = config.alerts.emotion
    if not rule.enabled:
        return
    found, before = _compared(db, config, service, now, rule.window)
    for emotion in ("anger", "fear"):
        if before is None or min(found["authors"], before[0]["authors"]) < rule.min_authors:
            lacking = Evidence(unknown=why("few", authors=rule.min_authors))
            yield Seen("emotion", service, emotion, lacking)
            continue
        n, m = found["authors"], before[0]["authors"]
        share, usual = found[emotion] / n, before[0][emotion] / m
        pooled = (found[emotion] + before[0][emotion] + 1) / (n + m + 2)
        error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        risen = 100 * (share - usual) >= rule.rise and share - usual >= CLEAR * error
        more = why("risen", emotion=emotion, after=100 * share, before=100 * usual)
        over = None if 100 * (share - usual) >= rule.rise / 2 else why("calm", emotion=emotion)
        facts = {"after": round(100 * share), "before": round(100 * usual), "authors": n}
        level = Evidence("alarm" if risen else "quiet", more, over)
        yield Seen("emotion", service, emotion, level, facts)


def _compared(
    db: Database, config: Config, service: int, now: datetime, window: timedelta
) -> tuple[dict[str, Any], tuple[dict[str, Any], int] | None]:
    """The counts of a window; those of the baseline's days before it, and how many days those are.

    A source that was added brings voices that there were before, only unread, and another tone:
    only sources that had posts four weeks before the window are heard.
    """
    end = now - window
    known = end - timedelta(days=LEARN_DAYS)
    found = _counts(db, config, service, end, now, known)
    before = _counts(db, config, service, end - config.alerts.baseline, end, known)
    if before["first_day"] is None:
        return found, None
    first = datetime.fromisoformat(before["first_day"]).date()
    days = (end.astimezone(config.zone).date() - first).days + 1
    return found, (before, days) if days >= LEARN_DAYS else None


def operations(db: Database, config: Config, now: datetime) -> Iterator[Seen]:
    """Sources that are not read any more, duties of the worker that fail, and the disk."""
    rule = config.alerts.source
    if not rule.enabled:
        return
    for row in rows(db, "SELECT * FROM sources WHERE active = 1 ORDER BY id"):
        wrong = trouble(row, now, rule.silent_for)
        read = None if row["last_error"] else why("read again")  # tried is not read
        seen = Evidence("alarm", wrong) if wrong else Evidence(over=read)
        facts = {"said": wrong.stored()} if wrong else {}
        yield Seen("source", None, row["name"], seen, facts)
    for row in rows(db, "SELECT key, value FROM state WHERE key LIKE 'job %' ORDER BY key"):
        yield _job(row["key"], json.loads(row["value"]))
    yield _disk(config.database_path.parent, rule.min_disk_gb)


def _job(subject: str, found: dict[str, Any]) -> Seen:
    """A duty of the worker, as the worker noted how often it has failed in a row."""
    if found["failed"] < FAILURES:
        over = None if found["failed"] else why("works")
        return Seen("source", None, subject, Evidence(over=over))
    said = why("failed", n=found["failed"], error=found["error"])
    return Seen("source", None, subject, Evidence("alarm", said), {"said": said.stored()})


def trouble(source: dict[str, Any], now: datetime, silent_for: timedelta) -> Reason | None:
    """What is wrong with a source; None when nothing is or it was never read."""
    error = source["last_error"]
    if source["disabled"]:
        return why("disabled", error=error)
    last = source["last_success_at"]
    if last is None:
        n = source["error_count"]
        return why("failed", n=n, error=error) if n >= 5 else None
    silent = now - datetime.fromisoformat(last)
    if silent > silent_for + 2 * timedelta(seconds=source["every_seconds"]):
        return why("silent", n=int(silent.total_seconds() // 3600), error=error)
    return None


def _disk(folder: Path, least: float) -> Seen:
    free = shutil.disk_usage(folder).free / 1e9
    said = why("disk", free=free)
    seen = Evidence("alarm", said) if free < least else Evidence(over=said)
    return Seen("source", None, "disk", seen, {"said": said.stored()})

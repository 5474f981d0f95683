"""The chart that goes with a message: the dashboard's own, as a picture for a mail or a chat."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from sentiment.config import Config

log = structlog.get_logger()

SHOWN = timedelta(weeks=12)
STEP = 7  # days of a point
ABOUT = {"drop", "threshold", "volume", "emotion"}  # rules about what is said of a service


def pictures(
    config: Config, transitions: list[dict[str, Any]], language: str, now: datetime
) -> list[tuple[str, bytes]]:
    """File name and PNG of each service that a message tells of; none where that fails.

    transitions: as `message.compose` takes them. A message is told without its picture rather than
    not at all.
    """
    firing = [t for t in transitions if t["rule"] in ABOUT and t["to_state"] == "firing"]
    found = []
    for row in {row["service_id"]: row for row in firing}.values():
        try:
            found.append((f"alert-{row['alert_id']}.png", _drawn(config, row, language, now)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the words matter more
            log.warning("no_picture", service=row["service"], error=repr(error))
    return found


def _drawn(config: Config, row: dict[str, Any], language: str, now: datetime) -> bytes:
    from sentiment.web import charts, figures
    from sentiment.web.selection import Selection
    from sentiment.web.words import Words

    today = now.astimezone(config.zone).date()
    shown = Selection("", today - SHOWN + timedelta(days=1), today)
    since = json.loads(row["detail"]).get("since")
    onset = max(date.fromisoformat(since), shown.first) if since else shown.first
    with closing(sqlite3.connect(config.database_path)) as conn:
        conn.row_factory = sqlite3.Row
        service = row["service_id"]
        points = figures.series(conn, shown, STEP, service).get(service) or [
            figures.Point(shown.first, 0, None, None, None, {})
        ]
        days = config.alerts.baseline.days
        baseline = figures.baseline(conn, replace(shown, first=onset), service, days)
        alarms = figures.alarms(conn, shown, service)
    words = Words(language, config.zone)
    return charts.png(charts.sentiment(words, points, STEP, baseline, alarms))

"""The chart that goes with a message: the dashboard's own, as a picture for a mail or a chat.

Drawn by a process of its own, `python -m sentiment.picture`: the engine stops all threads of its
process while it draws, and never gives back its memory. A worker that stood still between a
receiver's "accepted" and its own note of that, and was killed then, would send the message twice.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog

if TYPE_CHECKING:
    from sentiment.config import Config

log = structlog.get_logger()

SHOWN = timedelta(weeks=12)
STEP = 7  # days of a point
ABOUT = {"drop", "threshold", "volume", "emotion"}  # rules about what is said of a service
PATIENCE = 60  # seconds; a second or two is usual
_ONE = threading.Lock()  # receivers wait for each other's picture instead of drawing it again


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
        wanted = {
            "database": str(config.database_path),
            "service": row["service_id"],
            "since": json.loads(row["detail"]).get("since"),
            "today": str(now.astimezone(config.zone).date()),
            "zone": str(config.zone),
            "language": language,
            "baseline_days": config.alerts.baseline.days,
        }
        try:
            with _ONE:
                png = _drawn(json.dumps(wanted))
            found.append((f"alert-{row['alert_id']}.png", png))
        except Exception as error:  # noqa: BLE001 - whatever it is, the words matter more
            log.warning("no_picture", service=row["service"], error=repr(error))
    return found


@lru_cache(maxsize=8)
def _drawn(wanted: str) -> bytes:
    """The PNG, from the process that draws; the same for all receivers of one day and language."""
    program = [sys.executable, "-P", "-m", "sentiment.picture"]
    done = subprocess.run(  # noqa: S603
        program, input=wanted.encode(), capture_output=True, timeout=PATIENCE, check=False,
        start_new_session=True,  # Ctrl-C is meant for the worker, which finishes what it sends
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [""]
        raise RuntimeError(f"drawing ended with {done.returncode}: {said[-1][:200]}")
    return done.stdout


def draw(wanted: dict[str, Any]) -> bytes:
    """The PNG of a service's net sentiment. wanted: as `pictures` makes it; dates in ISO 8601."""
    from sentiment.web import charts, figures
    from sentiment.web.selection import Selection
    from sentiment.web.words import Words

    today = date.fromisoformat(wanted["today"])
    shown = Selection("", today - SHOWN + timedelta(days=1), today)
    since, service = wanted["since"], wanted["service"]
    onset = max(date.fromisoformat(since), shown.first) if since else shown.first
    with closing(sqlite3.connect(wanted["database"])) as conn:
        conn.row_factory = sqlite3.Row
        points = figures.series(conn, shown, STEP, service).get(service) or [
            figures.Point(shown.first, 0, None, None, None, {})
        ]
        before = replace(shown, first=onset)
        baseline = figures.baseline(conn, before, service, wanted["baseline_days"])
        alarms = figures.alarms(conn, shown, service)
    words = Words(wanted["language"], ZoneInfo(wanted["zone"]))
    return charts.png(charts.sentiment(words, points, STEP, baseline, alarms))


if __name__ == "__main__":
    sys.stdout.buffer.write(draw(json.load(sys.stdin)))

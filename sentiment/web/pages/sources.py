"""Sources: which are read, what is wrong with the others since when, and what to do about it."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlite_utils import Database

from sentiment.database import today
from sentiment.faults import in_language
from sentiment.status import surveys
from sentiment.web import figures, state

if TYPE_CHECKING:
    import sqlite3

    from datasette.utils.asgi import Response

    from sentiment.config import Config
    from sentiment.web.figures import Row
    from sentiment.web.site import Visit

DAYS = 28  # of a sparkline
LEFT_OUT = 20  # problems shown


async def sources(visit: Visit) -> Response:
    """All sources, the broken ones first."""
    found = await visit.read(gather, visit.site.config, visit.language)
    return await visit.show("sources.html", DAYS=DAYS, **found)


def gather(conn: sqlite3.Connection, config: Config, language: str) -> dict[str, Any]:
    """Everything the page shows. language: of what sources say."""
    last = today(config.zone)
    rows = figures.ask(
        conn,
        "SELECT h.*, s.id, s.problems AS left_out, s.every_seconds FROM source_health h "
        "JOIN sources s ON s.name = h.source "
        "ORDER BY h.health = 'ok', h.health = 'not read yet', h.source COLLATE NOCASE",
    )
    return {
        "sources": [
            row
            | {
                "last_error": in_language(row["last_error"] or "", language),
                "recheck_error": in_language(row["recheck_error"] or "", language),
                "left_out": [
                    in_language(said, language) for said in json.loads(row["left_out"])[-LEFT_OUT:]
                ],
                "by_day": _by_day(conn, row["id"], last),
                "every_minutes": row["every_seconds"] // 60,
            }
            for row in rows
        ],
        "inactive": figures.ask(
            conn,
            "SELECT name, kind, last_success_at FROM sources "
            "WHERE NOT active AND kind <> 'survey' ORDER BY name",
        ),
        "surveys": surveys(Database(conn)),
        "first_day": last - timedelta(days=DAYS - 1),
        "last_day": last,
        "state": state.state(conn, config),
    }


def _by_day(conn: sqlite3.Connection, source: int, last: date) -> list[int]:
    """How many posts were written on each of the last DAYS days."""
    first = last - timedelta(days=DAYS - 1)
    found: list[Row] = figures.ask(
        conn,
        "SELECT day, count(*) AS posts FROM posts WHERE source_id = :source "
        "AND day BETWEEN :first AND :last GROUP BY day",
        {"source": source, "first": str(first), "last": str(last)},
    )
    counts = {row["day"]: row["posts"] for row in found}
    return [counts.get(str(first + timedelta(days=place)), 0) for place in range(DAYS)]

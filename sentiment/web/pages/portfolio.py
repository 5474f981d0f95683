"""The portfolio: what is looked for in posts, and how much of it is found."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sentiment.database import today
from sentiment.web import figures, state

if TYPE_CHECKING:
    import sqlite3

    from datasette.utils.asgi import Response

    from sentiment.config import Config
    from sentiment.web.figures import Row
    from sentiment.web.site import Visit

SHORT, LONG = 28, 90  # days
RULES = ("aliases", "any_of", "all_of", "none_of")


async def portfolio(visit: Visit) -> Response:
    """Services with their names and rules, how often they are mentioned, and customer classes."""
    config = visit.site.config
    found = await visit.read(gather, config)
    findings = await asyncio.to_thread(lambda: visit.site.findings)
    return await visit.show(
        "portfolio.html",
        companies=config.companies,
        findings=findings,
        SHORT=SHORT,
        LONG=LONG,
        RULES=RULES,
        **found,
    )


def gather(conn: sqlite3.Connection, config: Config) -> dict[str, Any]:
    """Everything the page shows."""
    last = today(config.zone)
    counts = _counts(conn, str(last - timedelta(days=LONG - 1)), str(last - timedelta(SHORT - 1)))
    seen = figures.ask(
        conn,
        "SELECT v.id, v.name, v.active, EXISTS (SELECT 1 FROM mentions m WHERE m.service_id = v.id "
        "AND m.company_id IN (SELECT id FROM companies WHERE own)) AS ever "
        "FROM services v",
    )
    known = {row["name"]: row for row in seen}
    quiet = {one.service for one in config.alerts.services if not one.enabled}
    services = [
        {
            "term": service,
            "ever": known[service.name]["ever"],
            "alerts": config.alerts.enabled and service.name not in quiet,
            **_figures(counts, known[service.name]["id"]),
        }
        for service in config.services
        if service.name in known
    ]
    return {
        "services": services,
        "whole": _figures(counts, None),
        "inactive": [row for row in seen if not row["active"]],
        "segments": _segments(conn, str(last - timedelta(days=LONG - 1))),
        "state": state.state(conn, config),
    }


def _counts(conn: sqlite3.Connection, since: str, lately: str) -> list[Row]:
    """Mentions of the last LONG and SHORT days by service, language, and whether ours."""
    return figures.ask(
        conn,
        "SELECT service_id, language, c.own, sum(mentions) AS long, "
        "sum(CASE WHEN day >= :lately THEN mentions ELSE 0 END) AS short "
        "FROM daily_sentiment d JOIN companies c ON c.id = d.company_id AND c.active "
        "WHERE day >= :since AND +source_id NOT IN (SELECT id FROM sources WHERE kind = 'survey') "
        "GROUP BY service_id, language, c.own",
        {"since": since, "lately": lately},
    )


def _figures(counts: list[Row], service: int | None) -> Row:
    """Of one service: short and long counts of ours, our share, and ours by language."""
    of_it = [row for row in counts if row["service_id"] == service]
    ours = [row for row in of_it if row["own"]]
    whole = sum(row["long"] for row in of_it)
    long = sum(row["long"] for row in ours)
    languages = sorted(((row["language"], row["long"]) for row in ours), key=lambda one: -one[1])
    return {
        "short": sum(row["short"] for row in ours),
        "long": long,
        "theirs": whole - long,
        "share": long / whole if whole else None,
        "languages": [(code, count) for code, count in languages if count],
    }


def _segments(conn: sqlite3.Connection, since: str) -> list[Row]:
    """Customer classes of the surveys: answers in all and lately, and the last day."""
    return figures.ask(
        conn,
        "SELECT segment, count(*) AS answers, sum(day >= :since) AS lately, max(day) AS last_day, "
        "count(DISTINCT service_id) AS services FROM survey_responses "
        "WHERE segment IS NOT NULL GROUP BY segment ORDER BY segment",
        {"since": since},
    )

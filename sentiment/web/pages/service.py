"""One service: its figures over time, why, and the posts behind it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from datasette.utils.asgi import NotFound
from sqlite_utils import Database

from sentiment.drivers import drivers_between, kept_drivers
from sentiment.reasons import reason_text
from sentiment.schema.intervals import MIN_VOTES
from sentiment.web import figures, posts, state

if TYPE_CHECKING:
    import sqlite3

    from datasette.utils.asgi import Response

    from sentiment.config import Config
    from sentiment.phrases import Driver
    from sentiment.web.selection import Selection
    from sentiment.web.site import Visit

POSTS = 8


async def service(visit: Visit) -> Response:
    """The page of the service that the address names."""
    name = visit.arguments.get("name", "")
    if name not in {service.name for service in visit.site.config.services}:
        raise NotFound(visit.words.say("no_such_service", name=name[:100]))
    selection = await visit.selection()
    order = "telling" if visit.arguments.get("order") == "telling" else "newest"
    found = await visit.read(gather, visit, selection, name, order)
    return await visit.show(
        "service.html",
        name=name,
        order=order,
        selection=selection,
        choices=await visit.site.choices(),
        **found,
    )


def gather(
    conn: sqlite3.Connection, visit: Visit, selection: Selection, name: str, order: str
) -> dict[str, Any]:
    """Everything the page shows but its charts, which have addresses of their own."""
    site, language = visit.site, visit.language
    rows = [row for row in figures.services(conn, selection) if row["service"] == name]
    own = next(row for row in rows if row["own"])
    step = step_of(selection, own["authors"])
    return {
        "figure": own,
        "competitors": [row for row in rows if not row["own"]],
        "surveys": figures.surveys(conn, selection, own["service_id"]).get(own["service_id"], {}),
        "points": figures.series(conn, selection, step, own["service_id"]).get(
            own["service_id"], []
        ),
        "step": step,
        "by_source": figures.by_source(conn, selection, own["service_id"]),
        "alerts": [
            alert | {"said": reason_text(alert, language)}
            for alert in figures.alerts(conn)
            if alert["service"] == name
        ],
        "drivers": drivers(conn, site.config, selection, name),
        "posts": posts.of_service(
            conn, selection, site.config.company.name, name, order=order, most=POSTS
        ),
        "state": state.state(conn, site.config),
        "MIN_VOTES": MIN_VOTES,
    }


def step_of(selection: Selection, votes: int) -> int:
    """Days a point of a line: single ones where many speak in a month, weeks in a year, else 28."""
    if selection.days <= 31 and votes >= 2 * MIN_VOTES * selection.days:
        return 1
    return 7 if selection.days <= 400 else 28


def drivers(
    conn: sqlite3.Connection, config: Config, selection: Selection, name: str
) -> dict[str, list[Driver]]:
    """The phrases that set negative and positive mentions apart, by polarity.

    Those that the worker keeps for usual periods; for others, and with filters, computed now.
    """
    kept = re.sub(r"^(\d+)d$", r"\1 days", selection.period)
    found = None
    if not selection.source and not selection.language:
        found = kept_drivers(conn, config.company.name, name, kept)
    if found is None:
        found = drivers_between(
            config,
            Database(conn),
            config.company.name,
            name,
            from_day=str(selection.first),
            to_day=str(selection.last),
            source=selection.source,
            language=selection.language,
        )
    return {
        polarity: [driver for driver in found if driver.polarity == polarity]
        for polarity in ("negative", "positive")
    }

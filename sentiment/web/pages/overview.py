"""The first page: how people feel about each service, what changed, and what to open next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sentiment.schema.intervals import MIN_VOTES
from sentiment.web import figures, state

if TYPE_CHECKING:
    import sqlite3

    from datasette.utils.asgi import Response

    from sentiment.web.selection import Selection
    from sentiment.web.site import Site, Visit


async def overview(visit: Visit) -> Response:
    """A row a service, competitors beside it, and the state of things above."""
    selection = await visit.selection()
    found = await visit.read(gather, visit.site, selection)
    return await visit.show(
        "overview.html", selection=selection, choices=await visit.site.choices(), **found
    )


def gather(conn: sqlite3.Connection, site: Site, selection: Selection) -> dict[str, Any]:
    """Everything the page shows."""
    rows = figures.services(conn, selection)
    weeks = replace(
        selection, period="", first=selection.last - timedelta(days=7 * figures.WEEKS - 1)
    )
    order = {service.name: place for place, service in enumerate(site.config.services)}
    own = sorted(
        (row for row in rows if row["own"]), key=lambda row: order.get(row["service"], len(order))
    )
    return {
        "own": own,
        "competitors": _compared(rows, order),
        "lines": figures.series(conn, weeks, 7, smooth=figures.SMOOTH),
        "surveys": figures.surveys(conn, selection),
        "alerts": _by_service(figures.alerts(conn)),
        "state": state.state(conn, site.config),
        "MIN_VOTES": MIN_VOTES,
    }


def _compared(rows: list[figures.Row], order: dict[str, int]) -> dict[str, Any]:
    """Services as rows, companies as columns; services nobody speaks of are left out."""
    names = list(dict.fromkeys(row["company"] for row in rows))
    table: dict[str | None, dict[str, figures.Row]] = {}
    for row in rows:
        table.setdefault(row["service"], {})[row["company"]] = row
    lines = [
        (service, cells)
        for service, cells in table.items()
        if any(cell["authors"] for cell in cells.values())
    ]
    lines.sort(key=lambda line: order.get(line[0] or "", len(order)))
    return {"companies": names, "lines": lines} if len(names) > 1 else {}


def _by_service(alerts: list[figures.Row]) -> dict[str | None, figures.Row]:
    """The most urgent alert of each service."""
    out: dict[str | None, figures.Row] = {}
    for alert in alerts:
        out.setdefault(alert["service"], alert)
    return out

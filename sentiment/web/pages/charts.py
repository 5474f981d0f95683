"""The pictures of a service's page, each at an address of its own, to be linked and saved."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from datasette.utils.asgi import NotFound, Response

from sentiment.web import charts, figures
from sentiment.web.pages.service import step_of

if TYPE_CHECKING:
    import sqlite3

    from sentiment.web.selection import Selection
    from sentiment.web.site import Visit


# Opened by itself, a picture may use its one style, and nothing else.
_STYLE = charts.STYLE.removeprefix("<style>").removesuffix("</style>")
_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'"


async def chart(visit: Visit) -> Response:
    """The picture that the address names, of the service and the selection in its query."""
    name = visit.arguments.get("name", "")
    selection = await visit.selection()
    kind = visit.request.url_vars["chart"]
    svg = await visit.read(draw, visit, selection, name, kind)
    if svg is None:
        raise NotFound(visit.words.say("no_such_service", name=name[:100]))
    headers = {"cache-control": "private, max-age=60", "content-security-policy": POLICY}
    return Response(svg, headers=headers, content_type="image/svg+xml; charset=utf-8")


def draw(
    conn: sqlite3.Connection, visit: Visit, selection: Selection, name: str, kind: str
) -> str | None:
    """A picture; None when there is no such service."""
    found = figures.ask(conn, "SELECT id FROM services WHERE name = :name", {"name": name})
    if not found:
        return None
    words = visit.words
    service_id = found[0]["id"]
    whole = figures.series(conn, selection, selection.days, service_id).get(service_id)
    step = step_of(selection, whole[0].authors if whole else 0)
    if kind == "surveys":
        step = max(step, 7)
    points = figures.series(conn, selection, step, service_id).get(service_id) or [
        figures.Point(selection.first, 0, None, None, None, {})
    ]
    if kind == "emotions":
        return charts.emotions(words, points, step)
    if kind == "surveys":
        answers = figures.survey_series(conn, selection, service_id, step)
        return charts.surveys(words, points, step, answers)
    baseline = figures.baseline(conn, selection, service_id, visit.site.config.alerts.baseline.days)
    alarms = figures.alarms(conn, selection, service_id)
    return charts.sentiment(words, points, step, baseline, alarms)

"""The explorer: every post that was scored, filtered, sorted, and as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from datasette.utils.asgi import AsgiStream

from sentiment.web import explore, figures, posts, state

if TYPE_CHECKING:
    import sqlite3

    from datasette.utils.asgi import Response

    from sentiment.web.explore import Wanted
    from sentiment.web.site import Site, Visit

PAGE = 25
COUNTED = 200  # more are "more than": counting all of them would take too long
CHUNK = 1_000  # rows of the CSV read at a time
COLUMNS = (
    "mention_id", "posted_at", "company", "service", "source", "language", "polarity", "valence",
    "emotion", "rating", "snippet", "url", "model",
)  # fmt: skip


async def explorer(visit: Visit) -> Response:
    """A page of posts."""
    wanted = await _wanted(visit)
    found = await visit.read(gather, visit.site, wanted)
    return await visit.show(
        "posts.html",
        wanted=wanted,
        selection=wanted.selection,
        choices=await visit.site.choices(),
        services=await visit.read(services),
        companies=[company.name for company in visit.site.config.companies],
        COUNTED=COUNTED,
        **found,
    )


async def as_csv(visit: Visit) -> AsgiStream:
    """All the posts that the same address shows, however many, as they are read."""
    wanted = replace(await _wanted(visit), after=None)
    # a mistake is told before the download begins
    keys = await visit.read(explore.found, wanted, visit.site.config.zone, CHUNK)

    async def stream(writer: Any) -> None:
        chunk, shown = keys, wanted
        await writer.write("\ufeff" + _lines([COLUMNS]))  # the mark tells Excel that it is UTF-8
        while chunk:
            rows = await visit.read(explore.rows, [row["mention_id"] for row in chunk])
            await writer.write(_lines([[row[name] for name in COLUMNS] for row in rows]))
            shown = replace(shown, after=(chunk[-1]["place"], chunk[-1]["mention_id"]))
            chunk = await visit.read(explore.found, shown, visit.site.config.zone, CHUNK)

    headers = {"content-disposition": 'attachment; filename="posts.csv"'}
    return AsgiStream(stream, headers=headers, content_type="text/csv; charset=utf-8")


def _lines(rows: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


async def _wanted(visit: Visit) -> Wanted:
    return explore.parse(
        visit.arguments,
        await visit.selection(),
        visit.site.config,
        await visit.read(services),
    )


def services(conn: sqlite3.Connection) -> list[str]:
    """Names of all services that there ever were, those of the portfolio first."""
    found = figures.ask(conn, "SELECT name FROM services ORDER BY active DESC, id")
    return [row["name"] for row in found]


def gather(conn: sqlite3.Connection, site: Site, wanted: Wanted) -> dict[str, Any]:
    """The page's mentions, how many there are in all, and where the next page begins."""
    most = COUNTED if wanted.after is None else PAGE
    keys = explore.found(conn, wanted, site.config.zone, most + 1)
    page = keys[:PAGE]
    rows = explore.rows(conn, [row["mention_id"] for row in page])
    return {
        "posts": posts.labelled(conn, [posts.shown(conn, row) for row in rows]),
        "count": len(keys) if wanted.after is None else None,
        "following": wanted.following(page[-1]) if len(keys) > PAGE else None,
        "state": state.state(conn, site.config),
    }

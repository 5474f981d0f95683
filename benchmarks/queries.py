"""How long readers wait: `python benchmarks/queries.py FILE`, FILE made by benchmarks/million.py.

Prints a Markdown table of milliseconds (median and 95th percentile of --times runs): the canned
queries, the views, the sums behind the overview, what each page counts, and Datasette's pages.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasette.app import Datasette

from sentiment import status
from sentiment.config import load
from sentiment.database import open_database, rows
from sentiment.periods import SUMS, in_window
from sentiment.web.metadata import NAME, SETTINGS, metadata
from sentiment.web.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlite_utils import Database

OWN = "(SELECT name FROM companies WHERE own)"
SQL = {
    **{f"{view}, all": f"SELECT * FROM {view}" for view in (
        "service_daily", "service_weekly", "service_monthly", "service_scorecard", "survey_scores",
        "service_changes", "divergence", "source_health", "active_alerts")},
    **{f"{view}, a service": f"SELECT * FROM {view} WHERE company = {OWN} "
       "AND service = 'Arbeitsrecht'"
       for view in ("service_daily", "service_weekly", "service_monthly")},
    **{f"scored_mentions, newest {what}": f"SELECT * FROM scored_mentions WHERE {where} "
       "ORDER BY posted_at DESC LIMIT 50"
       for what, where in {
           "of all": "1",
           "of a service": "service = 'Arbeitsrecht'",
           "of our service, negative":
               f"company = {OWN} AND service = 'Arbeitsrecht' AND polarity = 'negative'",
           "of a competitor's rare service":
               "company = 'Quellmann Advisory' AND service = 'Energierecht'",
           "of a source in English": "source = 'Trustpilot' AND language = 'en'",
           "with fear": "emotion = 'fear'",
       }.items()},
    "scored_mentions, worst of our service in 28 days":
        f"SELECT * FROM scored_mentions WHERE company = {OWN} AND service = 'Arbeitsrecht' "
        "AND day > date('now', '-28 days') ORDER BY valence LIMIT 10",
    "scored_mentions, count": "SELECT count(*) FROM scored_mentions",
    "model_changes, first": "SELECT * FROM model_changes LIMIT 50",
    "posts found by two words, newest": "SELECT * FROM posts WHERE id IN (SELECT rowid FROM "
        "posts_fts WHERE posts_fts MATCH 'rechnung* AND frist*') ORDER BY id DESC LIMIT 50",
    "12 weekly points a service": "SELECT service_id, start, authors, positive, negative FROM "
        "period_sentiment WHERE unit = 'week' AND source_id = 0 AND language = '' AND "
        "company_id = 1 AND start > date('now', '-84 days')",
}  # fmt: skip
PAGES = (
    "/", f"/{NAME}", f"/{NAME}/scored_mentions", f"/{NAME}/scored_mentions?_nocount=1&_nofacet=1",
    f"/{NAME}/scored_mentions?service=Arbeitsrecht", f"/{NAME}/service_daily",
    f"/{NAME}/service_monthly", f"/{NAME}/service_scorecard", f"/{NAME}/survey_scores",
    f"/{NAME}/source_health", f"/{NAME}/posts", f"/{NAME}/posts?_search=Rechnung",
    f"/{NAME}/mood", f"/{NAME}/why?service=Arbeitsrecht",
    f"/{NAME}/scored_mentions.csv?service=Arbeitsrecht&_size=max",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--times", type=int, default=9)
    options = parser.parse_args()
    print("| what | median ms | p95 ms |\n|---|---|---|")
    config = load(options.file.with_suffix(".toml"))
    with open_database(config) as db:
        for name, work in works(db).items():
            show(name, [timed(work) for _ in range(options.times)])
    asyncio.run(pages(options.file, options.times))


def works(db: Database) -> dict[str, Callable[[], Any]]:
    """What to time, by name."""
    (last,) = rows(db, "SELECT max(day) AS day FROM daily_sentiment")
    today = date.fromisoformat(last["day"])
    found: dict[str, Callable[[], Any]] = {}
    for query in QUERIES:
        values = dict.fromkeys(query.defaults, "")
        found[f"query {query.id}"] = lambda query=query, values=values: list(
            db.query(query.sql("de"), values)
        )
    for days in (28, 90, 365):
        for said, scope in {
            "": {}, ", a source": {"source_id": 3}, ", a language": {"language": "de"},
            ", both": {"source_id": 3, "language": "de"},
        }.items():  # fmt: skip
            found[f"overview {days} days and those before{said}"] = lambda days=days, scope=scope: (
                overview(db, today, days, scope)
            )
    found |= {name: lambda sql=sql: rows(db, sql) for name, sql in SQL.items()}
    found |= {
        "status: waiting": lambda: status.waiting(db),
        "status: surveys": lambda: status.surveys(db),
    }
    return found


def overview(db: Database, today: date, days: int, scope: dict[str, Any]) -> list[Any]:
    """Sums by company and service of a window and the one before."""
    found = []
    for ends in (0, days):
        until = today - timedelta(days=ends)
        sql, values = in_window(until - timedelta(days=days), until, **scope)
        sums = ", ".join(f"sum({name})" for name in SUMS)
        found += db.query(
            f"SELECT company_id, service_id, {sums} FROM ({sql}) GROUP BY 1, 2", values
        )
    return found


async def pages(file: Path, times: int) -> None:
    """Datasette in this process, without a network."""
    told = metadata("de")
    told["databases"][file.stem] = told["databases"].pop(NAME)
    server = Datasette([str(file)], metadata=told, settings=SETTINGS)
    await server.invoke_startup()
    for page in PAGES:
        address = page.replace(f"/{NAME}", f"/{file.stem}", 1)
        taken = []
        for _ in range(max(2, times // 3)):
            started = time.perf_counter()
            answer = await server.client.get(address)
            taken.append(time.perf_counter() - started)
        show(f"`{page}` ({answer.status_code}, {len(answer.content) // 1000} kB)", taken)


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def show(name: str, taken: list[float]) -> None:
    high = statistics.quantiles(taken, n=20, method="inclusive")[-1]
    print(f"| {name} | {1000 * statistics.median(taken):.1f} | {1000 * high:.1f} |", flush=True)


if __name__ == "__main__":
    main()

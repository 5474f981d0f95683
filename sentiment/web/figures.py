"""The figures of the pages, as plain rows; every one with its n and its 95 % interval.

All functions take a read-only connection and a Selection. Net sentiment, intervals and votes are
those of the views (schema/views.py), for any run of days and any filter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from models.labels import EKMAN
from sentiment.periods import in_window
from sentiment.schema.intervals import (
    MIN_VOTES,
    difference_interval,
    mean_bounds,
    net_interval,
)

if TYPE_CHECKING:
    import sqlite3

    from sentiment.web.selection import Selection

Row = dict[str, Any]

WEEKS = 12  # of a sparkline
MANY_DAYS = 31  # from here on survey answers are read as sums by day
SMOOTH = 4  # weeks a point of it sums up
_COUNTS = ("mentions", "authors", "positive", "neutral", "negative", *EKMAN)
_LOW, _HIGH = net_interval("{0}.positive", "{0}.negative", "{0}.authors")


def _net(alias: str) -> tuple[str, str, str]:
    return (
        f"(100.0 * ({alias}.positive - {alias}.negative) / nullif({alias}.authors, 0))",
        f"({_LOW.format(alias)})",
        f"({_HIGH.format(alias)})",
    )


def ask(conn: sqlite3.Connection, sql: str, values: Row | None = None) -> list[Row]:
    """The rows of a query."""
    return [dict(row) for row in conn.execute(sql, values or {}).fetchall()]


def _scope(conn: sqlite3.Connection, selection: Selection) -> tuple[int, str]:
    """Source (0: all of them) and language ('': all of them) as period_sentiment has them."""
    if not selection.source:
        return 0, selection.language or ""
    (source_id,) = conn.execute(
        "SELECT id FROM sources WHERE name = ?", [selection.source]
    ).fetchone()
    return source_id, selection.language or ""


def services(conn: sqlite3.Connection, selection: Selection) -> list[Row]:
    """A row a company and service of the portfolio, and of each company as a whole.

    Keys: company, own, service (None: the company as a whole), service_id, mentions, authors,
    positive, neutral, negative, net, low, high, attention, before (net sentiment), authors_before,
    change with change_low and change_high, beyond_chance, emotion with emotion_share. Figures of
    fewer than MIN_VOTES votes are None.
    """
    source_id, language = _scope(conn, selection)
    windows, values = [], {"least": MIN_VOTES}
    for name, (first, last) in (
        ("now", (selection.first, selection.last)),
        ("before", selection.before),
    ):
        part, more = in_window(
            first - timedelta(days=1), last, source_id=source_id, language=language, prefix=name
        )
        windows.append(f"SELECT {int(name == 'now')} AS now, * FROM ({part})")
        values |= more
    sums = ", ".join(f"sum({name}) AS {name}" for name in _COUNTS)
    now, before = _net("n"), _net("b")
    low, high = difference_interval(now, before)
    found = ask(
        conn,
        f"""
WITH sums AS MATERIALIZED (
    SELECT company_id, nullif(service_id, 0) AS service_id, now, {sums}
    FROM ({" UNION ALL ".join(windows)})
    GROUP BY 1, 2, 3
),
wanted AS (
    SELECT c.id AS company_id, c.name AS company, c.own, v.id AS service_id, v.name AS service
    FROM companies c, (SELECT id, name FROM services WHERE active UNION ALL SELECT NULL, NULL) v
    WHERE c.active
)
SELECT w.company, w.own, w.service, w.service_id,
    {", ".join(f"ifnull(n.{name}, 0) AS {name}" for name in _COUNTS)},
    CASE WHEN n.authors >= :least THEN {now[0]} END AS net,
    CASE WHEN n.authors >= :least THEN {now[1]} END AS low,
    CASE WHEN n.authors >= :least THEN {now[2]} END AS high,
    1.0 * n.mentions / (SELECT sum(mentions) FROM sums WHERE now) AS attention,
    CASE WHEN b.authors >= :least THEN {before[0]} END AS before,
    ifnull(b.authors, 0) AS authors_before,
    CASE WHEN n.authors >= :least AND b.authors >= :least THEN {now[0]} - {before[0]} END AS change,
    CASE WHEN n.authors >= :least AND b.authors >= :least THEN {low} END AS change_low,
    CASE WHEN n.authors >= :least AND b.authors >= :least THEN {high} END AS change_high
FROM wanted w
LEFT JOIN sums n ON n.company_id = w.company_id AND n.service_id IS w.service_id AND n.now
LEFT JOIN sums b ON b.company_id = w.company_id AND b.service_id IS w.service_id AND NOT b.now
ORDER BY w.own DESC, w.company_id, w.service_id IS NULL, w.service_id
""",
        values,
    )
    for row in found:
        row["beyond_chance"] = row["change"] is not None and (
            row["change_low"] > 0 or row["change_high"] < 0
        )
        row["emotion"], row["emotion_share"] = _strongest(row)
    return found


def _strongest(row: Row) -> tuple[str | None, float | None]:
    if row["authors"] < MIN_VOTES:
        return None, None
    emotion = max(EKMAN, key=lambda name: row[name])
    return (emotion, row[emotion] / row["authors"]) if row[emotion] else (None, None)


@dataclass(frozen=True, slots=True)
class Point:
    """Net sentiment of a run of days; net, low and high are None for fewer than MIN_VOTES votes."""

    first: date
    authors: int
    net: float | None
    low: float | None
    high: float | None
    emotions: dict[str, float]


def series(
    conn: sqlite3.Connection,
    selection: Selection,
    step: int,
    service_id: int | None = None,
    smooth: int = 1,
) -> dict[int, list[Point]]:
    """The own services over time, in steps of so many days that end with the selection's last day.

    Keyed by the service's id; with `service_id` only that one. Steps without votes are there, too.
    smooth: how many steps, up to and with its own, each point sums up.
    """
    source_id, language = _scope(conn, selection)
    steps = max(1, -(-selection.days // step)) + smooth - 1
    first = selection.last - timedelta(days=steps * step - 1)
    net, low, high = _net("s")
    sums = ", ".join(f"sum({name}) AS {name}" for name in _COUNTS)
    only = "" if service_id is None else "AND service_id = :service_id"
    found = ask(
        conn,
        f"""
WITH steps AS MATERIALIZED (
    SELECT service_id, CAST((julianday(start) - julianday(:first)) / :step AS INTEGER) AS place,
        {sums}
    FROM period_sentiment
    WHERE unit = 'day' AND source_id = :source_id AND language = :language
        AND start BETWEEN :first AND :last AND company_id = (SELECT id FROM companies WHERE own)
        AND service_id > 0 {only}
    GROUP BY 1, 2
),
later (by) AS (VALUES (0) UNION ALL SELECT by + 1 FROM later WHERE by < :smooth - 1)
SELECT s.*, {net} AS net, {low} AS low, {high} AS high FROM (
    SELECT service_id, place + by - :smooth + 1 AS place, {sums} FROM steps, later
    WHERE place + by BETWEEN :smooth - 1 AND :steps - 1
    GROUP BY 1, 2
) s
""",
        {
            "source_id": source_id,
            "language": language,
            "first": str(first),
            "last": str(selection.last),
            "step": step,
            "steps": steps,
            "smooth": smooth,
            "service_id": service_id,
        },
    )
    begins = [first + timedelta(days=place * step) for place in range(smooth - 1, steps)]
    out: dict[int, list[Point]] = {}
    for row in found:
        points = out.setdefault(
            row["service_id"], [Point(begin, 0, None, None, None, {}) for begin in begins]
        )
        points[row["place"]] = _point(begins[row["place"]], row)
    return out


def _point(first: date, row: Row) -> Point:
    if row["authors"] < MIN_VOTES:
        return Point(first, row["authors"], None, None, None, {})
    emotions = {name: row[name] / row["authors"] for name in EKMAN}
    return Point(first, row["authors"], row["net"], row["low"], row["high"], emotions)


def surveys(
    conn: sqlite3.Connection, selection: Selection, service_id: int | None = None
) -> dict[int, dict[str, Row]]:
    """Survey figures by service id and metric: value, low, high, n, scale_low, scale_high.

    Where a metric was asked on two scales, the one with more answers. Figures of fewer people than
    min_responses are None. With `service_id` only that service's.
    """
    (least,) = conn.execute(
        "SELECT CAST(ifnull(max(value), 5) AS INTEGER) FROM state WHERE key = 'min_responses'"
    ).fetchone()
    days = selection.days > MANY_DAYS and _are_added_up(conn)
    found = _survey_sums(conn, selection, service_id, by_day=days)
    if days:
        # Whoever answered on two days is two people there; where that may decide, look closer.
        unsure = {row["service_id"] for row in found if row["people"] < 10 * least}
        found = [row for row in found if row["service_id"] not in unsure]
        for one in unsure:
            found += _survey_sums(conn, selection, one, by_day=False)
    out: dict[int, dict[str, Row]] = {}
    for row in sorted(found, key=lambda row: int(row["n"])):
        out.setdefault(row["service_id"], {})[row["metric"]] = _survey_figure(row, least)
    return out


def _are_added_up(conn: sqlite3.Connection) -> bool:
    """Whether survey_sums has every answer."""
    (waiting,) = conn.execute("SELECT EXISTS (SELECT 1 FROM stale_survey_days)").fetchone()
    return not waiting


def _survey_sums(
    conn: sqlite3.Connection, selection: Selection, service_id: int | None, *, by_day: bool
) -> list[Row]:
    """Sums of answers by service, metric and scale; of the answers themselves or of sums by day."""
    only = "service_id IS NOT NULL" if service_id is None else "service_id = :service_id"
    if selection.segment:
        only += " AND segment = :segment"
    answers = """
        SELECT service_id, metric, scale_low, scale_high, count(*) AS n,
            count(DISTINCT respondent) + sum(respondent IS NULL) AS people,
            sum(weight) AS w, sum(weight * weight) AS ww, sum(weight * value) AS wx,
            sum(weight * u) AS wu, sum(weight * u * u) AS wuu
        FROM (
            SELECT *, CASE metric WHEN 'nps' THEN (value >= 9) - (value <= 6)
                ELSE (2 * value - scale_low - scale_high) / (scale_high - scale_low) END AS u
            FROM survey_responses WHERE day BETWEEN :first AND :last AND {only}
        )
        GROUP BY service_id, metric, scale_low, scale_high"""
    sums = (
        "SELECT * FROM survey_sums "
        "WHERE unit = 'day' AND period BETWEEN :first AND :last AND {only}"
    )
    u_low, u_high = mean_bounds("wu / w", "wuu / w", "(w * w / ww)")
    return ask(
        conn,
        f"""
SELECT *, wx / w AS mean, {u_low} AS u_low, {u_high} AS u_high FROM (
    SELECT service_id, metric, scale_low, scale_high, sum(n) AS n, sum(people) AS people,
        sum(w) AS w, sum(ww) AS ww, sum(wx) AS wx, sum(wu) AS wu, sum(wuu) AS wuu
    FROM ({(sums if by_day else answers).format(only=only)})
    GROUP BY service_id, metric, scale_low, scale_high
)
""",
        {
            "first": str(selection.first),
            "last": str(selection.last),
            "segment": selection.segment,
            "service_id": service_id,
        },
    )


def _survey_figure(row: Row, least: int) -> Row:
    figure: Row = {"n": row["n"], "scale_low": row["scale_low"], "scale_high": row["scale_high"]}
    if row["people"] < least:
        return figure | {"value": None, "low": None, "high": None}
    if row["metric"] == "nps":
        scale = {"scale_low": -100.0, "scale_high": 100.0}
        value = 100.0 * row["wu"] / row["w"]
        return figure | scale | {"value": value, "low": row["u_low"], "high": row["u_high"]}
    half = (row["scale_high"] - row["scale_low"]) / 200
    return figure | {
        "value": row["mean"],
        "low": row["scale_low"] + half * (row["u_low"] + 100),
        "high": row["scale_low"] + half * (row["u_high"] + 100),
    }


def alerts(conn: sqlite3.Connection) -> list[Row]:
    """Alerts that are pending or firing, firing first."""
    return ask(
        conn,
        "SELECT * FROM active_alerts ORDER BY state = 'firing' DESC, since_at DESC",
    )


def by_source(conn: sqlite3.Connection, selection: Selection, service_id: int) -> list[Row]:
    """The own company's figures of a service by source: source, kind, authors, net, low, high."""
    net, low, high = _net("n")
    return ask(
        conn,
        f"""
SELECT s.name AS source, s.kind, n.mentions, n.authors,
    CASE WHEN n.authors >= :least THEN {net} END AS net,
    CASE WHEN n.authors >= :least THEN {low} END AS low,
    CASE WHEN n.authors >= :least THEN {high} END AS high
FROM (
    SELECT p.source_id, sum(p.mentions) AS mentions, sum(p.authors) AS authors,
        sum(p.positive) AS positive, sum(p.neutral) AS neutral, sum(p.negative) AS negative
    FROM sources s CROSS JOIN period_sentiment p ON p.unit = 'day' AND p.source_id = s.id
        AND p.language = :language AND p.start BETWEEN :first AND :last
        AND p.company_id = (SELECT id FROM companies WHERE own) AND p.service_id = :service_id
    WHERE :source IS NULL OR s.name = :source
    GROUP BY p.source_id
) n JOIN sources s ON s.id = n.source_id
WHERE n.authors > 0
ORDER BY n.authors DESC, s.name
""",
        {
            "source": selection.source,
            "language": selection.language or "",
            "first": str(selection.first),
            "last": str(selection.last),
            "service_id": service_id,
            "least": MIN_VOTES,
        },
    )


def baseline(
    conn: sqlite3.Connection, selection: Selection, service_id: int, days: int
) -> float | None:
    """Net sentiment of so many days before the selection; None for fewer than 4 × MIN_VOTES."""
    earlier = replace(
        selection,
        period="",
        first=selection.first - timedelta(days=days),
        last=selection.first - timedelta(days=1),
    )
    points = series(conn, earlier, days, service_id).get(service_id)
    return points[0].net if points and points[0].authors >= 4 * MIN_VOTES else None


def alarms(conn: sqlite3.Connection, selection: Selection, service_id: int) -> list[Row]:
    """When alerts about a service fired or were over: day, state, rule."""
    return ask(
        conn,
        "SELECT substr(t.happened_at, 1, 10) AS day, t.to_state AS state, a.rule "
        "FROM alert_transitions t JOIN alerts a ON a.id = t.alert_id "
        "WHERE a.service_id = :service_id AND t.to_state IN ('firing', 'resolved') "
        "AND substr(t.happened_at, 1, 10) BETWEEN :first AND :last ORDER BY t.id",
        {
            "service_id": service_id,
            "first": str(selection.first),
            "last": str(selection.last),
        },
    )


def survey_series(
    conn: sqlite3.Connection, selection: Selection, service_id: int, step: int
) -> dict[str, list[tuple[date, Row]]]:
    """Survey figures over time by metric, in steps as `series` has them; hidden ones left out."""
    out: dict[str, list[tuple[date, Row]]] = {}
    steps = max(1, -(-selection.days // step))
    for place in range(steps):
        last = selection.last - timedelta(days=(steps - 1 - place) * step)
        part = replace(selection, period="", first=last - timedelta(days=step - 1), last=last)
        for metric, figure in surveys(conn, part, service_id).get(service_id, {}).items():
            if figure["value"] is not None:
                out.setdefault(metric, []).append((part.first, figure))
    return out

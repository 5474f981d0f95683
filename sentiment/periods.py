"""Windows of days as SQL that reads few rows: whole months as one row, only their ends by day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from models.labels import EKMAN

SUMS = ("raw_mentions", "mentions", "authors", "positive", "neutral", "negative", *EKMAN)
"""What can be added up over any window; emotions are votes in which they are present."""

Span = tuple[str, str, str]  # unit, first and last start


def spans(after: date, until: date) -> list[Span]:
    """The days after `after` up to and including `until` as ranges of months and of days."""
    first, last = after + timedelta(days=1), until
    if first > last:
        return []
    month = first if first.day == 1 else _next_month(first)  # the first whole month
    end = _next_month(last) if _ends_month(last) else last.replace(day=1)  # after the last one
    if month >= end:
        return [("day", str(first), str(last))]
    found = [
        ("day", str(first), str(month - timedelta(days=1))),
        ("month", str(month)[:7], str(end - timedelta(days=1))[:7]),
        ("day", str(end), str(last)),
    ]
    return [span for span in found if span[1] <= span[2]]


def in_window(
    after: date,
    until: date,
    *,
    source_id: int | None = None,
    language: str | None = None,
    prefix: str = "w",
) -> tuple[str, dict[str, Any]]:
    """SQL for the rows that add up to the days after `after` up to `until`, and its parameters.

    Columns: company_id, service_id (0: the company as a whole) and SUMS. Survey comments are not
    among them. prefix: of the parameters' names, for two windows in one query.
    """
    values: dict[str, Any] = {
        f"{prefix}_source": source_id or 0,
        f"{prefix}_language": language or "",
    }
    parts = []
    for place, (unit, first, last) in enumerate(spans(after, until)):
        parts.append(
            f"SELECT company_id, service_id, {', '.join(SUMS)} FROM period_sentiment "
            f"WHERE unit = '{unit}' AND source_id = :{prefix}_source "
            f"AND language = :{prefix}_language "
            f"AND start BETWEEN :{prefix}_first{place} AND :{prefix}_last{place} "
            "AND company_id > 0"
        )
        values |= {f"{prefix}_first{place}": first, f"{prefix}_last{place}": last}
    nothing = f"SELECT company_id, service_id, {', '.join(SUMS)} FROM period_sentiment WHERE 0"
    return " UNION ALL ".join(parts) or nothing, values


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _ends_month(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1

"""What a page shows: the period and the filters, as they stand in its address."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LENGTHS = {"7d": 7, "28d": 28, "90d": 90, "365d": 365}
DEFAULT = "28d"
LONGEST = 3660  # days
EARLIEST = date(1990, 1, 1)


class SelectionError(Exception):
    """The address asks for something that cannot be; `key` and `value` say what."""

    def __init__(self, key: str, value: str) -> None:
        super().__init__(f"{key}={value}")
        self.key, self.value = key, value


@dataclass(frozen=True, slots=True)
class Selection:
    """Days from `first` to `last`, both included; and of which posts and answers.

    period: as in the address: "28d", "2026-10", or "" for days given by from= and to=.
    """

    period: str
    first: date
    last: date
    source: str | None = None
    language: str | None = None
    segment: str | None = None

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> tuple[date, date]:
        """The period to compare with: the month before a month, else as many days before."""
        last = self.first - timedelta(days=1)
        if re.fullmatch(r"\d{4}-\d\d", self.period):
            return last.replace(day=1), last
        return self.first - timedelta(days=self.days), last

    def query(self, **other: str | None) -> str:
        """The query of an address that shows this, with other parameters set or left out."""
        given: dict[str, str | None] = {
            "period": None if self.period == DEFAULT else self.period or None,
            "from": None if self.period else str(self.first),
            "to": None if self.period else str(self.last),
            "source": self.source,
            "language": self.language,
            "segment": self.segment,
        } | other
        return urlencode({key: value for key, value in given.items() if value})


def address(path: str, arguments: Mapping[str, str], **other: str | None) -> str:
    """An address with other parameters set or left out."""
    query = urlencode({k: v for k, v in (dict(arguments) | other).items() if v})
    return f"{path}?{query}" if query else path


def parse(
    arguments: Mapping[str, str],
    today: date,
    *,
    sources: Collection[str],
    languages: Collection[str],
    segments: Collection[str],
) -> Selection:
    """The selection that an address asks for; SelectionError names what cannot be."""
    period, first, last = _period(arguments, today)
    chosen: dict[str, str | None] = {}
    for key, known in (("source", sources), ("language", languages), ("segment", segments)):
        value = arguments.get(key) or None
        if value is not None and value not in known:
            raise SelectionError(key, value)
        chosen[key] = value
    return Selection(period, first, last, **chosen)


def _period(arguments: Mapping[str, str], today: date) -> tuple[str, date, date]:
    start, end = arguments.get("from", ""), arguments.get("to", "")
    period = arguments.get("period") or ("" if start or end else DEFAULT)
    if not period:
        last = _day("to", end) if end else today
        first = _day("from", start) if start else last - timedelta(days=LENGTHS[DEFAULT] - 1)
        if not EARLIEST <= first <= last or (last - first).days >= LONGEST or last.year > 9998:
            raise SelectionError("from", start or end)
        return "", first, last
    if period in LENGTHS:
        return period, today - timedelta(days=LENGTHS[period] - 1), today
    if re.fullmatch(r"(199|20\d|21\d)\d-(0[1-9]|1[0-2])", period, re.ASCII):
        year, month = int(period[:4]), int(period[5:])
        return period, date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
    raise SelectionError("period", period)


def _day(key: str, value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise SelectionError(key, value) from None

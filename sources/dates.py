"""Dates as people and spreadsheets write them, in German and English."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

EXCEL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 (serial numbers count local days from here)
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan januar january jänner",
            "feb februar february feber",
            "mär märz mar march mrz maerz",
            "apr april",
            "mai may",
            "jun juni june",
            "jul juli july",
            "aug august",
            "sep sept september",
            "okt oktober oct october",
            "nov november",
            "dez dezember dec december",
        ),
        start=1,
    )
    for name in names.split()
}
CLOCK = (
    r"(?:[,\s]+(?:(?:um|at)\s+)?(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?)?"
)
GERMAN = re.compile(r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4}|\d{2})" + CLOCK)
DAY_FIRST = re.compile(r"(?P<day>\d{1,2})\.?\s+(?P<month>[^\W\d]+)\.?,?\s+(?P<year>\d{4})" + CLOCK)
MONTH_FIRST = re.compile(r"(?P<month>[^\W\d]+)\.?\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})" + CLOCK)


def parse_date(value: Any, zone: ZoneInfo, pattern: str | None = None) -> datetime:
    """The moment a cell names, in UTC; ValueError when it cannot be told.

    zone: of dates that carry none; a date without a time is that day's first moment.
    pattern: as for strptime; then nothing else is tried on text.

    12/24/2025 is not guessed at: half the world would read it differently.
    """
    try:
        moment = _moment(value, pattern)
        local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return local.astimezone(UTC)
    except (OverflowError, OSError, TypeError) as error:
        raise ValueError(str(value)) from error


def _moment(value: Any, pattern: str | None) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, int | float):
        return _number(float(value))
    text = " ".join(str(value).split())
    if len(text) > 100:
        raise ValueError(text[:100])
    if pattern:
        return datetime.strptime(text, pattern)  # noqa: DTZ007 (the zone follows in parse_date)
    if re.fullmatch(r"\d{5}(\.\d+)?|\d{9,10}|\d{12,13}", text):
        return _number(float(text))
    return _written(re.sub(r"\s*Uhr$", "", text, flags=re.IGNORECASE))


def _written(text: str) -> datetime:
    for form in (GERMAN, DAY_FIRST, MONTH_FIRST):
        found = form.fullmatch(text)
        if found:
            return _parts(found)
    if re.match(r"\d{4}[-/]?\d{2}", text):
        return datetime.fromisoformat(text.replace("/", "-").replace(" UTC", "+00:00"))
    moment = parsedate_to_datetime(text)  # mail and feeds: Wed, 24 Dec 2025 18:30:00 +0100
    if not re.match(r"[A-Za-z]{3},|\d{1,2} [A-Za-z]{3}", text):
        raise ValueError(text)
    return moment


def _parts(found: re.Match[str]) -> datetime:
    month = found["month"].casefold()
    if not month.isdigit() and month not in MONTHS:
        raise ValueError(found[0])
    year = int(found["year"])
    return datetime(  # noqa: DTZ001 (the zone follows in parse_date)
        year + 2000 if year < 100 else year,
        int(month) if month.isdigit() else MONTHS[month],
        int(found["day"]),
        int(found["hour"] or 0),
        int(found["minute"] or 0),
        int(found["second"] or 0),
    )


def _number(value: float) -> datetime:
    """Days since 1900 as Excel counts, or seconds or milliseconds since 1970."""
    if 20_000 <= value < 80_000:
        return EXCEL_ZERO + timedelta(days=value)
    if 1e8 <= value < 1e11:
        return datetime.fromtimestamp(value, UTC)
    if 1e11 <= value < 1e14:
        return datetime.fromtimestamp(value / 1000, UTC)
    raise ValueError(f"{value:g}")

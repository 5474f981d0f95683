"""What HTTP headers say about time: when to come back, and how long an answer stays fresh."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = timedelta(days=1)  # whatever a server asks for, we look again after a day


def http_date(value: str) -> datetime | None:
    """An HTTP date (RFC 9110, 5.6.7) in UTC; None when it is not one."""
    try:
        when = parsedate_to_datetime(value)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def seconds(value: str) -> timedelta | None:
    """A number of seconds, at most a day; None when it is not one."""
    if not re.fullmatch(r"\s*[0-9]{1,300}(\.[0-9]{0,300})?\s*", value):
        return None
    return timedelta(seconds=min(float(value), LONGEST.total_seconds()))


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long to stay away (RFC 9110, 10.2.3), at most a day; None when nothing is asked."""
    value = headers.get("retry-after", "")
    when = http_date(value)
    if when is not None:
        return min(max(when - now, timedelta()), LONGEST)
    return seconds(value)


def fresh_for(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the answer stays fresh by Cache-Control or Expires, at most a day."""
    control = headers.get("cache-control", "").lower()
    if "no-cache" in control or "no-store" in control:
        return None
    age = re.search(r"max-age\s*=\s*\"?(\d+)", control)
    if age:
        return seconds(age[1]) or None
    expires = http_date(headers.get("expires", ""))
    if expires is None or expires <= now:
        return None
    return min(expires - now, LONGEST)


def longest(*waits: timedelta | None) -> timedelta | None:
    """The longest of some waits, at most a day; None when there is none."""
    known = [wait for wait in waits if wait]
    return min(max(known), LONGEST) if known else None

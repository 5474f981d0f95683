"""Reading a service's JSON without trusting it: None where something is not what it should be."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from sources.base import SourceError

HIGHEST = 2**63 - 1


def read_json(body: bytes, what: str = "the answer") -> dict[str, Any]:
    """The object in a JSON document; SourceError where it is none."""
    value = read_any_json(body, what)
    if not isinstance(value, dict):
        raise SourceError(f"{what} is not what the service's documentation promises")
    return value


def read_any_json(body: bytes, what: str = "the answer") -> Any:
    """The value of a JSON document; SourceError where it is none."""
    try:
        return json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{what} is {what_it_is(body)}, not JSON") from error


def number(value: Any) -> int | None:
    """A whole number that is not negative, written as one or in digits."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value):
        value = int(value)
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= HIGHEST
    return value if fits else None


def stars(value: Any) -> float | None:
    """A rating from 1 to 5; None where it is none."""
    given = number(value)
    return float(given) if given is not None and 1 <= given <= 5 else None


def text(value: Any) -> str:
    """A text; empty where it is none."""
    return value if isinstance(value, str) else ""


def mapping(value: Any) -> dict[str, Any]:
    """An object; empty where it is none."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; what is something else is left out."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def epoch(value: Any) -> datetime | None:
    """Seconds since 1970 as a moment in UTC."""
    seconds = value if isinstance(value, float) and math.isfinite(value) else number(value)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def iso_time(value: Any) -> datetime | None:
    """An ISO 8601 moment in UTC; without a zone it is taken for UTC."""
    try:
        moment = datetime.fromisoformat(text(value).strip())
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def what_it_is(body: bytes) -> str:
    """Words for a body that is not what was expected."""
    start = body[:200].lstrip().lower()
    if not start:
        return "empty"
    return "a web page (HTML)" if start.startswith((b"<!doctype html", b"<html")) else "cut short"


def _web_address(url: str) -> str:
    if not re.match(r"https?://[^\s/?#]+", url, re.IGNORECASE):
        raise ValueError("expected an address that begins with https:// or http://")
    return url.rstrip("/")


def _said(term: str) -> str:
    if not re.search(r"\w", term) or len(term) > 200:
        raise ValueError("expected words to look for, at most 200 characters")
    return " ".join(term.split())


WebAddress = Annotated[str, AfterValidator(_web_address)]
"""A setting: the address of a service, without a slash at its end."""

Terms = Annotated[list[Annotated[str, AfterValidator(_said)]], Field(max_length=50)]
"""A setting: words or phrases to search for."""

"""What feedparser makes of hostile bytes: as much as can be had, and nothing cut in half."""

from __future__ import annotations

import io
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from sources.base import SourceError
from sources.text import as_utf8

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = re.compile(rb"<(?:[\w.-]+:)?(?:rss|feed|rdf)\b[^<>]*>", re.IGNORECASE)
CLOSED_ROOT = re.compile(rb"</(?:[\w.-]+:)?(?:rss|feed|rdf)\s*>", re.IGNORECASE)
ENTRY = re.compile(rb"<(?:[\w.-]+:)?(?:item|entry)(?=[\s>])", re.IGNORECASE)
END = re.compile(rb"</(?:[\w.-]+:)?(?:item|entry)\s*>", re.IGNORECASE)
PAIR = re.compile(rb"&#(5[56]\d{3});&#(5[67]\d{3});")  # an emoji in two halves, as Java writes it
REFERENCE = re.compile(rb"&#(?:x([0-9a-fA-F]{1,9})|([0-9]{1,9}));")
MAX_ONE_BY_ONE = 2_000  # entries


class Parsed(NamedTuple):
    """A feed as feedparser sees it.

    complete: the document was received to its end.
    unreadable: entries that feedparser itself fails on.
    """

    channel: Any
    entries: list[Any]
    complete: bool
    unreadable: int = 0


def parse(body: bytes, content_type: str = "") -> Parsed:
    """The channel and the entries of a document; SourceError when it is no feed."""
    received, utf8 = body, as_utf8(body)
    if utf8 is not None:
        body, content_type = utf8, "application/xml; charset=utf-8"
    body = REFERENCE.sub(_possible, PAIR.sub(_joined, body))
    whole = _attempt(body, content_type)
    complete = not (whole is None or whole["bozo"]) or _closed(body)
    if not complete:
        # Broken off: the last entry may be half a post, so it waits for the whole document.
        body = _whole_entries(body)
        whole = _attempt(body, content_type)
    if whole is None:
        return _one_by_one(body, content_type, complete=complete)
    if not whole.get("version") and not whole["entries"]:
        raise SourceError(f"{_what(received)} came back where a feed was expected")
    return Parsed(whole.get("feed") or {}, whole["entries"], complete)


def _attempt(body: bytes, content_type: str) -> Any:
    """Feedparser's result; None where it fails.

    It is given a stream and no address: it fetches nothing, and the ids it finds do not depend
    on where the document lives.
    """
    import feedparser  # kept out of start-up

    try:
        return feedparser.parse(
            io.BytesIO(body),
            response_headers={"content-type": content_type},
            sanitize_html=False,  # the adapter keeps plain text only
            resolve_relative_uris=False,
        )
    except Exception:  # noqa: BLE001 (hostile bytes make it fail in any way)
        return None


def _one_by_one(body: bytes, content_type: str, *, complete: bool) -> Parsed:
    """Each entry on its own, so that one that cannot be read does not hide the others."""
    root = ROOT.search(body)
    if root is None:
        raise SourceError("the feed cannot be read")
    entries: list[Any] = []
    unreadable = 0
    for entry in islice(_entries(body), MAX_ONE_BY_ONE):
        parsed = _attempt(body[: root.end()] + entry, content_type)
        entries += parsed["entries"] if parsed else []
        unreadable += parsed is None
    if not entries:
        raise SourceError("the feed cannot be read")
    return Parsed({}, entries, complete, unreadable)


def _entries(body: bytes) -> Iterator[bytes]:
    start = ENTRY.search(body)
    while start and (end := END.search(body, start.end())):
        yield body[start.start() : end.end()]
        start = ENTRY.search(body, end.end())


def _closed(body: bytes) -> bool:
    return CLOSED_ROOT.search(body.replace(b"\0", b"")) is not None


def _whole_entries(body: bytes) -> bytes:
    """The document up to its last whole entry; its first tag alone when it has none."""
    ends = [match.end() for match in END.finditer(body)]
    if ends:
        return body[: ends[-1]]
    root = ROOT.search(body)
    return body[: root.end()] if root else b""


def _joined(halves: re.Match[bytes]) -> bytes:
    """One character reference from two surrogate halves."""
    high, low = int(halves[1]), int(halves[2])
    if 0xD800 <= high < 0xDC00 <= low < 0xE000:
        return b"&#%d;" % (0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    return halves[0]


def _possible(reference: re.Match[bytes]) -> bytes:
    """The reference, unless no such character exists."""
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    exists = code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0x110000
    return reference[0] if exists else b""


def _what(body: bytes) -> str:
    """What came back in place of a feed, for the operator."""
    start = body[:2000].replace(b"\0", b"").strip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if not start:
        return "an empty answer"
    if start.startswith((b"{", b"[")):
        return "JSON"
    if b"<html" in start or b"<!doctype html" in start:
        return "a web page (HTML)"
    return "something that is no XML" if not start.startswith(b"<") else "XML of another kind"

"""Sample posts as the world would deliver them: RSS, Atom, and the CSV exports of a portal."""

from __future__ import annotations

import csv
import html
import re
import xml.etree.ElementTree as ET
from email.utils import format_datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from sentiment.sample import SamplePost

    Dated = tuple[SamplePost, datetime]

ATOM = "http://www.w3.org/2005/Atom"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
RATING = "http://itunes.apple.com/rss"
TITLES = {
    "forum": "Forum Recht und Alltag (Beispiel, frei erfunden)",
    "social": "Beiträge aus sozialen Netzen (Beispiel, frei erfunden)",
    "news": "Presse und Blogs (Beispiel, frei erfunden)",
    "reviews": "Bewertungen der Kanzlei Wiedehopf & Zirbenstolz (Beispiel, frei erfunden)",
}
ARCHIVED_AFTER = 28  # days; older reviews are in the portal's archive, in its old encoding
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(directory: Path, posts: list[Dated]) -> None:
    """Write feeds/ and exports/; posts: newest first."""
    (directory / "feeds").mkdir(exist_ok=True)
    (directory / "exports").mkdir(exist_ok=True)
    for feed, title in TITLES.items():
        make = _atom if feed == "social" else _rss
        tree = ET.ElementTree(make(title, feed, _of(feed, posts)))
        ET.indent(tree)
        tree.write(directory / "feeds" / f"{feed}.xml", encoding="utf-8", xml_declaration=True)
    exports = _of("exports", posts)
    old = [pair for pair in exports if pair[0].days_ago > ARCHIVED_AFTER]
    new = [pair for pair in exports if pair[0].days_ago <= ARCHIVED_AFTER]
    _csv(directory / "exports" / "beispiel-archiv.csv", old, "cp1252")
    _csv(directory / "exports" / "beispiel-aktuell.csv", new, "utf-8")


def _of(feed: str, posts: Iterable[Dated]) -> list[Dated]:
    return [pair for pair in posts if pair[0].feed == feed]


def _rss(title: str, feed: str, posts: list[Dated]) -> ET.Element:
    ET.register_namespace("dc", DUBLIN_CORE)
    ET.register_namespace("im", RATING)
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    _add(channel, "title", title)
    _add(channel, "link", f"https://{feed}.example.org/")
    _add(channel, "description", "SAMPLE - fictional. Every post is invented.")
    _add(channel, "language", "de")
    for post, at in posts:
        item = ET.SubElement(channel, "item")
        if post.title:
            _add(item, "title", post.title)
        _add(item, "description", _html(post))
        _add(item, "link", post.url or "")
        _add(item, "guid", post.id, isPermaLink="false")
        _add(item, "pubDate", format_datetime(at))
        _add(item, f"{{{DUBLIN_CORE}}}creator", post.author)
        if post.rating is not None:
            _add(item, f"{{{RATING}}}rating", f"{post.rating:g}")
    return root


def _atom(title: str, feed: str, posts: list[Dated]) -> ET.Element:
    ET.register_namespace("", ATOM)
    root = ET.Element(f"{{{ATOM}}}feed")
    _add(root, f"{{{ATOM}}}id", f"https://{feed}.example.org/")
    _add(root, f"{{{ATOM}}}title", title)
    _add(root, f"{{{ATOM}}}subtitle", "SAMPLE - fictional. Every post is invented.")
    _add(root, f"{{{ATOM}}}updated", posts[0][1].isoformat())
    for post, at in posts:
        entry = ET.SubElement(root, f"{{{ATOM}}}entry")
        _add(entry, f"{{{ATOM}}}id", f"tag:{feed}.example.org,2025:{post.id}")
        _add(entry, f"{{{ATOM}}}title", post.title)
        _add(entry, f"{{{ATOM}}}published", at.isoformat())
        _add(entry, f"{{{ATOM}}}updated", at.isoformat())
        _add(ET.SubElement(entry, f"{{{ATOM}}}author"), f"{{{ATOM}}}name", post.author)
        ET.SubElement(entry, f"{{{ATOM}}}link", href=post.url or "")
        _add(entry, f"{{{ATOM}}}content", _html(post), type="html")
    return root


def _add(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = NOT_IN_XML.sub("", text)


def _html(post: SamplePost) -> str:
    """The post as feeds carry it; hostile markup goes through as it was written."""
    if post.markup:
        return post.text
    paragraphs = html.escape(post.text, quote=False).split("\n\n")
    return "".join(f"<p>{paragraph.replace(chr(10), '<br>')}</p>" for paragraph in paragraphs)


def _csv(path: Path, posts: list[Dated], encoding: str) -> None:
    zone = ZoneInfo("Europe/Berlin")
    with path.open("w", encoding=encoding, newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["Nr", "Datum", "Name", "Sterne", "Kommentar"])
        for post, at in posts:
            date = at.astimezone(zone).strftime("%d.%m.%Y %H:%M")
            stars = f"{post.rating:g}".replace(".", ",") if post.rating is not None else ""
            rows.writerow([post.id, date, post.author, stars, post.text])

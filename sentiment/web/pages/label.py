"""Correcting a label: it is stored beside the score, with who gave it and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog
from datasette.utils.asgi import NotFound, Response

from models.labels import EKMAN
from sentiment.labels import LabelError, label, take_back
from sentiment.web import access, explore, posts

if TYPE_CHECKING:
    import sqlite3

    from sentiment.web.figures import Row
    from sentiment.web.site import Visit

log = structlog.get_logger()


async def correction(visit: Visit) -> Response:
    """GET asks what a mention means; POST stores it, or takes it back. Both need a login."""
    sent = await visit.form() if visit.request.method == "POST" else visit.arguments
    number, back = sent.get("mention", ""), access.safe_path(sent.get("next", "/posts"))
    if not (number.isdecimal() and len(number) <= 18):
        raise NotFound(visit.words.say("no_such_mention"))
    if not visit.user:
        return visit.log_in_first(None if visit.request.method == "GET" else back)
    if visit.request.method == "POST":
        return await _store(visit, int(number), sent, back)
    mention = await visit.read(_mention, int(number))
    if mention is None or not mention["parts"]:
        raise NotFound(visit.words.say("no_such_mention"))
    own = [row for row in mention["labels"] if row["labelled_by"] == visit.user]
    return await visit.show(
        "label.html",
        mention=mention,
        own=own[0] if own else None,
        polarity=own[0]["polarity"] if own else mention["polarity"],
        emotions=own[0]["emotions"] if own else [n for n in EKMAN if (mention[n] or 0) >= 0.5],
        all_emotions=EKMAN,
        next=back,
    )


async def _store(visit: Visit, number: int, sent: dict[str, str], back: str) -> Response:
    words, user = visit.words, str(visit.user)
    if "take_back" in sent:
        done = await visit.write(take_back, number, user)
        return visit.go(back, words.say("label_taken_back" if done else "label_none"), well=done)
    emotions = [name for name in EKMAN if name in sent]
    polarity, now = sent.get("polarity", ""), datetime.now(UTC)
    try:
        await visit.write(label, number, polarity, emotions, user, now)
    except LabelError as error:
        return visit.go(back, words.say(f"label_{error.key}"), well=False)
    log.info("labelled", mention=number, by=user)
    return visit.go(back, words.say("label_stored"))


def _mention(conn: sqlite3.Connection, number: int) -> Row | None:
    rows: list[dict[str, Any]] = explore.rows(conn, [number])
    return posts.labelled(conn, [posts.shown(conn, rows[0])])[0] if rows else None

"""Alerts: what is wrong, since when and why; who was told; and what people do about it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog
from datasette.utils.asgi import Response
from sqlite_utils import Database

from sentiment.alert import acknowledge, silence, unsilence
from sentiment.config import parse_duration
from sentiment.database import timestamp
from sentiment.message import explained, weightiest
from sentiment.reasons import reason_text
from sentiment.web import explore, figures, posts, state

if TYPE_CHECKING:
    import sqlite3

    from sentiment.web.figures import Row
    from sentiment.web.site import Visit

log = structlog.get_logger()

LENGTHS = ("2h", "1d", "3d", "1w", "4w")
HISTORY = 40  # transitions
TOLD = ("pending", "firing", "resolved")  # states that people care for
LONGEST = 300  # characters of a comment
PAGE = "/alerts"


async def alerts(visit: Visit) -> Response:
    """All that is active, explained; what was; what is silenced."""
    found = await visit.read(gather, visit)
    services = [service.name for service in visit.site.config.services]
    return await visit.show("alerts.html", services=services, LENGTHS=LENGTHS, **found)


def gather(conn: sqlite3.Connection, visit: Visit) -> dict[str, Any]:
    """Everything the page shows."""
    now = datetime.now(UTC)
    history = _history(conn, visit.language)
    return {
        "active": [_active(conn, row, visit.language, now) for row in figures.alerts(conn)],
        "history": history,
        "silences": figures.ask(
            conn,
            "SELECT s.*, v.name AS service FROM alert_silences s "
            "LEFT JOIN services v ON v.id = s.service_id WHERE s.until_at > :now ORDER BY until_at",
            {"now": timestamp(now)},
        ),
        "receivers": visit.site.config.receivers,
        "enabled": visit.site.config.alerts.enabled,
        "state": state.state(conn, visit.site.config),
    }


TRANSITIONS = """
SELECT t.id, t.alert_id, t.from_state, t.to_state, t.reason, t.detail, t.happened_at, t.queued_at,
    a.rule, a.subject, a.service_id, v.name AS service
FROM alert_transitions t
JOIN alerts a ON a.id = t.alert_id
LEFT JOIN services v ON v.id = a.service_id
"""


def _active(conn: sqlite3.Connection, alert: Row, language: str, now: datetime) -> Row:
    """An active alert with title, paragraphs, reason, posts and what was sent of it."""
    (last,) = figures.ask(
        conn,
        f"{TRANSITIONS} WHERE t.alert_id = :id ORDER BY t.id DESC LIMIT 1",
        {"id": alert["alert_id"]},
    )
    title, paragraphs = explained(Database(conn), last, language, now)
    found = [posts.shown(conn, row) for row in explore.rows(conn, weightiest(Database(conn), last))]
    return alert | {
        "title": title,
        "paragraphs": paragraphs,
        "reason": reason_text(last, language),
        "posts": posts.labelled(conn, found),
        "sent": _sent(conn, last["id"]),
    }


def _history(conn: sqlite3.Connection, language: str) -> list[Row]:
    """The latest changes that people care for, with their reasons and what was sent of them."""
    found = figures.ask(
        conn,
        f"{TRANSITIONS} WHERE t.to_state IN (SELECT value FROM json_each(:told)) "
        "ORDER BY t.id DESC LIMIT :most",
        {"told": json.dumps(TOLD), "most": HISTORY},
    )
    return [
        row | {"reason": reason_text(row, language), "sent": _sent(conn, row["id"])}
        for row in found
    ]


def _sent(conn: sqlite3.Connection, transition: int) -> list[Row]:
    """Who was told of a transition, or why not yet."""
    return figures.ask(
        conn,
        "SELECT receiver, status, attempts, next_attempt_at, last_error, delivered_at "
        "FROM notifications WHERE transition_id = :id ORDER BY receiver",
        {"id": transition},
    )


async def acknowledging(visit: Visit) -> Response:
    """Somebody knows of an alert."""
    if refusal := _refusal(visit):
        return refusal
    number = (await visit.form()).get("alert", "")
    done = _is_id(number) and await visit.write(acknowledge, int(number), datetime.now(UTC))
    log.info("alert_acknowledged", alert=number[:20], by=visit.user, done=done)
    said = visit.words.say("acknowledged_now" if done else "not_firing")
    return visit.go(PAGE, said, well=done)


async def silencing(visit: Visit) -> Response:
    """Nothing about a service, or anything, for a while."""
    if refusal := _refusal(visit):
        return refusal
    sent, words, now = await visit.form(), visit.words, datetime.now(UTC)
    service, length = sent.get("service") or None, sent.get("for", "")
    if length not in LENGTHS:
        return visit.go(PAGE, words.say("silence_for_what"), well=False)
    comment = posts.TRICKS.sub("", sent.get("comment", "")).strip()[:LONGEST]
    comment = f"{comment} ({visit.user})" if comment else f"({visit.user})"
    until = now + parse_duration(length)
    if not await visit.write(silence, service, until, comment, now):
        return visit.go(PAGE, words.say("no_such_service", name=str(service)[:100]), well=False)
    log.info("silenced", service=service, until=timestamp(until), by=visit.user)
    about = service or words.say("everything")
    return visit.go(PAGE, words.say("silenced_now", service=about, until=words.time(str(until))))


async def unsilencing(visit: Visit) -> Response:
    """A silence ends now."""
    if refusal := _refusal(visit):
        return refusal
    number = (await visit.form()).get("silence", "")
    done = _is_id(number) and await visit.write(unsilence, int(number), datetime.now(UTC))
    log.info("unsilenced", silence=number[:20], by=visit.user, done=done)
    return visit.go(PAGE, visit.words.say("unsilenced_now" if done else "no_silence"), well=done)


def _refusal(visit: Visit) -> Response | None:
    """A link changes nothing, and neither does anybody who has not logged in."""
    if visit.request.method != "POST":
        return Response.redirect(PAGE)
    return None if visit.user else visit.log_in_first(PAGE)


def _is_id(text: str) -> bool:
    return text.isdecimal() and len(text) <= 18

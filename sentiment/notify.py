"""Notify: put transitions into the outbox, then send what waits there until it is delivered.

At least once: a row stands in the outbox before anything is sent, and is marked only after the
receiver has accepted. Whoever dies in between sends the same message again, with the same number.
"""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from sentiment.database import rows, timestamp, transaction
from sentiment.message import Message, compose
from sentiment.picture import pictures

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlite_utils import Database

    from sentiment.config import Config, Receiver

    Send = Callable[[Receiver, Message], None]

log = structlog.get_logger()

PATIENCE = 30.0  # seconds for one message to one receiver
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
OPERATIONS = {"source"}  # rules that operators want to hear of


class DeliveryError(Exception):
    """The receiver did not take the message; the sentence says why, without its address."""


def notify(
    config: Config,
    db: Database,
    *,
    now: datetime | None = None,
    send: Send | None = None,
    stopping: Callable[[], bool] = lambda: False,
    only: str | None = None,
) -> int:
    """Queue what is new and send what is due; returns the number of messages delivered.

    only: the name of the one receiver to tell; without it, all.
    """
    now = now or datetime.now(UTC)
    queue(config, db, now)
    _expire(config, db, now)
    _withhold(db, now)
    delivered = 0
    for receiver in config.receivers:
        if only not in (None, receiver.name):
            continue
        if stopping() or is_quiet(receiver, now.astimezone(config.zone)):
            continue
        for message_id in _due(db, receiver, now):
            if stopping():
                break
            delivered += _deliver(config, db, receiver, message_id, now, send or via_apprise)
    return delivered


def queue(config: Config, db: Database, now: datetime) -> None:
    """Outbox rows for the transitions that nobody has queued; those of one pass go together."""
    found = rows(db, f"{TRANSITIONS} WHERE t.queued_at IS NULL ORDER BY t.id")
    if not found:
        return
    with transaction(db):
        for row in found:
            taken = db.execute(
                "UPDATE alert_transitions SET queued_at = ? WHERE id = ? AND queued_at IS NULL",
                [timestamp(now), row["id"]],
            )
            if taken.rowcount and is_told(row):
                _queue(config, db, row, now)


def is_told(transition: dict[str, Any]) -> bool:
    """People hear that an alert fires, goes on, or is over; the rest is for the books."""
    return transition["to_state"] in ("firing", "resolved")


def _queue(config: Config, db: Database, row: dict[str, Any], now: datetime) -> None:
    tag = "operator" if row["rule"] in OPERATIONS else "marketing"
    for receiver in config.receivers:
        of_interest = not receiver.services or row["service"] in (None, *receiver.services)
        if tag in receiver.tags and of_interest:
            db.execute(
                "INSERT OR IGNORE INTO notifications "
                "(transition_id, receiver, status, created_at) VALUES (?, ?, 'waiting', ?)",
                [row["id"], receiver.name, timestamp(now)],
            )


def _expire(config: Config, db: Database, now: datetime) -> None:
    """What could not be delivered in time, and what waits for somebody no longer configured."""
    for receiver in config.receivers:
        db.execute(
            "UPDATE notifications SET status = 'expired' "
            "WHERE status = 'waiting' AND receiver = ? AND created_at < ?",
            [receiver.name, timestamp(now - receiver.expires_after)],
        )
    marks = ", ".join("?" * len(config.receivers))
    db.execute(
        "UPDATE notifications SET status = 'expired', last_error = 'no such receiver any more' "
        f"WHERE status = 'waiting' AND receiver NOT IN ({marks})",
        [receiver.name for receiver in config.receivers],
    )


def _withhold(db: Database, now: datetime) -> None:
    """Nothing about what is silenced or acknowledged, however long it has waited."""
    db.execute(
        "UPDATE notifications SET status = 'withheld' WHERE status = 'waiting' AND transition_id "
        "IN (SELECT t.id FROM alert_transitions t JOIN alerts a ON a.id = t.alert_id "
        "WHERE a.acknowledged_at IS NOT NULL OR EXISTS (SELECT 1 FROM alert_silences s "
        "WHERE s.until_at > ? AND s.created_at <= ? "
        "AND (s.service_id IS NULL OR s.service_id = a.service_id)))",
        [timestamp(now), timestamp(now)],
    )


def _due(db: Database, receiver: Receiver, now: datetime) -> list[int]:
    """Ids of the messages to send now; what waits without one becomes one message."""
    with transaction(db):
        fresh = rows(
            db,
            "SELECT min(id) AS first FROM notifications "
            "WHERE receiver = ? AND status = 'waiting' AND message_id IS NULL",
            receiver.name,
        )[0]["first"]
        if fresh is not None:
            db.execute(
                "UPDATE notifications SET message_id = ? "
                "WHERE receiver = ? AND status = 'waiting' AND message_id IS NULL",
                [fresh, receiver.name],
            )
    found = rows(
        db,
        "SELECT DISTINCT message_id FROM notifications WHERE receiver = ? AND status = 'waiting' "
        "AND (next_attempt_at IS NULL OR next_attempt_at <= ? OR next_attempt_at > ?) "
        "ORDER BY message_id",
        receiver.name,
        timestamp(now),
        timestamp(now + 2 * LONGEST_WAIT),  # put off by a clock that was ahead
    )
    return [row["message_id"] for row in found]


TRANSITIONS = """
SELECT t.id, t.alert_id, t.from_state, t.to_state, t.reason, t.detail, t.happened_at,
    a.rule, a.subject, a.service_id, v.name AS service
FROM alert_transitions t
JOIN alerts a ON a.id = t.alert_id
LEFT JOIN services v ON v.id = a.service_id
"""


def _deliver(  # noqa: PLR0917
    config: Config, db: Database, receiver: Receiver, message_id: int, now: datetime, send: Send
) -> bool:
    _withhold(db, datetime.now(UTC) if send is via_apprise else now)
    waiting = rows(
        db,
        f"{TRANSITIONS} JOIN notifications n ON n.transition_id = t.id "
        "WHERE n.receiver = ? AND n.message_id = ? AND n.status = 'waiting' ORDER BY t.id",
        receiver.name,
        message_id,
    )
    if not waiting:
        return False
    language = receiver.language or config.language
    message = compose(db, message_id, waiting, language, now)
    message = replace(message, pictures=tuple(pictures(config, waiting, language, now)))
    try:
        send(receiver, message)
    except DeliveryError as error:
        _postpone(db, receiver, message_id, str(error), now)
        return False
    marks = ", ".join("?" * len(waiting))
    db.execute(
        "UPDATE notifications SET status = 'delivered', attempts = attempts + 1, "
        f"delivered_at = ?, last_error = NULL WHERE receiver = ? AND transition_id IN ({marks})",
        [timestamp(now), receiver.name, *(row["id"] for row in waiting)],
    )
    log.info("notified", receiver=receiver.name, message=message_id)
    return True


def _postpone(db: Database, receiver: Receiver, message_id: int, error: str, now: datetime) -> None:
    attempts = rows(
        db,
        "SELECT max(attempts) AS n FROM notifications WHERE receiver = ? AND message_id = ?",
        receiver.name,
        message_id,
    )[0]["n"]
    db.execute(
        "UPDATE notifications SET attempts = attempts + 1, last_error = ?, next_attempt_at = ? "
        "WHERE receiver = ? AND message_id = ? AND status = 'waiting'",
        [error, timestamp(now + backoff(attempts)), receiver.name, message_id],
    )
    log.warning("not_notified", receiver=receiver.name, message=message_id, error=error)


def backoff(attempts: int) -> timedelta:
    """Half a minute, doubled with each failure up to an hour, a little at random."""
    wait = min(FIRST_WAIT * 2 ** min(attempts, 10), LONGEST_WAIT)
    return timedelta(seconds=wait.total_seconds() * random.uniform(0.9, 1.1))  # noqa: S311


def is_quiet(receiver: Receiver, local: datetime) -> bool:
    """Whether the clock on the wall lies in the receiver's quiet hours; they may span midnight."""
    if receiver.quiet_hours is None:
        return False
    start, end = receiver.quiet_hours.split("-")
    clock = f"{local:%H:%M}"
    return start <= clock < end if start <= end else clock >= start or clock < end


def via_apprise(receiver: Receiver, message: Message) -> None:
    """Send in a thread of its own: a receiver that hangs is given up, whatever its protocol."""
    outcome: list[bool] = []

    def work() -> None:
        from apprise import Apprise, AppriseAttachment, NotifyType
        from apprise.attachment.memory import AttachMemory

        charts = AppriseAttachment()
        for name, png in message.pictures:
            picture = AttachMemory(content=png, name=name, mimetype="image/png")  # type: ignore[no-untyped-call]
            charts.add(picture)

        apprise = Apprise()
        apprise.add(receiver.url.get_secret_value())
        outcome.append(
            bool(
                apprise.notify(
                    title=message.title,
                    body=message.body,
                    notify_type=NotifyType.WARNING,
                    body_format="text",
                    attach=charts if message.pictures else None,
                    timeout=PATIENCE,
                )
            )
        )

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(PATIENCE + 2)
    if thread.is_alive():
        raise DeliveryError(f"no answer within {PATIENCE:.0f} seconds")
    if outcome != [True]:
        raise DeliveryError("the receiver refused the message or could not be reached")

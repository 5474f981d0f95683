"""Alert: let every rule look, and write what follows as transitions, each with its reason.

Telling people is the next stage's business (see notify.py): its work list is the transitions that
nobody has queued yet.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from sentiment import drop, rules
from sentiment.database import count, get_state, rows, set_state, timestamp, transaction
from sentiment.decision import Evidence, Pace, Standing, course
from sentiment.reasons import Reason, why
from sentiment.rules import PACE, Seen
from sentiment.survey_rule import Answers

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlite_utils import Database

    from sentiment.config import Config
    from sentiment.decision import Transition

log = structlog.get_logger()

TOLD = {"pending", "firing", "resolved"}  # in the log of the daemon
BACKLOG = 20  # posts that may wait to be read while the rest is judged
FIRST_READING = timedelta(days=1)  # that alerts wait for a source that was never read
CHECKED = "alerts checked"  # in `state`: when, for `due`
WAITING = "alerts wait since"  # in `state`: for a first reading

Key = tuple[str, int | None, str]  # rule, service and subject of an alert


def due(db: Database, now: datetime, every_seconds: float = 60) -> bool:
    """Whether so much time has passed since the last pass that silence may be news."""
    last = get_state(db, CHECKED)
    if last is None:
        return True
    passed = (now - datetime.fromisoformat(last)).total_seconds()
    return abs(passed) >= every_seconds  # or the clock was ahead


def alert(
    config: Config,
    db: Database,
    *,
    now: datetime | None = None,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> int:
    """One pass over all rules; returns the number of transitions."""
    if not config.alerts.enabled:
        return 0
    now = now or datetime.now(UTC)
    changed = operations(config, db, now)
    if _first_reading(db, now):
        return changed  # nothing ends and nothing begins
    services = rules.watched(db, config)
    frozen = _frozen(db, config, now)
    looked: set[Key] = set()
    for done, service in enumerate(services, start=1):
        if stopping():
            return changed
        done_now, keys = _service(db, config, service, now, frozen)
        changed, looked = changed + done_now, looked | keys
        progress(done, len(services))
    for seen in Answers(db, config, now, now).look(now):
        changed += _settle(db, seen, now)
        looked.add(seen.key)
    changed += _unwatched(db, looked, now, "rule <> 'source'")
    changed += _remind(config, db, now)
    set_state(db, CHECKED, timestamp(now))
    return changed


def operations(config: Config, db: Database, now: datetime | None = None) -> int:
    """What concerns the operator; judged apart, too, for when the other stages fail."""
    if not config.alerts.enabled:
        return 0
    now = now or datetime.now(UTC)
    changed, looked = 0, set()
    for seen in rules.operations(db, config, now):
        changed += _settle(db, seen, now)
        looked.add(seen.key)
    return changed + _unwatched(db, looked, now, "rule = 'source'")


def _unwatched(db: Database, looked: set[Key], now: datetime, which: str) -> int:
    """End what no rule looks at any more: the configuration has changed, and nobody else would."""
    found = rows(
        db,
        "SELECT rule, service_id, subject FROM alerts "
        f"WHERE state IN ('pending', 'firing', 'resolved') AND {which}",
    )
    keys = [(row["rule"], row["service_id"], row["subject"]) for row in found]
    left = Evidence(over=why("unwatched"))
    return sum(_settle(db, Seen(*key, left), now) for key in keys if key not in looked)


def _first_reading(db: Database, now: datetime) -> bool:
    """Whether a source was never read: whoever judges now judges by the quickest of them.

    A reading that takes longer than a day, or hangs, does not hold up the alerts on all others.
    """
    unread = count(db, "SELECT count(*) FROM sources WHERE active = 1 AND last_attempt_at IS NULL")
    since = get_state(db, WAITING)
    if not unread:
        if since is not None:
            db.execute("DELETE FROM state WHERE key = ?", [WAITING])
        return False
    if since is None:
        set_state(db, WAITING, timestamp(now))
        return True
    return abs(now - datetime.fromisoformat(since)) < FIRST_READING


def _frozen(db: Database, config: Config, now: datetime) -> Reason | None:
    """Why nothing may be concluded at all: the picture is not complete yet."""
    model = get_state(db, "model") or ""
    waiting = count(
        db,
        "SELECT count(*) FROM mentions m JOIN posts p ON p.id = m.post_id "
        "WHERE p.erased_at IS NULL AND p.day >= ? AND (m.model < ? OR m.model > ?)",
        (now - config.alerts.baseline).date().isoformat(),
        model,
        model,
    )
    if waiting:
        return why("unscored", n=waiting)
    unmatched = count(
        db, "SELECT count(*) FROM posts WHERE matched_by IS NULL AND erased_at IS NULL"
    )
    return why("unmatched", n=unmatched) if unmatched > BACKLOG else None


def _service(
    db: Database, config: Config, service: dict[str, Any], now: datetime, frozen: Reason | None
) -> tuple[int, set[Key]]:
    """The sequential test of a service, and the plainer rules when it has nothing to say.

    Returns how many alerts have changed, and which were looked at.
    """
    config = rules.of_service(config, service["name"])
    changed, lost = _drop(db, config, service, now, frozen)
    looked: set[Key] = {("drop", service["id"], "")}
    frozen = frozen or lost
    state = _row(db, "drop", service["id"], "", now)["state"]
    for seen in rules.look(db, config, service["id"], service["name"], now):
        told = seen.evidence
        if frozen:
            told = Evidence(frozen=frozen)
        elif state == "firing":
            told = Evidence(over=why("told"))
        elif state == "pending":
            told = replace(told, level="quiet")  # nothing begins beside a suspicion
        changed += _settle(db, replace(seen, evidence=told), now)
        looked.add(seen.key)
    return changed, looked


def _drop(
    db: Database, config: Config, service: dict[str, Any], now: datetime, frozen: Reason | None
) -> tuple[int, Reason | None]:
    row = _row(db, "drop", service["id"], "", now)
    if frozen:
        return _settle(db, Seen("drop", service["id"], "", Evidence(frozen=frozen)), now), frozen
    detail = json.loads(row["detail"])
    model = get_state(db, "model") or ""
    if detail.get("model") not in (None, model) and row["state"] != "firing":
        detail["start_at"] = timestamp(now)  # a new model has no say on what was before it
    start = datetime.fromisoformat(detail["start_at"]) if detail.get("start_at") else None
    fired_at = datetime.fromisoformat(row["since_at"]) if row["state"] == "firing" else None
    assessed = drop.assess_once(db, config, service["id"], model, now, start, fired_at=fired_at)
    broken = [
        source["name"]
        for source in rows(db, "SELECT * FROM sources WHERE active = 1")
        if rules.trouble(source, now, config.alerts.source.silent_for)
    ]
    evidence = drop.evidence(assessed, broken, fired_at, config, now)
    if fired_at and evidence.over and evidence.over.code in ("usual", "unheard"):
        detail["start_at"] = timestamp(now)  # what has become usual is not told again
    facts: dict[str, Any] = {}
    told_now = row["state"] != "firing" or _due_again(config, db, now, row["id"])
    if assessed and assessed.watch.open and evidence.level == "alarm" and told_now:
        facts = drop.explain(db, config, service["id"], assessed, assessed.watch.open)
    elif row["state"] == "firing" or (assessed and assessed.watch.open):
        facts = detail.get("facts", {})
    detail |= {"model": model, "facts": facts}
    if assessed:
        detail |= {"score": _finite(assessed.watch.score), "level": assessed.test.level}
    seen = Seen("drop", service["id"], "", evidence, facts)
    return _settle(db, seen, now, detail), evidence.frozen


def _finite(score: float) -> float | None:
    return round(score, 3) if abs(score) < 1e6 else None


def _row(
    db: Database, rule: str, service: int | None, subject: str, now: datetime
) -> dict[str, Any]:
    """The alert's row, made when there is none."""
    where = "rule = ? AND ifnull(service_id, 0) = ifnull(?, 0) AND subject = ?"
    key = (rule, service, subject)
    found = rows(db, f"SELECT * FROM alerts WHERE {where}", *key)
    if not found:
        db.execute(
            "INSERT OR IGNORE INTO alerts (rule, company_id, service_id, subject, state, since_at) "
            "SELECT ?, (SELECT id FROM companies WHERE own = 1), ?, ?, 'ok', ?",
            [*key, timestamp(now)],
        )
        found = rows(db, f"SELECT * FROM alerts WHERE {where}", *key)
    return found[0]


def _settle(db: Database, seen: Seen, now: datetime, detail: dict[str, Any] | None = None) -> int:
    """Decide, and write the transitions; returns how many."""
    row = _row(db, seen.rule, seen.service, seen.subject, now)
    old = json.loads(row["detail"])
    facts = seen.facts or old.get("facts", {})  # where nothing can be said, what was said last
    kept = json.dumps({**old, **(detail or {"facts": facts})}, sort_keys=True)
    ended = old.get("ended_at")
    standing = Standing(
        row["state"],
        datetime.fromisoformat(row["since_at"]),
        datetime.fromisoformat(ended) if ended else None,
    )
    steps = course(standing, seen.evidence, now, PACE.get(seen.rule, Pace()))
    if not steps and kept == row["detail"]:
        return 0
    with transaction(db):
        if not _claim(db, row, steps, kept, now):
            return 0  # somebody else has decided meanwhile
        _write(db, row, steps, facts, now)
    for state, reason in steps:
        tell = log.info if state in TOLD else log.debug
        tell("alert", rule=seen.rule, subject=seen.subject, state=state, reason=str(reason))
    return len(steps)


def _claim(
    db: Database, row: dict[str, Any], steps: list[Transition], detail: str, now: datetime
) -> bool:
    """Move the alert's row on, if it still is as it was read."""
    state = steps[-1][0] if steps else row["state"]
    if state == "resolved" and steps:
        detail = json.dumps({**json.loads(detail), "ended_at": timestamp(now)}, sort_keys=True)
    acknowledged = row["acknowledged_at"] if state in (row["state"], "firing") else None
    moved = db.execute(
        "UPDATE alerts SET state = ?, since_at = ?, detail = ?, acknowledged_at = ? "
        "WHERE id = ? AND state = ? AND since_at = ? AND acknowledged_at IS ?",
        [
            state,
            timestamp(now) if steps else row["since_at"],
            detail,
            acknowledged,
            row["id"],
            row["state"],
            row["since_at"],
            row["acknowledged_at"],
        ],
    )
    return bool(moved.rowcount == 1)


def _write(
    db: Database,
    row: dict[str, Any],
    steps: list[Transition],
    facts: dict[str, Any],
    now: datetime,
) -> None:
    before = row["state"]
    for state, reason in steps:
        detail = facts | {"reason": reason.stored()}
        muted = row["acknowledged_at"] is not None and state == "resolved"
        db.execute(
            "INSERT INTO alert_transitions "
            "(alert_id, from_state, to_state, reason, happened_at, detail, queued_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                row["id"],
                before,
                state,
                str(reason),
                timestamp(now),
                json.dumps(detail, sort_keys=True, ensure_ascii=False),
                timestamp(now) if muted else None,  # acknowledged: nothing more is sent
            ],
        )
        before = state


DUE_AGAIN = """
SELECT a.*, t.detail AS told, s.transition_id IS NOT NULL AS withheld
FROM alerts a
JOIN alert_transitions t ON t.id = (SELECT max(id) FROM alert_transitions WHERE alert_id = a.id)
LEFT JOIN (SELECT DISTINCT transition_id FROM notifications WHERE status = 'withheld') s
    ON s.transition_id = t.id AND NOT EXISTS (
        SELECT 1 FROM alert_silences q WHERE q.until_at > :now AND q.created_at <= :now
        AND (q.service_id IS NULL OR q.service_id = a.service_id))
WHERE a.state = 'firing' AND a.acknowledged_at IS NULL AND (s.transition_id IS NOT NULL
    OR abs(julianday(:now) - julianday(t.happened_at)) >= :days - 1e-6)
"""


def _due_again(
    config: Config, db: Database, now: datetime, alert_id: int | None = None
) -> list[dict[str, Any]]:
    """Alerts, or the one, that fire and are to be told once more.

    After each repeat interval, and when a silence is over in which they could not be told; what
    somebody has acknowledged is left alone.
    """
    values = {"now": timestamp(now), "days": config.alerts.repeat / timedelta(days=1)}
    return [row for row in db.query(DUE_AGAIN, values) if alert_id in (None, row["id"])]


def _remind(config: Config, db: Database, now: datetime) -> int:
    """Tell again what is due, with the figures of today."""
    with transaction(db):
        found = _due_again(config, db, now)
        for row in found:
            again = why("unsilenced") if row["withheld"] else why("goes on")
            step: Transition = ("firing", again)
            facts = json.loads(row["detail"]).get("facts") or json.loads(row["told"])
            _write(db, row, [step], facts, now)
    return len(found)


def listed(db: Database) -> list[dict[str, Any]]:
    """Alerts that are not ok, and what became of them last."""
    return rows(
        db,
        "SELECT a.id, a.rule, v.name AS service, a.subject, a.state, a.since_at, "
        "a.acknowledged_at, (SELECT reason FROM alert_transitions WHERE alert_id = a.id "
        "ORDER BY id DESC LIMIT 1) AS reason "
        "FROM alerts a LEFT JOIN services v ON v.id = a.service_id "
        "WHERE a.state IN ('pending', 'firing', 'resolved') ORDER BY a.state, a.since_at DESC",
    )


def acknowledge(db: Database, alert_id: int, now: datetime) -> bool:
    """Somebody knows of a firing alert: nothing more is sent until it is over."""
    done = db.execute(
        "UPDATE alerts SET acknowledged_at = ? WHERE id = ? AND state = 'firing'",
        [timestamp(now), alert_id],
    )
    return bool(done.rowcount == 1)


def silence(
    db: Database, service: str | None, until: datetime, comment: str, now: datetime
) -> bool:
    """Send nothing about a service (or anything) until then; False for an unknown service."""
    found = rows(db, "SELECT id FROM services WHERE name = ? AND active = 1", service)
    if service is not None and not found:
        return False
    db.execute(
        "INSERT INTO alert_silences (service_id, until_at, comment, created_at) "
        "VALUES (?, ?, ?, ?)",
        [found[0]["id"] if found else None, timestamp(until), comment, timestamp(now)],
    )
    return True


def unsilence(db: Database, silence_id: int, now: datetime) -> bool:
    """End a silence; it stays in the books. False when there is none that goes on."""
    done = db.execute(
        "UPDATE alert_silences SET until_at = ? WHERE id = ? AND until_at > ?",
        [timestamp(now), silence_id, timestamp(now)],
    )
    return bool(done.rowcount == 1)


def plan(config: Config, db: Database, now: datetime, points: float) -> list[dict[str, Any]]:
    """What to expect of each service: votes a day, days to a false alarm, days to see a drop."""
    from sentiment.detection import plan as expect

    model = get_state(db, "model") or ""
    out = []
    for service in rules.watched(db, config):
        row: dict[str, Any] = {"service": service["name"], "points": points}
        own = rules.of_service(config, service["name"])
        assessed = drop.assess(db, own, service["id"], model, now, keep=False)
        if assessed is None:
            out.append({**row, "votes_a_day": None})
            continue
        calm, _ = drop.undisturbed(
            assessed.heard.votes, own.alerts, drop.rate(config), assessed.start_at
        )
        out.append(
            {
                **row,
                "votes_a_day": round(calm.a_day(), 2),
                **asdict(expect(calm, assessed.test, drop.rate(config), points / 100)),
            }
        )
    return out

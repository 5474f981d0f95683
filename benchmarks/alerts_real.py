"""Every alarm that real streams would have raised, and what their stars say about it.

    python -m benchmarks.alerts_real --data FOLDER [--only NAME …] [--service NAME …] [--measure]

Ten insurers' reviews of 27 months, a legal insurer's of six years and six days of tweets at six
airlines are fed to the worker's own alert stage in the order in which they were written: after each
hour in which a post came, and once a day, everything known by then is judged. Texts are scored once
by the bundled classifier; the scores lie in a file beside the system's temporary ones. Stars are
seen by nobody but this report. It holds no text of the sets.

`--measure` says instead how such streams behave, from their stars alone: how many times the usual
number a busy day has, how alike its voices are, how far serial dependence inflates the variance of
a fortnight's mean, and how far weekdays differ. The simulations of alerts.py have these figures.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import logging
import math
import re
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import structlog

from benchmarks import alerts_fast  # noqa: F401 - the same sums, compiled
from models import classifier
from models.classifier import Passage
from models.labels import EKMAN
from sentiment.alert import alert
from sentiment.config import Config
from sentiment.database import open_database, rows, set_state, timestamp
from sentiment.rollup import rollup

if TYPE_CHECKING:
    from collections.abc import Iterator

SETS = ("reviews_petinsurance_en", "reviews_oerag_de", "airline_stream")
HANDLES = {
    "united": "United", "usairways": "US Airways", "southwestair": "Southwest",
    "jetblue": "JetBlue", "americanair": "American", "virginamerica": "Virgin America",
}  # fmt: skip
CLEAR = 2.0  # standard errors by which the stars must have fallen to bear an alarm out
DAY = timedelta(days=1)
MODEL = "bundled"


@dataclass(frozen=True)
class Post:
    """A post of a set. stars: 1 to 5 or None."""

    service: str
    text: str
    at: datetime
    stars: float | None


def read(folder: Path, name: str) -> list[Post]:
    """A set in order of time; tweets go to the airline whose handle they name first."""
    path = next((folder / name).glob("stream*.jsonl.gz"))
    posts = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            text = "\n".join(filter(None, [record.get("title"), record["text"]]))
            service = record.get("entity") or name
            if name == "airline_stream":
                handles = re.findall(r"@(\w+)", text.lower())
                service = next((HANDLES[one] for one in handles if one in HANDLES), service)
            at = datetime.fromisoformat(record["time"]).astimezone(UTC)
            posts.append(Post(service, text, at, record["labels"].get("stars")))
    return sorted(posts, key=lambda post: post.at)


def scored(posts: list[Post], name: str) -> np.ndarray:
    """Three polarities and six emotions of each post (posts, 9); from the cache if it is there."""
    model = classifier.load()
    key = hashlib.sha256("\0".join([model.revision, *(p.text for p in posts)]).encode())
    path = Path(tempfile.gettempdir()) / f"alerts-real-{name}-{key.hexdigest()[:12]}.npy"
    known = np.load(path) if path.exists() else np.empty((0, 9))
    while len(known) < len(posts):
        part = posts[len(known) : len(known) + 500]
        found = [
            [said.negative, said.neutral, said.positive, *(said.emotions[e] for e in EKMAN)]
            for said in model.classify([Passage(post.text) for post in part])
        ]
        known = np.concatenate([known, found])
        np.save(path, known)
        print(f"  {name}: {len(known)} of {len(posts)} scored", file=sys.stderr, flush=True)
    return known


def replay(
    posts: list[Post], scores: np.ndarray, services: int, folder: Path
) -> tuple[list[dict], list[dict]]:
    """Feed a service's posts to the worker's alert stage: its alarms, and its states at the end.

    services: how many the set has; they share two accepted false alarms a year.
    """
    config = Config.model_validate(
        {
            "company": {"name": "Company"},
            "services": [{"name": posts[0].service}],
            "sources": [{"name": "stream", "kind": "file", "path": "posts"}],
            "folder": folder,
            "alerts": {
                "false_alarms_per_year": 2 / services,
                "survey": {"enabled": False},
                "source": {"enabled": False},
            },
        }
    )
    with open_database(config) as db:
        set_state(db, "model", MODEL)
        ids = {row["name"]: row["id"] for row in rows(db, "SELECT id, name FROM services")}
        for now, some in _hours(posts):
            with db.conn:
                for number in some:
                    _store(db, number, posts[number], ids, scores[number])
                db.execute(
                    "UPDATE sources SET last_attempt_at = ?, last_success_at = ?",
                    [timestamp(now)] * 2,
                )
            rollup(db)
            alert(config, db, now=now)
        return rows(db, FIRED), rows(db, STATES)


FIRED = """
SELECT t.id, a.rule, a.subject, v.name AS service, t.happened_at, t.reason, t.detail, (
    SELECT min(e.happened_at) FROM alert_transitions e
    WHERE e.alert_id = a.id AND e.id > t.id AND e.to_state = 'resolved') AS ended_at
FROM alert_transitions t JOIN alerts a ON a.id = t.alert_id
JOIN services v ON v.id = a.service_id
WHERE t.to_state = 'firing' AND t.from_state = 'pending' ORDER BY t.id
"""
STATES = """
SELECT v.name AS service, a.rule, a.state, (SELECT reason FROM alert_transitions
    WHERE alert_id = a.id ORDER BY id DESC LIMIT 1) AS reason
FROM alerts a JOIN services v ON v.id = a.service_id ORDER BY 1, 2
"""


def _hours(posts: list[Post]) -> Iterator[tuple[datetime, list[int]]]:
    """After each hour with a post, and at the end of each day: the moment, and what is new."""
    moments: dict[datetime, list[int]] = {}
    for number, post in enumerate(posts):
        hour = post.at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        moments.setdefault(hour, []).append(number)
    day = posts[0].at.replace(hour=23, minute=59, second=0, microsecond=0)
    while day < posts[-1].at:
        moments.setdefault(day, [])
        day += DAY
    yield from sorted(moments.items())


def _store(db, number: int, post: Post, ids: dict[str, int], values: np.ndarray) -> None:
    negative, neutral, positive = values[:3].tolist()
    polarity = ("negative", "neutral", "positive")[int(values[:3].argmax())]
    now = timestamp(post.at)
    db.execute(
        "INSERT INTO posts (id, source_id, external_id, title, text, posted_at, day, "
        "collected_at, content_hash, matched_by) VALUES (?, 1, ?, '', '', ?, ?, ?, '', 'r')",
        [number + 1, str(number), now, post.at.date().isoformat(), now],
    )
    db.execute(
        "INSERT INTO mentions (id, post_id, company_id, service_id, spans, snippet, model) "
        "VALUES (?, ?, 1, ?, '[]', '', ?)",
        [number + 1, number + 1, ids[post.service], MODEL],
    )
    db.execute(
        "INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [number + 1, MODEL, polarity, negative, neutral, positive, positive - negative, now],
    )
    for emotion, probability in zip(EKMAN, values[3:].tolist(), strict=True):
        db.execute("INSERT INTO emotions VALUES (?, ?, ?, ?)",
                   [number + 1, MODEL, emotion, probability])  # fmt: skip


def witness(posts: list[Post], service: str, onset: datetime, alarm: datetime) -> str:
    """The stars of 90 days before against those from the onset to a fortnight after the alarm."""
    starred = [p for p in posts if p.service == service and p.stars is not None]
    before = [p.stars for p in starred if onset - 90 * DAY <= p.at < onset]
    since = [p.stars for p in starred if onset <= p.at < alarm + 14 * DAY]
    if min(len(before), len(since)) < 5:
        return "no stars to compare"
    a, b = np.array(before), np.array(since)
    error = math.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    z = (a.mean() - b.mean()) / max(error, 1e-9)
    verdict = "fell" if z >= CLEAR else "fell, within chance" if z > 0 else "did not fall"
    return f"{a.mean():.2f} → {b.mean():.2f} (n = {len(b)}, {z:.1f} errors): {verdict}"


def measure(posts: list[Post], service: str) -> str:
    """How a service's stream behaves; sd: standard deviations of a voice."""
    starred = [(p.at, p.stars) for p in posts if p.service == service and p.stars is not None]
    ordinal = np.array([at.date().toordinal() for at, _ in starred])
    stars = np.array([value for _, value in starred])
    z = np.zeros(len(stars))
    for quarter in np.unique(ordinal // 90):  # slow changes are no moods
        some = ordinal // 90 == quarter
        z[some] = (stars[some] - stars[some].mean()) / max(stars[some].std(), 0.3)
    day = ordinal - ordinal[0]
    n = np.bincount(day).astype(float)
    total, square = np.bincount(day, z), np.bincount(day, z**2)
    a_day = n.mean()
    busy = n > 3 * a_day + 3
    pairs = (n * (n - 1))[busy].sum()
    alike = (total**2 - square)[busy].sum() / pairs if pairs else float("nan")
    within = (total**2 - square).sum() / (n * (n - 1)).sum()
    lags = [(total[:-k] * total[k:]).sum() / (n[:-k] * n[k:]).sum() for k in range(1, 7)]
    inflation = 1 + (n**2).mean() / a_day * within + 2 * a_day * sum(lags)
    weekdays = [z[ordinal % 7 == k].mean() for k in range(7)]
    return (
        f"{service}: {a_day:.1f} a day, their variance {n.var() / a_day:.1f} × Poisson's; "
        f"{busy.sum()} busy days of {len(n)}, up to {n.max() / a_day:.0f} × usual, voices alike "
        f"{alike:.2f}; inflation {inflation:.2f}; weekdays from {min(weekdays):+.2f} to "
        f"{max(weekdays):+.2f} sd"
    )


def line(name: str, posts: list[Post], row: dict) -> str:
    """A row of the table."""
    alarm = datetime.fromisoformat(row["happened_at"])
    facts = json.loads(row["detail"])
    since = facts.get("since")
    onset = datetime.fromisoformat(since).replace(tzinfo=UTC) if since else alarm - 14 * DAY
    hangs = [what for what, kept in facts.get("without", {}).items() if not kept]
    return (
        f"| {name} | {row['service']} | {row['rule']} {row['subject']} | {since or ''} "
        f"| {alarm.date()} | {(row['ended_at'] or 'open')[:10]} | {row['reason']} "
        f"| {', '.join(hangs) or 'nothing alone'} "
        f"| {witness(posts, row['service'], onset, alarm)} |"
    )


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--service", nargs="+", help="only of these services of a set")
    parser.add_argument("--score-only", action="store_true")
    parser.add_argument("--measure", action="store_true")
    given = parser.parse_args()
    if given.measure:
        for name in given.only[:2]:
            posts = read(given.data, name)
            for service in sorted({post.service for post in posts}):
                print(measure(posts, service))
        return
    print("| set | service | rule | since | alarm | over | why | hangs on | stars |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in given.only:
        posts = read(given.data, name)
        scores = scored(posts, name)
        names = sorted({post.service for post in posts})
        if given.score_only:
            continue
        for service in given.service or names:
            keep = [number for number, post in enumerate(posts) if post.service == service]
            some = [posts[number] for number in keep]
            with tempfile.TemporaryDirectory() as folder:
                fired, states = replay(some, scores[keep], len(names), Path(folder))
            for row in fired:
                print(line(name, some, row), flush=True)
            said = "; ".join(f"{s['rule']} {s['state']} ({s['reason']})" for s in states)
            print(f"  {name}, {service}, at the end: {said}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

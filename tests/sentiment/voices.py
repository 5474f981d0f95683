"""Scored posts without a model: a service's past, written straight into the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np

from sentiment.database import count, set_state, timestamp
from sentiment.rollup import rollup

START = datetime(2026, 1, 5, 8, tzinfo=UTC)  # a Monday
MODEL = "m@1"
KINDS = {-1: (0.9, 0.07, 0.03), 0: (0.1, 0.8, 0.1), 1: (0.03, 0.07, 0.9)}
PAST = (0.2, 0.2, 0.6)  # shares of negative, neutral, positive
SOUR = (0.8, 0.1, 0.1)


def say(db, at, kind, *, service=1, source=1, author=None, url=None, model=MODEL, copy_of=None):
    """One post about a service, read and scored."""
    number = count(db, "SELECT ifnull(max(id), 0) + 1 FROM posts")
    db.execute(
        "INSERT INTO posts (id, source_id, external_id, url, author, title, text, posted_at, day, "
        "collected_at, content_hash, matched_by, duplicate_of) "
        "VALUES (?, ?, ?, ?, ?, '', 'text', ?, ?, ?, '', 'r', ?)",
        [number, source, f"x{number}", url, author, timestamp(at), at.date().isoformat(),
         timestamp(at), copy_of],
    )  # fmt: skip
    db.execute(
        "INSERT INTO mentions (id, post_id, company_id, service_id, spans, snippet) "
        "VALUES (?, ?, 1, ?, ?, ?)",
        [number, number, service, json.dumps([[0, 4]]), f"Wortlaut {number}"],
    )
    score(db, number, kind, model)
    return number


def score(db, number, kind, model=MODEL):
    """Judge a mention, anew or for the first time."""
    names = {-1: "negative", 0: "neutral", 1: "positive"}
    negative, neutral, positive = KINDS[kind]
    db.execute(
        "INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, '2026-01-01T00:00:00+00:00')",
        [number, model, names[kind], negative, neutral, positive, positive - negative],
    )
    for emotion, there in (("anger", kind < 0), ("joy", kind > 0), ("fear", False)):
        db.execute(
            "INSERT OR REPLACE INTO emotions VALUES (?, ?, ?, ?)",
            [number, model, emotion, 0.9 if there else 0.1],
        )
    db.execute("UPDATE mentions SET model = ? WHERE id = ?", [model, number])


def live(db, first, days, shares=PAST, *, a_day=3, seed=0, **values):
    """Days of voices from day number `first` on; returns the evening after the last."""
    rng = np.random.default_rng([seed, first])
    for day in range(first, first + days):
        for number in range(a_day):
            at = START + timedelta(days=day, hours=12 * number / a_day)
            say(db, at, int(rng.choice([-1, 0, 1], p=shares)), **values)
    set_state(db, "model", MODEL)
    rollup(db)
    now = START + timedelta(days=first + days - 1, hours=13)
    all_read(db, now)
    return now


def all_read(db, now):
    """Every source was read successfully just now."""
    db.execute(
        "UPDATE sources SET last_attempt_at = ?, last_success_at = ?, error_count = 0",
        [timestamp(now)] * 2,
    )

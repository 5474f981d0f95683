"""Whether what is shown is complete: what is still being read or scored, and what does not work."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING, Any

from sentiment.web.figures import ask

if TYPE_CHECKING:
    import sqlite3

    from sentiment.config import Config


def state(conn: sqlite3.Connection, config: Config) -> dict[str, Any]:
    """Keys: posts (whether there are any), to_score, to_match, worker (runs), broken sources."""
    (posts,) = conn.execute("SELECT EXISTS (SELECT 1 FROM posts)").fetchone()
    (scored,) = conn.execute("SELECT EXISTS (SELECT 1 FROM daily_sentiment)").fetchone()
    (to_match,) = conn.execute(
        "SELECT count(*) FROM posts WHERE matched_by IS NULL AND erased_at IS NULL"
    ).fetchone()
    (to_score,) = conn.execute(
        "SELECT count(*) FROM mentions m JOIN posts p ON p.id = m.post_id "
        "WHERE m.model IS NULL AND p.erased_at IS NULL"
    ).fetchone()
    broken = ask(
        conn,
        "SELECT source, health, last_error, next_attempt_at FROM source_health "
        "WHERE health IN ('failing', 'silent', 'disabled') ORDER BY source",
    )
    runs = worker_runs(config)
    return {
        "posts": bool(posts),
        "scored": bool(scored),
        "to_match": to_match,
        "to_score": to_score,
        "worker": runs,
        # without a worker every source falls silent, and that is said already
        "broken": [row for row in broken if runs or row["health"] != "silent"],
    }


def worker_runs(config: Config) -> bool:
    """Whether a worker holds the lock beside the database (see lock.py)."""
    path = config.database_path.with_name(config.database_path.name + ".lock")
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False

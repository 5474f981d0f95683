"""Allowances in the database: they outlive the process, and all sources with one key share them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sentiment.database import count, timestamp, transaction
from sources.allowances import LONGEST, step

if TYPE_CHECKING:
    from sqlite_utils import Database


class Counted:
    """`sources.allowances.Allowances` in the table of that name; belongs to the thread of `db`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def take(self, name: str, since: datetime, limit: int) -> int | None:
        """Take one, and say how many are left; None when `limit` were taken since then."""
        with transaction(self._db):
            left = limit - self._used(name, since)
            if left <= 0:
                return None
            self._add(name, 1)
        return left - 1

    def use_up(self, name: str, since: datetime, limit: int) -> None:
        """As if all had been taken: the service says that nothing is left."""
        with transaction(self._db):
            self._add(name, max(limit - self._used(name, since), 0))

    def _used(self, name: str, since: datetime) -> int:
        sql = "SELECT ifnull(sum(used), 0) FROM allowances WHERE name = ? AND at >= ?"
        return count(self._db, sql, name, timestamp(step(since)))

    def _add(self, name: str, uses: int) -> None:
        now = datetime.now(UTC)
        self._db.execute("DELETE FROM allowances WHERE at < ?", [timestamp(now - LONGEST)])
        self._db.execute(
            "INSERT INTO allowances (name, at, used) VALUES (?, ?, ?) "
            "ON CONFLICT (name, at) DO UPDATE SET used = used + excluded.used",
            [name, timestamp(step(now)), uses],
        )

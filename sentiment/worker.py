"""The daemon: calls at the right times what the one-shot commands call by hand.

The only module that knows APScheduler. Each source has one job that, when done, is set for the
moment its row in the database names (`next_attempt_at`); the other duties repeat at their own
pace.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from sentiment.alert import operations
from sentiment.assemble import http_client, load_classifier
from sentiment.collect import collect_source
from sentiment.database import open_database, rows, set_state
from sentiment.drivers import refresh_drivers
from sentiment.notify import notify
from sentiment.pipeline import Progress, process
from sentiment.purge import purge
from sentiment.recheck import recheck_every, recheck_source
from sentiment.surveys.watch import pick_up

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from apscheduler.events import JobEvent
    from sqlite_utils import Database

    from models.classifier import Classifier
    from sentiment.config import Config, Source

log = structlog.get_logger()

PROCESS_EVERY = timedelta(seconds=5)  # looking for work costs three small queries
NOTIFY_EVERY = timedelta(seconds=5)
DRIVERS_EVERY = timedelta(minutes=1)  # looking for outdated lists; long ones wait for longer
OPERATIONS_EVERY = timedelta(minutes=1)
PURGE_EVERY = timedelta(hours=6)
RECHECK_LOOK = timedelta(hours=1)  # looking for stored posts that are due for another look
PATIENCE = 8.0  # seconds a stop waits for jobs; what they were at is done on the next start
MAX_THREADS = 32
# A job schedules its successor as the last thing it does, so no two of them work at a time. But if
# the successor is due before the scheduler has taken note of the end (a machine that stalls for a
# second), a limit of one instance drops it; and as it runs but once, the duty is never done again.
MAX_INSTANCES = 100
# Python lets a busy thread run for 5 ms while others wait. One that has just heard that a message
# was accepted must not wait to note it: with a tenth, a worker that is killed sends a fifth as
# many messages twice (docs/alerts.md, Delivery).
SWITCH_EVERY = 0.0005  # seconds

logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # told by `_log_event` instead


class Worker:
    """Runs until told to stop. `stop` may be called from a signal handler or another thread."""

    def __init__(
        self, config: Config, progress: Progress = lambda _stage, _done, _all: None
    ) -> None:
        self.config = config
        self.progress = progress
        self._stop = threading.Event()
        self._client = http_client(config, self.stopping)
        self._failed: dict[str, int] = {}
        self._duties: list[str] = []
        self._rechecked = [source for source in config.sources if recheck_every(source)]
        jobs = len(config.sources) + len(self._rechecked) + len(config.receivers) + 7
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(min(jobs, MAX_THREADS))},
            job_defaults={
                "coalesce": True,
                "max_instances": MAX_INSTANCES,
                "misfire_grace_time": None,
            },
        )

    @cached_property
    def model(self) -> Classifier:
        """The classifier, loaded once."""
        return load_classifier(self.config)

    def stopping(self) -> bool:
        """Whether the worker has been told to stop; long work asks this between its steps."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Finish what is being committed and end."""
        self._stop.set()

    def run(self) -> None:
        """Work until `stop`. ModelError at once if the model cannot be loaded."""
        sys.setswitchinterval(SWITCH_EVERY)
        _ = self.model
        with open_database(self.config) as db:
            # whoever starts the worker may have put right what had disabled a source
            db.execute("UPDATE sources SET disabled = 0, next_attempt_at = NULL WHERE disabled = 1")
        self._scheduler.add_listener(
            _log_event, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES
        )
        for source in self.config.sources:
            if source.enabled:
                self._schedule(source)
        self._repeat("process", PROCESS_EVERY, self.process)
        if self.config.surveys.folder is not None:
            self._repeat("surveys", self.config.surveys.every, self.import_surveys)
        self._repeat("operations", OPERATIONS_EVERY, partial(operations, self.config))
        self._repeat_notify()
        self._repeat("drivers", DRIVERS_EVERY, self.refresh_drivers)
        self._repeat("purge", PURGE_EVERY, partial(purge, self.config))
        for source in self._rechecked:
            self._repeat(f"recheck {source.name}", RECHECK_LOOK, partial(self.recheck, source))
        self._forget_other_duties()
        self._scheduler.start()
        log.info(
            "started", sources=len(self.config.sources), database=str(self.config.database_path)
        )
        self._stop.wait()
        self._shut_down()

    def collect(self, source: Source) -> None:
        """Read one source, then schedule its next reading."""
        try:
            with open_database(self.config) as db:
                collect_source(self.config, db, self._client, source, self.stopping)
        finally:
            self._schedule(source)

    def recheck(self, source: Source, db: Database) -> None:
        """Look again at the stored posts of a source that are due."""
        recheck_source(self.config, db, self._client, source, self.stopping)

    def process(self, db: Database) -> None:
        """Match, score, roll up and judge whatever is waiting."""
        process(self.config, db, lambda: self.model, stopping=self.stopping, progress=self.progress)

    def refresh_drivers(self, db: Database) -> None:
        """Compute the lists of drivers that are out of date."""
        refresh_drivers(self.config, db, patient=True, stopping=self.stopping)

    def import_surveys(self, db: Database) -> None:
        """Import what is new in the surveys' folder."""
        pick_up(self.config, db, stopping=self.stopping)

    def _repeat(self, name: str, every: timedelta, duty: Callable[[Database], object]) -> None:
        """Do a duty now and, when it is done or has failed, again after a while."""

        def once() -> None:
            try:
                with open_database(self.config) as db:
                    duty(db)
            except Exception as error:
                self._note(name, error)
                raise
            else:
                self._note(name, None)
            finally:
                self._run_at(once, datetime.now(UTC) + every, name)

        self._duties.append(name)
        self._run_at(once, datetime.now(UTC), name)

    def _forget_other_duties(self) -> None:
        """Of a receiver or folder that is no longer configured nobody would say: it works again."""
        keys = json.dumps([f"job {name}" for name in self._duties])
        with open_database(self.config) as db:
            db.execute(
                "DELETE FROM state WHERE key LIKE 'job %' "
                "AND key NOT IN (SELECT value FROM json_each(?))",
                [keys],
            )

    def _note(self, name: str, error: Exception | None) -> None:
        """Keep how often a duty failed in a row: operators are told (`rules.operations`)."""
        before = self._failed.get(name)
        self._failed[name] = failed = 0 if error is None else (before or 0) + 1
        if failed == before:
            return
        said = f"{type(error).__name__}: {error}"[:200] if error else ""
        with suppress(sqlite3.Error), open_database(self.config) as db:
            set_state(db, f"job {name}", json.dumps({"failed": failed, "error": said}))

    def _repeat_notify(self) -> None:
        """Each receiver has a job of its own: one that hangs delays nobody."""
        names: list[str | None] = [receiver.name for receiver in self.config.receivers]
        for name in names or [None]:  # without receivers, transitions are queued all the same
            duty = partial(notify, self.config, stopping=self.stopping, only=name)
            self._repeat(f"notify {name or 'nobody'}", NOTIFY_EVERY, duty)

    def _schedule(self, source: Source) -> None:
        """Read a source when its row says; later, not never, if the row is out of reach."""
        at = datetime.now(UTC)
        try:
            with open_database(self.config) as db:
                sql = "SELECT next_attempt_at, disabled FROM sources WHERE name = ?"
                row = rows(db, sql, source.name)[0]
        except sqlite3.Error:
            at += source.every
        else:
            if row["disabled"]:
                log.error("source_disabled", source=source.name)
                return
            if row["next_attempt_at"]:
                at = max(at, datetime.fromisoformat(row["next_attempt_at"]))
        self._run_at(partial(self.collect, source), at, f"collect {source.name}")

    def _run_at(self, job: Callable[[], None], at: datetime, name: str) -> None:
        if not self.stopping():
            self._scheduler.add_job(job, "date", run_date=at, id=name, replace_existing=True)

    def _shut_down(self) -> None:
        """Let running jobs reach their next commit; do not wait for those that hang."""
        log.info("stopping")
        waiting = threading.Thread(target=self._scheduler.shutdown, daemon=True)
        waiting.start()
        waiting.join(PATIENCE)
        self._client.close()
        if waiting.is_alive():
            # A hung job cannot be ended from outside, and need not be: every stage commits its
            # results and its progress together, so the next start goes on where this one was.
            log.warning("stopped_hard", reason="a job did not end in time; nothing is lost")
            os._exit(0)
        log.info("stopped")


def handle_signals(worker: Worker) -> None:
    """SIGTERM and SIGINT (Ctrl-C) stop the worker."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        worker.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def _log_event(event: JobEvent) -> None:
    if event.code == EVENT_JOB_ERROR:
        log.error(
            "job_failed", job=event.job_id, error=repr(event.exception), traceback=event.traceback
        )
    else:
        log.warning("job_late", job=event.job_id)

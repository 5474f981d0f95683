"""The daemon: starts, works, stops within ten seconds, and resumes after the worst."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.executors.pool import ThreadPoolExecutor

from sentiment import collect as collecting
from sentiment import worker as worker_module
from sentiment.collect import backoff, collect_source
from sentiment.database import open_database, rows, set_state
from sentiment.worker import Worker
from sources import registry
from sources.base import Page, Post, Settings, SourceError
from tests.sentiment.firm import WordClassifier, firm

FEED = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>t</title>
<link>https://x.example</link><description>d</description>{}</channel></rss>"""
ITEM = (
    "<item><guid>{n}</guid><pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate>"
    "<description>Kanzlei Ahornhof: Arbeitsrecht gut, sagt Nummer {n}.</description></item>"
)


@pytest.fixture
def feed(tmp_path):
    """A firm whose one source is a feed of 600 posts."""
    items = "".join(ITEM.format(n=number) for number in range(600))
    (tmp_path / "feed.xml").write_text(FEED.format(items), "utf-8")
    source = {"name": "feed", "kind": "rss", "path": "feed.xml", "every": "1s"}
    return firm(tmp_path, sources=[source])


def wait_for(config, sql, wanted, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with open_database(config) as db:
            found = db.execute(sql).fetchone()[0]
        if found >= wanted:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{sql} is {found}, wanted {wanted}")


@pytest.fixture
def running(feed):
    """A worker in a thread, stopped at the end."""
    started = []

    def run(config=feed, classifier=None):
        worker = Worker(config)
        worker.__dict__["model"] = classifier or WordClassifier()
        thread = threading.Thread(target=worker.run)
        thread.start()
        started.append((worker, thread))
        return worker, thread

    yield run
    for worker, thread in started:
        worker.stop()
        thread.join(15)


def test_the_worker_keeps_the_drivers_up_to_date(feed, running, monkeypatch):
    """The lists of what is collected are computed by themselves."""
    monkeypatch.setattr(worker_module, "DRIVERS_EVERY", timedelta(seconds=0.2))
    running()
    wait_for(feed, "SELECT count(*) FROM driver_lists WHERE updated_at IS NOT NULL", 14)


def test_the_worker_scores_what_the_sources_show(feed, running):
    """Without any command, posts become scored mentions and daily figures."""
    running()
    assert wait_for(feed, "SELECT count(*) FROM scored_mentions", 600) == 600
    assert wait_for(feed, "SELECT ifnull(sum(authors), 0) FROM service_daily", 600) == 600


def test_a_stop_in_the_middle_of_scoring_is_quick_and_loses_nothing(feed, running):
    """Asked to stop while a slow model works, the worker ends within ten seconds."""

    class Slow(WordClassifier):
        def classify(self, passages):
            time.sleep(1)
            return super().classify(passages)

    worker, thread = running(classifier=Slow())
    wait_for(feed, "SELECT count(*) FROM scores", 1)
    stopped = time.monotonic()
    worker.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - stopped < 10
    with open_database(feed) as db:
        scored = db.execute("SELECT count(*) FROM scores").fetchone()[0]
    assert 0 < scored < 600
    running()
    wait_for(feed, "SELECT count(*) FROM scored_mentions", 600)


def test_a_hanging_source_delays_nobody(tmp_path, running, monkeypatch):
    """While one source hangs, the others are read."""
    hangs = threading.Event()

    class Hanging:
        Settings = Settings

        def __init__(self, settings, context):
            pass

        def pages(self, cursor):
            hangs.wait(20)
            return iter(())

    monkeypatch.setitem(registry.KINDS, "hanging", "x:y")
    real = registry.adapter
    monkeypatch.setattr(
        registry, "adapter", lambda kind: Hanging if kind == "hanging" else real(kind)
    )
    (tmp_path / "feed.xml").write_text(FEED.format(ITEM.format(n=1)), "utf-8")
    config = firm(
        tmp_path,
        sources=[
            {"name": "stuck", "kind": "hanging"},
            {"name": "feed", "kind": "rss", "path": "feed.xml"},
        ],
    )
    running(config)
    wait_for(config, "SELECT count(*) FROM scored_mentions", 1, seconds=10)
    hangs.set()


def test_a_duty_that_fails_is_noted_until_it_works_again(feed, running, monkeypatch):
    """How often in a row, so that the operator is told; then that it is well."""
    broken = threading.Event()
    broken.set()

    def purge(*_args, **_values):
        if broken.is_set():
            raise OSError("read-only file system")

    monkeypatch.setattr(worker_module, "purge", purge)
    monkeypatch.setattr(worker_module, "PURGE_EVERY", timedelta(milliseconds=50))
    running()
    noted = "FROM state WHERE key = 'job purge'"
    wait_for(feed, f"SELECT ifnull(max(json_extract(value, '$.failed')), 0) {noted}", 3)
    with open_database(feed) as db:
        (said,) = db.execute(f"SELECT json_extract(value, '$.error') {noted}").fetchone()
    assert said == "OSError: read-only file system"
    broken.clear()
    wait_for(feed, f"SELECT 1 - min(1, json_extract(value, '$.failed')) {noted}", 1)


def test_a_duty_that_is_due_again_at_once_is_not_lost(feed, running, monkeypatch):
    """Its next run may be due before the scheduler has taken note that the last one has ended."""
    done = []
    ended = ThreadPoolExecutor._run_job_success

    def late(*arguments):
        time.sleep(0.05)
        ended(*arguments)

    monkeypatch.setattr(ThreadPoolExecutor, "_run_job_success", late)
    monkeypatch.setattr(worker_module, "purge", lambda *_args, **_values: done.append(1))
    monkeypatch.setattr(worker_module, "PURGE_EVERY", timedelta(0))
    running()
    deadline = time.monotonic() + 30
    while len(done) < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(done) >= 10


def test_a_duty_that_is_no_more_is_forgotten(feed, running):
    """The receiver that never answered is no longer configured: nothing is left that fails."""
    with open_database(feed) as db:
        for name in ("notify gone", "purge"):
            set_state(db, f"job {name}", json.dumps({"failed": 9, "error": "no answer"}))
    running()
    wait_for(feed, "SELECT count(*) = 0 FROM state WHERE key = 'job notify gone'", 1)
    wait_for(
        feed, "SELECT json_extract(value, '$.failed') = 0 FROM state WHERE key = 'job purge'", 1
    )


def test_sigterm_ends_the_program_cleanly(tmp_path):
    """The real program in the middle of its work: SIGTERM, exit status 0, within ten seconds."""
    (tmp_path / "feed.xml").write_text(
        FEED.format("".join(ITEM.format(n=number) for number in range(300))), "utf-8"
    )
    (tmp_path / "config.toml").write_text(
        '[company]\nname = "Kanzlei Ahornhof"\n[[services]]\nname = "Arbeitsrecht"\n'
        '[[sources]]\nname = "feed"\nkind = "rss"\npath = "feed.xml"\n',
        "utf-8",
    )
    command = [sys.executable, "-c", "from sentiment.cli import main; main()", "run", "--config",
               str(tmp_path / "config.toml")]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not stored(tmp_path):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGTERM)
    _, logged = process.communicate(timeout=10)
    assert process.returncode == 0, logged
    assert "Traceback" not in logged
    assert "Arbeitsrecht gut" not in logged  # no post text in the log


def stored(folder):
    try:
        with sqlite3.connect(folder / "sentiment.db") as db:
            found = db.execute("SELECT count(*) FROM posts").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    db.close()
    return found


class Scripted:
    """An adapter that does what the test says, run by run."""

    Settings = Settings
    script: list = []  # noqa: RUF012

    def __init__(self, settings, context):
        pass

    def pages(self, cursor):
        for act in type(self).script.pop(0):
            if isinstance(act, Exception):
                raise act
            yield act


@pytest.fixture
def scripted(config, db, monkeypatch):
    monkeypatch.setattr(registry, "adapter", lambda _kind: Scripted)

    def run(*runs):
        Scripted.script = [list(acts) for acts in runs]
        return [collect_source(config, db, None, config.sources[0]) for _ in runs]

    return run


def a_page(number):
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    return Page([Post(str(number), f"Text {number}", moment)], {"page": number})


def source_row(db):
    return rows(db, "SELECT * FROM sources WHERE name = 'forum'")[0]


def test_pages_before_an_error_are_kept(db, scripted):
    """What was read before a source broke is stored, with the cursor that stands after it."""
    (result,) = scripted([a_page(1), a_page(2), SourceError("broke")])
    assert (result.new, result.error) == (2, "broke")
    assert source_row(db)["cursor"] == '{"page": 2}'


def test_a_success_forgets_the_errors(db, scripted):
    """The error stands in the source's row until the source works again."""
    scripted([SourceError("no answer")], [SourceError("no answer")])
    row = source_row(db)
    assert (row["error_count"], row["last_error"], row["disabled"]) == (2, "no answer", 0)
    scripted([a_page(1)])
    row = source_row(db)
    assert (row["error_count"], row["last_error"]) == (0, None)


def test_a_permanent_error_disables_the_source(db, scripted):
    """What no retry can mend waits for somebody to mend it."""
    scripted([SourceError("r/acme is private", permanent=True)])
    row = source_row(db)
    assert (row["disabled"], row["last_error"]) == (1, "r/acme is private")


def test_an_adapters_bug_is_that_sources_error_only(db, scripted):
    """An unexpected exception is told in words and taken for transient."""
    (result,) = scripted([KeyError("id")])
    assert result.error == "the rss adapter failed unexpectedly; see the log"
    assert source_row(db)["disabled"] == 0


def test_the_next_attempt_obeys_retry_after(db, scripted):
    """A server that asks for two hours gets them."""
    scripted([SourceError("slow down", retry_after=timedelta(hours=2))])
    wait = datetime.fromisoformat(source_row(db)["next_attempt_at"]) - datetime.now(UTC)
    assert timedelta(minutes=119) < wait <= timedelta(minutes=120)


def test_who_is_patient_leaves_a_source_alone_that_failed(config, db, scripted):
    """Until its next attempt is due; after that, and after a success, it is read."""
    scripted([SourceError("slow down", retry_after=timedelta(hours=2))])
    Scripted.script = [[a_page(1)], [a_page(2)], [a_page(3)]]
    only = {"forum"}
    (left,) = collecting.collect(config, db, None, only=only, patient=True)
    assert (left.error, left.new) == ("slow down", 0)
    assert left.left_alone_until == source_row(db)["next_attempt_at"]
    db.execute("UPDATE sources SET next_attempt_at = '2026-01-01T00:00:00+00:00'")
    for number in (1, 2):
        (read,) = collecting.collect(config, db, None, only=only, patient=True)
        assert (read.error, read.left_alone_until, read.new) == ("", "", 1), number
    scripted([SourceError("slow down")])
    Scripted.script = [[a_page(3)]]
    (asked,) = collecting.collect(config, db, None, only=only)
    assert (asked.error, asked.new) == ("", 1)


def test_sources_do_not_stay_in_step(db, scripted):
    """After a success the next attempt comes after the interval and a little more, by chance."""
    scripted([a_page(1)])
    row = source_row(db)
    wait = datetime.fromisoformat(row["next_attempt_at"]) - datetime.fromisoformat(
        row["last_attempt_at"]
    )
    assert timedelta(minutes=15) <= wait <= timedelta(minutes=15) * 1.05
    assert len({collecting.jittered(timedelta(minutes=15)) for _ in range(9)}) > 1


def test_a_long_reading_says_how_far_it_is(scripted, monkeypatch, capsys):
    """A first reading of years tells now and then what it has stored."""
    monkeypatch.setattr(collecting, "TOLD_EVERY", -1)
    scripted([a_page(1), a_page(2)])
    assert re.search(r"reading .*back_to=\d{4}-\d\d-\d\d .*new=2", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("failures", "retry_after", "minutes"),
    [(1, None, 15), (2, None, 30), (4, None, 120), (99, None, 720), (1, 60, 60), (4, 60, 120)],
)
def test_backoff_doubles_up_to_half_a_day(failures, retry_after, minutes):
    """Each failure doubles the wait; what the server asks for is the least."""
    asked = timedelta(minutes=retry_after) if retry_after else None
    assert backoff(timedelta(minutes=15), failures, asked) == timedelta(minutes=minutes)


def test_patience_is_shorter_than_the_promise():
    """Ten seconds are promised; the worker gives up waiting before."""
    assert worker_module.PATIENCE < 10

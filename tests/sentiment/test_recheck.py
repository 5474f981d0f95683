"""The laws of looking again: what is gone at its source is gone here, what is edited is read anew."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import prawcore.sessions
import pytest

from sentiment import assemble, pipeline
from sentiment import collect as collecting
from sentiment import notify as notifying
from sentiment import purge as purging
from sentiment import recheck as rechecking
from sentiment import worker as worker_module
from sentiment.collect import collect
from sentiment.commands import running
from sentiment.database import open_database, rows, timestamp
from sentiment.pipeline import process
from sentiment.privacy import pseudonym
from sentiment.recheck import recheck
from sentiment.store import store_page
from sentiment.surveys import watch
from sources.base import SourceError, Stopped
from sources.http import Client
from sources.testing import Server
from tests.sentiment.firm import WordClassifier, firm, page, post
from tests.sources import test_reddit as reddit

HIDE = partial(pseudonym, b"key", "forum")
TEXT = (
    "Kanzlei Ahornhof: Arbeitsrecht gut, nach einer langen Verhandlung mit meinem alten Arbeitgeber "
    "habe ich am Ende eine ordentliche Abfindung und ein sauberes Zeugnis bekommen, vielen Dank dafür"
)


class Service:
    """An adapter that shows what `now` holds: id → post, None for gone; it says nothing of others."""

    RECHECK_EVERY = timedelta(days=1)
    now: dict = {}  # noqa: RUF012 (each test sets its own)
    asked: list = []  # noqa: RUF012

    def __init__(self, settings, context) -> None:
        pass

    def pages(self, cursor):
        return iter(())

    def recheck(self, ids):
        self.asked.append(list(ids))
        for ident in ids:
            if isinstance(self.now.get(ident), Exception):
                raise self.now[ident]
            if ident in self.now:
                yield ident, self.now[ident]


@pytest.fixture
def service(monkeypatch):
    """The feed "forum" is read by the scripted service; "reviews" knows no second look."""
    monkeypatch.setattr(Service, "now", {})
    monkeypatch.setattr(Service, "asked", [])
    real = rechecking.registry.adapter
    monkeypatch.setattr(
        rechecking,
        "recheck_every",
        lambda source: timedelta(days=1) if source.name == "forum" else None,
    )
    monkeypatch.setattr(
        rechecking.registry, "adapter", lambda kind: Service if kind == "rss" else real(kind)
    )
    return Service


@pytest.fixture(params=["keep-score"])
def config(request, tmp_path):
    return firm(tmp_path, privacy={"pseudonym_key": "key", "deleted_posts": request.param})


@pytest.fixture
def db(config):
    with open_database(config) as opened:
        posts = [
            post("1", TEXT, author="Eva", url="https://x.example/1"),
            post("2", TEXT + " sehr"),
        ]
        store_page(opened, 1, page(*posts), HIDE, config.zone)
        process(config, opened, WordClassifier)
        yield opened


def age(db, hours: float = 25) -> None:
    """As if the posts had been collected that long ago."""
    moment = timestamp(datetime.now(UTC) - timedelta(hours=hours))
    db.execute("UPDATE posts SET collected_at = ?", [moment])


def mentions(db) -> int:
    """How many the figures count."""
    return rows(db, "SELECT ifnull(sum(raw_mentions), 0) AS n FROM daily_sentiment "
                    "WHERE service_id = 1")[0]["n"]  # fmt: skip


def test_a_deleted_post_loses_everything_that_says_who_said_what(config, db, service):
    """Text, title, link, author and snippets go at once; a row says so without naming anybody."""
    service.now = {"1": None, "2": post("2", TEXT + " sehr")}
    age(db)
    (result,) = recheck(config, db, None)
    assert (result.seen, result.erased, result.changed, result.error) == (2, 1, 0, "")
    (gone,) = rows(db, "SELECT * FROM posts WHERE external_id = '1'")
    assert (gone["text"], gone["title"], gone["url"], gone["author"]) == ("", "", None, None)
    assert not rows(db, "SELECT * FROM mentions WHERE post_id = 1 AND snippet <> ''")
    assert not rows(db, "SELECT * FROM sketches WHERE post_id = 1")
    (row,) = rows(db, "SELECT source, reason, posts FROM erasures")
    assert row == {"source": "forum", "reason": "deleted at its source", "posts": 1}


def test_its_anonymous_score_stays(config, db, service):
    """By default the figures stay as they were."""
    service.now = {"1": None}
    age(db)
    before = mentions(db)
    recheck(config, db, None)
    process(config, db, WordClassifier)
    assert mentions(db) == before == 2


@pytest.mark.parametrize("config", ["forget"], indirect=True)
def test_or_is_forgotten(config, db, service):
    """With deleted_posts = "forget" the score goes too, and a copy takes the post's place."""
    service.now = {"1": None}
    age(db)
    assert rows(db, "SELECT duplicate_of FROM posts WHERE id = 2")[0]["duplicate_of"] == 1
    recheck(config, db, None)
    process(config, db, WordClassifier)
    assert mentions(db) == 1
    assert rows(db, "SELECT duplicate_of FROM posts WHERE id = 2")[0]["duplicate_of"] is None


@pytest.mark.parametrize("config", ["forget"], indirect=True)
@pytest.mark.parametrize("order", [("1", "2"), ("2", "1")])
def test_of_what_is_said_several_times_one_counts_whichever_is_deleted(config, db, service, order):
    """A post whose score is gone is nobody's first copy, and takes no other's place."""
    third = post("3", TEXT + " sehr", at="2026-03-04T10:00")
    store_page(db, 1, page(third), HIDE, config.zone)
    process(config, db, WordClassifier)
    for gone in order:
        service.now = {gone: None}
        age(db)
        recheck(config, db, None)
        db.execute("UPDATE posts SET checked_at = NULL")
    process(config, db, WordClassifier)
    (counted,) = rows(db, "SELECT sum(raw_mentions) AS all_, sum(mentions) AS counted "
                          "FROM daily_sentiment WHERE service_id = 1")  # fmt: skip
    assert counted == {"all_": 1, "counted": 1}


def test_a_copy_counts_where_the_first_one_goes_before_it_was_scored(config, db, service):
    """What never gets a score does not keep its copies from counting."""
    earlier = post("0", TEXT, at="2026-03-01T10:00")
    store_page(db, 1, page(earlier), HIDE, config.zone)
    service.now = {"0": None}
    age(db)
    recheck(config, db, None)
    process(config, db, WordClassifier)
    (counted,) = rows(db, "SELECT sum(raw_mentions) AS all_, sum(mentions) AS counted "
                          "FROM daily_sentiment WHERE service_id = 1")  # fmt: skip
    assert counted == {"all_": 2, "counted": 1}


def test_it_never_comes_back(config, db, service):
    """A feed that still shows the post does not bring its text back."""
    service.now = {"1": None}
    age(db)
    recheck(config, db, None)
    store_page(db, 1, page(post("1", TEXT)), HIDE, config.zone)
    assert rows(db, "SELECT text FROM posts WHERE external_id = '1'") == [{"text": ""}]


def test_a_post_deleted_before_it_was_scored_is_never_scored(config, db, service):
    """Its mentions without a score go, in both modes."""
    store_page(
        db, 1, page(post("3", "Ahornhof @ahornhof Arbeitsrecht schlecht")), HIDE, config.zone
    )
    service.now = {"3": None}
    age(db)
    recheck(config, db, None)
    assert process(config, db, WordClassifier).scored == 0


def test_an_edited_post_is_scored_again(config, db, service):
    """It counts as changed, and its new words are read."""
    service.now = {"1": post("1", TEXT.replace("gut,", "schlecht,"))}
    age(db)
    (result,) = recheck(config, db, None)
    assert result.changed == 1
    assert process(config, db, WordClassifier).scored > 0
    (row,) = rows(db, "SELECT s.polarity FROM scores s JOIN mentions m ON m.id = s.mention_id "
                      "WHERE m.post_id = 1 AND m.service_id = 1 AND s.model = m.model")  # fmt: skip
    assert row["polarity"] == "negative"


def test_each_post_is_looked_at_when_it_is_due(config, db, service):
    """Not before the source's terms ask for it, and then not again for as long."""
    recheck(config, db, None)
    assert service.asked == []
    age(db)
    recheck(config, db, None)
    recheck(config, db, None)
    assert service.asked == [["1", "2"]]


def test_what_is_not_told_stays(config, db, service):
    """A post of which the source says nothing is neither erased nor changed."""
    age(db)
    (result,) = recheck(config, db, None)
    assert (result.seen, result.erased) == (2, 0)


@pytest.mark.parametrize("error", [SourceError("Reddit refuses us (403)"), ValueError("bug")])
def test_an_error_erases_nothing_and_is_seen(config, db, service, error):
    """What a source fails at is a sentence in source_health; the posts are due still."""
    service.now = {"1": None, "2": error}
    age(db)
    (result,) = recheck(config, db, None)
    assert result.erased == 0
    shown = rows(db, "SELECT recheck_error FROM source_health WHERE source = 'forum'")
    assert shown[0]["recheck_error"] == result.error != ""
    service.now = {"2": None}
    (again,) = recheck(config, db, None)
    assert (again.seen, again.erased) == (2, 1)
    assert rows(db, "SELECT recheck_error FROM source_health WHERE source = 'forum'") == [
        {"recheck_error": None}
    ]


def test_a_stop_is_no_error(config, db, service):
    """The worker's end leaves no trace, and the posts are due still."""
    service.now = {"1": Stopped()}
    age(db)
    (result,) = recheck(config, db, None)
    assert (result.seen, result.error) == (0, "")
    assert not rows(db, "SELECT 1 FROM posts WHERE checked_at IS NOT NULL")


def test_kinds_say_how_often():
    """Reddit within 48 hours; a feed knows no second look."""
    pace = {kind: getattr(rechecking.registry.adapter(kind), "RECHECK_EVERY", None)
            for kind in ("reddit", "bluesky", "mastodon", "rss")}  # fmt: skip
    assert max(pace["reddit"], pace["bluesky"], pace["mastodon"]) <= timedelta(hours=48)
    assert pace["rss"] is None


def test_the_worker_looks_again_by_itself(config, db, service, monkeypatch):
    """Beside reading a source, the daemon looks at its stored posts when they are due."""
    service.now = {"1": None}
    age(db)
    monkeypatch.setattr(worker_module, "recheck_every", rechecking.recheck_every)
    monkeypatch.setattr(worker_module, "load_classifier", lambda _config: WordClassifier())
    monkeypatch.setattr(worker_module, "collect_source", lambda *_: None)
    worker = worker_module.Worker(config)
    running = threading.Thread(target=worker.run)
    running.start()
    ends = time.monotonic() + 20
    while time.monotonic() < ends and not rows(db, "SELECT 1 FROM erasures"):
        time.sleep(0.05)
    worker.stop()
    running.join(20)
    assert [row["reason"] for row in rows(db, "SELECT reason FROM erasures")] == [
        "deleted at its source"
    ]


def test_a_post_deleted_on_reddit_is_gone_within_a_day(tmp_path, monkeypatch):
    """From the listing through PRAW into the database, and out of it again."""
    monkeypatch.setattr(prawcore.sessions.time, "sleep", lambda _seconds: None)
    site = reddit.Site([reddit.submission(1, 60), reddit.submission(2, 90)])
    with Server() as server, Client(interval=0) as client:
        site.script(server)
        entry = {"name": "r", "kind": "reddit", "allow_private_addresses": True}
        config = firm(tmp_path, sources=[entry | reddit.settings(server, comments=False)])
        with open_database(config) as db:
            (first,) = collect(config, db, client)
            site.posts[0] = reddit.submission(1, 60, author="[deleted]", selftext="[deleted]")
            site.posts[1] = reddit.submission(2, 90, selftext="Doch schlecht")
            age(db, hours=24)
            (again,) = recheck(config, db, client)
            texts = rows(db, "SELECT external_id, text, author FROM posts ORDER BY id")
    assert (first.new, again.erased, again.changed) == (2, 1, 1)
    assert texts[0] == {"external_id": "t3_s1", "text": "", "author": None}
    assert texts[1]["text"] == "Ahornhof 2\n\nDoch schlecht"


def test_run_once_does_every_duty_once_and_scores_what_was_edited(config, db, service, monkeypatch):
    """What looking again brings in is matched and scored in the same run, not in the next."""
    monkeypatch.setattr(assemble, "load_classifier", lambda _config: WordClassifier())
    done = []

    def noted(module, name):
        duty = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *args, **options: done.append(name) or duty(*args, **options)
        )

    noted(collecting, "collect")
    noted(watch, "pick_up")
    noted(rechecking, "recheck")
    noted(pipeline, "process")
    noted(notifying, "notify")
    noted(purging, "purge")
    service.now = {"1": post("1", TEXT.replace("gut,", "schlecht,"))}
    age(db)
    running._run_once(config)
    assert done == ["collect", "pick_up", "recheck", "process", "notify", "purge"]
    (row,) = rows(db, "SELECT s.polarity FROM scores s JOIN mentions m ON m.id = s.mention_id "
                      "WHERE m.post_id = 1 AND m.service_id = 1 AND s.model = m.model")  # fmt: skip
    assert row["polarity"] == "negative"

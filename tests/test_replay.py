"""The replay of `benchmarks/replay.py` in small, with invented posts: faults and kills lose nothing.

The real program as a process, its real HTTP client and the bundled model; only the feeds are made
up.
"""

import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks import replay_runs
from benchmarks.replay_compare import compare, rebuilt
from benchmarks.replay_feeds import FAULTS, Entry, Feed, Show, atom, rss
from benchmarks.replay_runs import Aim

CONFIG = """
[company]
name = "Kanzlei Ahornhof"
[[services]]
name = "Arbeitsrecht"
[[services]]
name = "Steuerberatung"
[privacy]
pseudonym_key = "one key for both runs"
keep_texts = "36500d"
[model]
threads = 1
{sources}
"""
SOURCE = """
[[sources]]
name = "{name}"
kind = "rss"
url = "{url}"
every = "1s"
scope = "{scope}"
allow_private_addresses = true
"""
OPENINGS = (
    "Kanzlei Ahornhof: das Arbeitsrecht dort war großartig",
    "Nie wieder Kanzlei Ahornhof, die Steuerberatung hat alles verschlampt",
    "The Steuerberatung at Kanzlei Ahornhof was fine & quick",
    "Wer kennt Kanzlei Ahornhof <und> das Arbeitsrecht dort?",
)
CLOSINGS = (
    "die Termine kamen pünktlich und der Ton war freundlich",
    "am Telefon meldete sich drei Wochen lang niemand",
    "I would go there again any time, thank you",
    "the bill was twice what they had promised me",
)
AIMS = [Aim("fetch"), Aim("store", 30), Aim("match", 20), Aim("score", 50), Aim("roll up", 2)]
DAY = datetime(2026, 3, 2, 6, tzinfo=UTC)


def invented(name: str, count: int) -> list[Entry]:
    """Posts of some hours; every ninth is a copy of an earlier one."""
    rng = random.Random(name)
    entries: list[Entry] = []
    for number in range(count):
        text = f"{rng.choice(OPENINGS)}, {rng.choice(CLOSINGS)} (Fall {name} {number})"
        if number % 9 == 8:
            text = rng.choice(entries).text
        at = DAY + timedelta(minutes=7 * number)
        author = f"Author {number // 3}"
        entries.append(Entry(f"{name}-{number}", text, at, "", number % 5 + 1, author))
    return entries


def windows(entries: list[Entry], size: int) -> list[list[Entry]]:
    """What a feed shows poll by poll, newest first: no post twice, so a missed one stays missed."""
    return [entries[start : start + size][::-1] for start in range(0, len(entries), size)]


@pytest.fixture(scope="module")
def show():
    """Two feeds of fourteen windows, one in RSS and one in pages of Atom."""
    forum = Feed("forum", windows(invented("forum", 72), 9), rss, rate=1.0)
    reviews = Feed("reviews", windows(invented("reviews", 60), 10), atom, page=4, rate=1.0)
    assert len(forum.steps) + len(reviews.steps) == 14
    with Show([forum, reviews]) as opened:
        yield opened


def configured(folder, show):
    folder.mkdir()
    scopes = {"forum": "public", "reviews": "own"}
    sources = "".join(
        SOURCE.format(name=feed.name, url=feed.url, scope=scopes[feed.name]) for feed in show.feeds
    )
    path = folder / "config.toml"
    path.write_text(CONFIG.format(sources=sources), "utf-8")
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory, show):
    """The database of an undisturbed run, and that of one with faults and kills."""
    folder = tmp_path_factory.mktemp("replay")
    plain, disturbed = (configured(folder / name, show) for name in ("plain", "disturbed"))
    show.rewind(None)
    replay_runs.once(plain, show)
    show.rewind(1)
    ran = replay_runs.daemon(disturbed, show, AIMS, seed=1)
    return plain.parent / "sentiment.db", disturbed.parent / "sentiment.db", ran, show.given


@pytest.mark.slow
def test_faults_and_kills_leave_the_database_of_an_undisturbed_run(runs, show, tmp_path):
    """Row for row: posts, copies, mentions, scores, emotions, daily figures."""
    plain, disturbed, ran, given = runs
    assert ran.kills == 5
    assert sum(count for what, count in ran.during.items() if "between two writes" in what) == 4
    assert all(given[kind] for kind in FAULTS), given
    tables = [*compare(plain, disturbed), rebuilt(disturbed, tmp_path / "afresh.db")]
    assert [table for table in tables if table.differences] == []
    rows = {table.table: table.rows for table in tables}
    assert rows["posts"] == sum(len(feed.offered) for feed in show.feeds) == 132
    assert min(rows["mentions"], rows["scores"], rows["daily_sentiment"]) > 0


@pytest.mark.slow
def test_a_second_replay_stores_nothing(runs, show):
    """Reading the same feeds again adds no post and changes none."""
    _, disturbed, _, _ = runs
    show.rewind(None)
    again = replay_runs.once(disturbed.parent / "config.toml", show)
    assert (again["new"], again["changed"]) == (0, 0)


@pytest.mark.slow
def test_the_comparison_sees_what_differs(runs, tmp_path):
    """A lost mention, another copy and a changed figure are found."""
    plain, _, _, _ = runs
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(plain)) as db:
        db.execute("VACUUM INTO ?", [str(other)])
    with closing(sqlite3.connect(other)) as db:
        db.execute("DELETE FROM mentions WHERE id = 1")
        db.execute("UPDATE posts SET duplicate_of = NULL WHERE duplicate_of IS NOT NULL")
        db.execute("UPDATE scores SET positive = positive - 0.1 WHERE mention_id = 2")
        db.execute("UPDATE daily_sentiment SET raw_mentions = raw_mentions + 1")
        db.commit()
    differing = {table.table for table in compare(plain, other) if table.differences}
    assert {"posts", "mentions", "scores", "emotions", "daily_sentiment"} <= differing

"""Whatever happens to posts, in whatever order: the figures are those of the mentions that stand."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from models.labels import EKMAN
from sentiment import purge as purging
from sentiment.concerned import Concerned
from sentiment.database import agree, open_database, rows, transaction
from sentiment.erasing import erase_post, forget_scores
from sentiment.forget import forget
from sentiment.match import match
from sentiment.privacy import pseudonym
from sentiment.purge import purge
from sentiment.rollup import rollup
from sentiment.score import score
from sentiment.store import store_page
from tests.sentiment.firm import WordClassifier, firm, page, post

NEWS = (
    "Kanzlei Ahornhof: Arbeitsrecht gut, nach einer langen Verhandlung mit meinem alten Arbeitgeber "
    "habe ich am Ende eine ordentliche Abfindung und ein sauberes Zeugnis bekommen, vielen Dank dafür"
)
TEXTS = (
    NEWS,
    f"RT @presse: {NEWS}",
    f"{NEWS} Das war sehr gut, auch die Steuererklärung.",
    "Kanzlei Ahornhof: Arbeitsrecht gut, Steuerberatung schlecht.",
    "I went to Kanzlei Ahornhof with an employment case, and Arbeitsrecht was schlecht.",
    "Birkenberg & Söhne: Steuerberatung gut",
    "Der Ahorn im Hof blüht.",
    "",
)
FEWER = [{"name": "Arbeitsrecht"}, {"name": "Abfindung"}]

which = st.tuples(st.sampled_from([1, 2]), st.sampled_from("abcd"))
events = st.one_of(
    st.tuples(
        st.just("store"), which, st.sampled_from(TEXTS), st.sampled_from([None, "Eva", "Udo"]),
        st.integers(1, 3),
    ),
    st.tuples(st.just("deleted at its source"), which, st.booleans()),
    st.tuples(st.just("forget"), which, st.booleans(), st.booleans()),
    st.tuples(st.just("purge"), st.integers(1, 4)),
    st.tuples(st.just("portfolio"), st.sampled_from([0, 1])),
    st.tuples(st.just("model"), st.sampled_from("12")),
    st.tuples(st.just("by hand"), st.sampled_from(["posts", "mentions", "scores", "emotions"]),
              st.integers(0, 3)),
    st.just(("match",)), st.just(("score",)), st.just(("roll up",)),
)  # fmt: skip


class World:
    """A database, what is configured, and what can happen."""

    def __init__(self, db, configs) -> None:
        self.db, self.configs = db, configs
        self.config, self.revision = configs[0], "1"

    def happens(self, what, *values) -> None:
        getattr(self, what.replace(" ", "_"))(*values)

    def store(self, at, text, author, day) -> None:
        source, name = at
        one = post(name, text, f"2026-03-0{day}T{10 + source}:00", author=author, rating=4)
        hide = partial(pseudonym, b"key", f"source {source}")
        store_page(self.db, source, page(one), hide, self.config.zone)

    def deleted_at_its_source(self, at, all_of_them) -> None:
        with transaction(self.db):
            for post_id in self._ids(at):
                forget_scores(self.db, post_id, all_of_them=all_of_them)
                erase_post(self.db, post_id)

    def forget(self, at, with_scores, copies) -> None:
        found = Concerned(set(self._ids(at)))
        forget(self.config, self.db, found, with_scores=with_scores, copies=copies)

    def purge(self, day) -> None:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(purging, "today", lambda _: date(2026, 3, day) + timedelta(days=1))
            purge(self.config, self.db)

    def portfolio(self, number) -> None:
        self.config = self.configs[number]
        agree(self.db, self.config)

    def model(self, revision) -> None:
        self.revision = revision

    def by_hand(self, table, number) -> None:
        key = {"posts": "id", "mentions": "id"}.get(table, "mention_id")
        self.db.execute(
            f"DELETE FROM {table} WHERE {key} IN "
            f"(SELECT {key} FROM {table} ORDER BY {key} LIMIT 1 OFFSET ?)",
            [number],
        )

    def match(self) -> None:
        match(self.config, self.db)

    def score(self) -> None:
        score(self.db, WordClassifier(self.revision))

    def roll_up(self) -> None:
        rollup(self.db)

    def _ids(self, at):
        found = rows(
            self.db,
            "SELECT id FROM posts WHERE source_id = ? AND external_id = ? AND erased_at IS NULL",
            *at,
        )
        return [row["id"] for row in found]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """A new world as often as wanted, from one migrated database."""
    folder = tmp_path_factory.mktemp("figures")
    privacy = {"pseudonym_key": "key", "keep_texts": "1d"}
    configs = [firm(folder, privacy=privacy), firm(folder, privacy=privacy, services=FEWER)]
    with open_database(configs[0]) as template:

        @contextmanager
        def new():
            connection = sqlite3.connect(":memory:", isolation_level=None)
            template.conn.backup(connection)
            connection.execute("PRAGMA foreign_keys = ON")
            try:
                yield World(Database(connection), configs)
            finally:
                connection.close()

        yield new


COUNTED = """
SELECT m.id, m.company_id, m.service_id, p.source_id, p.day, ifnull(p.author, '#' || m.id) AS voice,
    ifnull(p.language, 'und') AS language, p.duplicate_of IS NOT NULL AS is_copy, p.posted_at,
    p.external_id, k.negative, k.neutral, k.positive, k.valence, m.model
FROM mentions m JOIN posts p ON p.id = m.post_id
JOIN scores k ON k.mention_id = m.id AND k.model = m.model
"""


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def figures(db):
    """What the daily figures have to be, counted one by one: cell → numbers."""
    emotions = {
        (row["mention_id"], row["model"], row["emotion"]): row["probability"]
        for row in rows(db, "SELECT * FROM emotions")
    }
    voices = defaultdict(list)
    for row in rows(db, COUNTED):
        cell = row["company_id"], row["service_id"], row["source_id"], row["day"]
        voices[(*cell, row["voice"])].append(row)
    cells = defaultdict(lambda: defaultdict(float))
    for (*cell, _), said in voices.items():
        said.sort(key=lambda row: (row["is_copy"], row["posted_at"], row["external_id"]))
        found = cells[(*cell, said[0]["language"])]
        own = [row for row in said if not row["is_copy"]]
        found["raw_mentions"] += len(said)
        found["mentions"] += len(own)
        if not own:
            continue
        negative, neutral, positive = (
            mean(row[name] for row in own) for name in ("negative", "neutral", "positive")
        )
        found["authors"] += 1
        if positive > max(negative, neutral):
            found["positive"] += 1
        elif neutral > negative:
            found["neutral"] += 1
        else:
            found["negative"] += 1
        found["valence"] += mean(row["valence"] for row in own)
        for emotion in EKMAN:
            there = mean(emotions[row["id"], row["model"], emotion] for row in own)
            found[emotion] += there >= 0.5
    return {cell: dict(numbers) for cell, numbers in cells.items()}


NUMBERS = ("raw_mentions", "mentions", "authors", "positive", "neutral", "negative", *EKMAN)


def stated(db):
    return {
        tuple(
            row[name] for name in ("company_id", "service_id", "source_id", "day", "language")
        ): row
        for row in rows(db, "SELECT * FROM daily_sentiment")
    }


def counted_as_stated(db):
    told, expected = stated(db), figures(db)
    assert told.keys() == expected.keys()
    for cell, numbers in expected.items():
        assert {name: told[cell][name] for name in NUMBERS} == {
            name: numbers.get(name, 0) for name in NUMBERS
        }
        assert told[cell]["valence"] == pytest.approx(numbers.get("valence", 0.0))


def sums_as_stated(db):
    """The sums by day, week and month, of all services together."""
    for unit, start in (
        ("day", "day"), ("week", "date(day, '-6 days', 'weekday 1')"), ("month", "substr(day, 1, 7)")
    ):  # fmt: skip
        sums = ", ".join(f"sum({name}) AS {name}" for name in NUMBERS)
        added = rows(db, f"SELECT {start} AS start, {sums} FROM daily_sentiment GROUP BY 1")
        kept = rows(
            db,
            f"SELECT start, {', '.join(NUMBERS)} FROM period_sentiment WHERE unit = ? AND "
            "source_id = 0 AND language = '' AND company_id = 0 AND raw_mentions > 0 ORDER BY 1",
            unit,
        )
        assert kept == added


def nothing_is_left_of_erased_posts(db):
    assert not rows(
        db,
        "SELECT p.id FROM posts p LEFT JOIN mentions m ON m.post_id = p.id "
        "WHERE p.erased_at IS NOT NULL AND (p.text || p.title || ifnull(p.url, '') <> '' "
        "OR m.snippet <> '' OR p.id IN (SELECT post_id FROM sketches) "
        "OR p.id IN (SELECT rowid FROM posts_fts WHERE posts_fts MATCH 'ahornhof OR ahorn'))",
    )


def copies_point_at_a_first_one(db):
    assert not rows(
        db,
        "SELECT p.id FROM posts p LEFT JOIN posts f ON f.id = p.duplicate_of "
        "WHERE p.duplicate_of IS NOT NULL AND (f.id IS NULL OR f.duplicate_of IS NOT NULL)",
    )


@settings(max_examples=60, deadline=None)
@given(happened=st.lists(events, max_size=25))
def test_figures_are_those_of_the_mentions_that_stand(worlds, happened):
    """Stored, edited, deleted, purged, forgotten, matched and scored anew: it adds up in the end."""
    with worlds() as world:
        for event in happened:
            world.happens(*event)
            nothing_is_left_of_erased_posts(world.db)
        world.match()
        world.score()
        world.roll_up()
        counted_as_stated(world.db)
        sums_as_stated(world.db)
        copies_point_at_a_first_one(world.db)
        waiting = rows(world.db, "SELECT post_id FROM mentions WHERE model IS NULL")
        assert waiting == []

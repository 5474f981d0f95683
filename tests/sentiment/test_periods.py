"""Sums by day, week and month are those of the daily figures at any moment."""

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment import database
from sentiment.database import STEPS, connect, migrations, rows
from sentiment.periods import SUMS, in_window, spans
from tests.sentiment.firm import firm
from tests.sentiment.test_views import GOOD, mention, post

DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))


@given(DAYS, st.integers(-3, 800))
def test_spans_hold_each_day_of_a_window_once(after, length):
    """Months and days together are exactly the window."""
    until = after + timedelta(days=length)
    held = []
    for unit, first, last in spans(after, until):
        start = date.fromisoformat(first if unit == "day" else f"{first}-01")
        end = date.fromisoformat(last if unit == "day" else f"{last}-01")
        if unit == "month":
            end = (end + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        held += [start + timedelta(days=n) for n in range((end - start).days + 1)]
    assert sorted(held) == [after + timedelta(days=n) for n in range(1, length + 1)]


def day_row(chance):
    day = date(2026, 1, 1) + timedelta(days=chance.randrange(120))
    return (
        chance.choice([1, 2]), chance.choice([None, 1, 2]), chance.choice([1, 2]),
        chance.choice(["de", "en", "und"]), day.isoformat(),
        *(chance.randrange(5) for _ in range(6)), 0.5, *(chance.randrange(3) for _ in range(6)),
    )  # fmt: skip


def insert(db, *found):
    marks = ", ".join("?" * 18)
    db.conn.executemany(f"INSERT OR IGNORE INTO daily_sentiment VALUES ({marks})", found)


@pytest.fixture
def months(db):
    """Four months of figures of two sources in three languages, some changed, some deleted."""
    chance = random.Random(7)
    insert(db, *(day_row(chance) for _ in range(400)))
    db.execute("DELETE FROM daily_sentiment WHERE rowid % 5 = 0")
    db.execute("UPDATE daily_sentiment SET authors = 9, day = '2026-02-28' WHERE rowid % 7 = 0 "
               "AND company_id = 1 AND source_id = 1 AND language = 'de' AND rowid < 60")  # fmt: skip
    return db


def expected(db, after, until, source_id, language):
    where = "day > ? AND day <= ? AND source_id <> 9"
    where += f" AND source_id = {source_id}" if source_id else ""
    where += f" AND language = '{language}'" if language else ""
    sums = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
    sql = (
        f"SELECT company_id, ifnull(service_id, 0) AS service_id, {sums} FROM daily_sentiment "
        f"WHERE {where} GROUP BY 1, 2"
    )
    return rows(db, sql, after.isoformat(), until.isoformat())


def summed(db, after, until, **scope):
    sql, values = in_window(after, until, **scope)
    sums = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
    sql = f"SELECT company_id, service_id, {sums} FROM ({sql}) GROUP BY 1, 2"
    return [row for row in db.query(sql, values) if row["raw_mentions"] or row["authors"]]


@pytest.mark.parametrize("source_id", [None, 1])
@pytest.mark.parametrize("language", [None, "de"])
@pytest.mark.parametrize(
    ("after", "until"),
    [("2025-12-31", "2026-04-30"), ("2026-01-10", "2026-03-05"), ("2026-02-03", "2026-02-20")],
)
def test_a_window_adds_up_its_days(months, after, until, source_id, language):
    """Whatever the source and the language, and wherever months begin."""
    after, until = date.fromisoformat(after), date.fromisoformat(until)
    want = [
        row
        for row in expected(months, after, until, source_id, language)
        if row["raw_mentions"] or row["authors"]
    ]
    assert len(want) >= 4
    assert summed(months, after, until, source_id=source_id, language=language) == want


def test_survey_comments_are_not_added(months):
    """They are no public posts."""
    months.execute("UPDATE sources SET kind = 'survey' WHERE id = 2")
    insert(months, (1, 1, 2, "de", "2025-06-01", *[1] * 6, 0.5, *[1] * 6))
    assert summed(months, date(2025, 1, 1), date(2025, 12, 30)) == []


def test_an_older_database_gets_the_same_sums(tmp_path, months):
    """What the migration adds up at once is what the triggers add up one by one."""
    with connect(tmp_path / "old" / "sentiment.db") as old:
        for step in STEPS[:2]:
            step(old)
        old.conn.execute("ATTACH ? AS new", [str(tmp_path / "sentiment.db")])
        for table in ("companies", "services"):
            old.execute(f"INSERT INTO {table} SELECT * FROM new.{table}")
        old.execute("INSERT INTO sources (id, name, kind, every_seconds, active) "
                    "SELECT id, name, kind, 60, 1 FROM new.sources")  # fmt: skip
        old.execute("INSERT INTO daily_sentiment SELECT * FROM new.daily_sentiment")
        post(old, 1)
        old.execute("INSERT INTO mentions (post_id, company_id, spans, snippet) "
                    "VALUES (1, 1, '[]', 'x')")  # fmt: skip
        old.conn.execute("DETACH new")
        migrations.ensure_migrations_table(old)
        for step in STEPS[:2]:
            old["_sqlite_migrations"].insert(
                {"migration_set": "sentiment", "name": step.__name__, "applied_at": "2026-01-01"}
            )
    with database.open_database(firm(tmp_path / "old")) as old:
        assert sums_of(old) == sums_of(months)
        assert len(sums_of(old)) > 400
        assert rows(old, "SELECT post_at, post_day FROM mentions") == [
            {"post_at": "2026-03-02T10:00:00+00:00", "post_day": "2026-03-02"}
        ]
        assert rows(old, "SELECT posts FROM sources WHERE id = 1") == [{"posts": 1}]


def sums_of(db):
    sql = "SELECT * FROM period_sentiment WHERE {} ORDER BY 1, 2, 3, 4, 5, 6"
    return rows(db, sql.format(" OR ".join(f"{name} <> 0" for name in SUMS)))


def test_attention_is_the_share_of_all_mentions_of_the_period(months):
    """All companies and services of a period together are 1."""
    for view in ("service_weekly", "service_monthly"):
        for row in rows(
            months, f"SELECT sum(attention) AS a, min(authors) AS n FROM {view} GROUP BY period"
        ):
            assert row["a"] <= 1 + 1e-9
    (whole,) = rows(
        months,
        "SELECT sum(mentions) AS n FROM daily_sentiment WHERE day LIKE '2026-02%'",
    )
    for row in rows(
        months, "SELECT mentions, attention FROM service_monthly WHERE period = '2026-02'"
    ):
        assert row["attention"] == pytest.approx(row["mentions"] / whole["n"])


def test_mentions_follow_the_time_of_their_post(db):
    """A post that moves takes its mentions along."""
    post(db, 1)
    mention(db, 1, probabilities=GOOD)
    db.execute("UPDATE posts SET posted_at = '2026-03-04T10:00:00+00:00', day = '2026-03-04'")
    found = rows(db, "SELECT posted_at, day FROM scored_mentions")
    assert found == [{"posted_at": "2026-03-04T10:00:00+00:00", "day": "2026-03-04"}]


def test_sources_know_how_many_posts_they_have(db):
    """Counted as they come and go."""
    for number in range(3):
        post(db, number + 1)
    db.execute("DELETE FROM posts WHERE id = 2")
    assert rows(db, "SELECT name, posts FROM sources ORDER BY id") == [
        {"name": "forum", "posts": 2},
        {"name": "reviews", "posts": 0},
    ]

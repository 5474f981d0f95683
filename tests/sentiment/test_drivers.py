"""The lists of drivers: in the database, kept up to date, gone when their texts are gone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sentiment import database
from sentiment.database import count, rows
from sentiment.drivers import NEWEST, drivers_between, periods, refresh_drivers
from sentiment.purge import purge
from sentiment.rollup import rollup
from tests.sentiment import voices
from tests.sentiment.firm import firm

TODAY = datetime.now(ZoneInfo("Europe/Berlin")).date()
LETTERS = "abcdefghijkl"


def say(db, text, kind, *, days_ago=3, author=None, language="de", **values):
    """A scored mention of Arbeitsrecht in somebody's words."""
    at = datetime.combine(TODAY - timedelta(days=days_ago), datetime.min.time(), UTC)
    number = voices.say(db, at + timedelta(hours=12), kind, author=author, **values)
    db.execute("UPDATE mentions SET snippet = ? WHERE id = ?", [text, number])
    db.execute("UPDATE posts SET language = ? WHERE id = ?", [language, number])
    return number


def complaints(db, **values):
    """Twelve people cannot reach the firm, twelve are content."""
    for letter in LETTERS:
        say(db, f"{2 * letter}heim war nicht erreichbar.", -1, author=f"n{letter}", **values)
        say(db, f"{2 * letter}dorf lief alles freundlich.", 1, author=f"p{letter}", **values)


@pytest.fixture
def told(config, db):
    """A database in which the complaints are counted."""
    complaints(db)
    rollup(db)
    return db


def negative(db, period="28 days"):
    sql = (
        "SELECT phrase FROM service_drivers WHERE company = 'Kanzlei Ahornhof' "
        "AND service = 'Arbeitsrecht' AND polarity = 'negative' AND period = ? ORDER BY z DESC"
    )
    return [row["phrase"] for row in rows(db, sql, period)]


def test_the_view_says_who_says_what_how_often(config, told):
    """One row a phrase, with both sides' numbers and an example."""
    refresh_drivers(config, told)
    row = rows(
        told, "SELECT * FROM service_drivers WHERE period = '28 days' AND polarity = 'negative'"
    )[0]
    example = row.pop("example_mention_id")
    for name in ("log_odds", "low", "high", "z", "updated_at"):
        assert row.pop(name)
    assert row == {
        "company": "Kanzlei Ahornhof", "service": "Arbeitsrecht", "period": "28 days",
        "from_day": (TODAY - timedelta(days=27)).isoformat(), "to_day": TODAY.isoformat(),
        "polarity": "negative", "phrase": "nicht erreichbar", "mentions": 12, "authors": 12,
        "of_authors": 12, "other_authors": 0, "of_other_authors": 12, "beyond_chance": 1,
    }  # fmt: skip
    said = "SELECT snippet, polarity FROM scored_mentions WHERE mention_id = ?"
    [found] = rows(told, said, example)
    assert "nicht erreichbar" in found["snippet"]
    assert found["polarity"] == "negative"


def test_the_periods_are_28_90_and_365_days_and_twelve_months():
    """Both days are part of a period; months are whole, the present one too."""
    found = {one.name: (one.from_day, one.to_day) for one in periods(date(2026, 3, 10))}
    assert len(found) == 15
    assert found["28 days"] == ("2026-02-11", "2026-03-10")
    assert found["90 days"] == ("2025-12-11", "2026-03-10")
    assert found["2026-03"] == ("2026-03-01", "2026-03-31")
    assert found["2026-02"] == ("2026-02-01", "2026-02-28")
    assert min(found) == "2025-04"


def test_what_is_up_to_date_is_not_computed_again(config, told):
    """Only the lists of a day that was rolled up anew are."""
    assert refresh_drivers(config, told) == 15
    assert refresh_drivers(config, told) == 0
    voices.say(told, datetime.now(UTC) - timedelta(days=60), -1)
    assert refresh_drivers(config, told) == 0
    rollup(told)
    assert refresh_drivers(config, told) == 3  # 90 and 365 days, and the month


def test_a_new_day_moves_the_windows_and_a_new_month_drops_the_oldest(config, told):
    """Lists of periods that are over are deleted with their phrases."""
    refresh_drivers(config, told, day=date(2026, 1, 31))
    assert refresh_drivers(config, told, day=date(2026, 2, 1)) == 4
    found = {row["period"] for row in rows(told, "SELECT period FROM driver_lists")}
    assert "2026-02" in found
    assert "2025-02" not in found
    orphans = "SELECT count(*) FROM drivers WHERE list_id NOT IN (SELECT id FROM driver_lists)"
    assert count(told, orphans) == 0


def test_long_lists_wait_in_the_daemon(config, told):
    """A list of n mentions is left alone for n / 2 seconds; by hand none is."""
    refresh_drivers(config, told)
    told.execute("UPDATE driver_lists SET stale = 1")
    assert refresh_drivers(config, told, patient=True) == 11  # those of no mention
    told.execute("UPDATE driver_lists SET updated_at = datetime('now', '-20 seconds')")
    assert refresh_drivers(config, told, patient=True) == 4
    told.execute("UPDATE driver_lists SET stale = 1")
    assert refresh_drivers(config, told) == 15


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM posts WHERE id % 2 = 1",
        "DELETE FROM mentions WHERE id % 2 = 1",
        "UPDATE mentions SET snippet = '' WHERE id % 2 = 1",
        "UPDATE posts SET author = 'one' WHERE id % 2 = 1",
        "UPDATE posts SET duplicate_of = 1 WHERE id % 2 = 1 AND id > 1",
        "UPDATE posts SET day = '2020-01-01' WHERE id % 2 = 1",
    ],
)
def test_drivers_follow_from_what_stands_in_the_database(config, told, change):
    """Whoever deletes, erases or changes posts: a phrase that nobody says any more is gone."""
    refresh_drivers(config, told)
    assert negative(told) == ["nicht erreichbar"]
    told.execute(change)
    rollup(told)
    refresh_drivers(config, told)
    assert negative(told) == []


def test_drivers_that_were_deleted_are_computed_again(config, told):
    """By the next run."""
    refresh_drivers(config, told)
    told.execute("DELETE FROM drivers")
    refresh_drivers(config, told)
    assert negative(told) == ["nicht erreichbar"]


def test_drivers_of_erased_texts_are_gone(tmp_path, db):
    """What is purged is no example and no phrase any more."""
    complaints(db, days_ago=20)
    rollup(db)
    refresh_drivers(firm(tmp_path), db)
    assert negative(db) == ["nicht erreichbar"]
    config = firm(tmp_path, privacy={"keep_texts": "10d"})
    assert purge(config, db) == 24
    refresh_drivers(config, db, patient=True)  # erased words do not wait
    assert rows(db, "SELECT * FROM drivers") == []


def test_a_list_that_changes_while_it_is_computed_is_computed_again(config, told, monkeypatch):
    """What was computed from older mentions is not written."""
    from sentiment import phrases

    computed = phrases.drivers

    def slow(*arguments, **options):
        told.execute("UPDATE mentions SET snippet = snippet || '.' WHERE id = 1")
        return computed(*arguments, **options)

    monkeypatch.setattr(phrases, "drivers", slow)
    refresh_drivers(config, told)
    monkeypatch.undo()
    assert negative(told) == []
    refresh_drivers(config, told)
    assert negative(told) == ["nicht erreichbar"]


def test_killed_in_the_middle_a_list_is_computed_on_the_next_run(config, told):
    """Being computed is not up to date."""
    refresh_drivers(config, told)
    told.execute("UPDATE driver_lists SET stale = 2 WHERE period = '28 days'")
    assert refresh_drivers(config, told) == 1


def test_names_from_the_configuration_are_no_drivers(config, db):
    """Neither the company's nor any service's, aliases included."""
    for letter in LETTERS:
        say(db, f"Kündigungsschutzklage {letter}x, Kanzlei Ahornhof, Steuererklärung: Murks.", -1)
        say(db, f"Alles bestens {letter}y.", 1)
    found = drivers_between(
        config, db, "Kanzlei Ahornhof", "Arbeitsrecht", from_day="2000-01-01", to_day="2999-01-01"
    )
    assert [one.phrase for one in found if one.polarity == "negative"] == ["Murks"]


def test_any_days_any_source_any_language(config, told):
    """drivers_between sees what the filters leave, of one company and service."""

    def ask(company="Kanzlei Ahornhof", service="Arbeitsrecht", days=30, **values):
        found = drivers_between(
            config, told, company, service,
            from_day=(TODAY - timedelta(days=days)).isoformat(), to_day=TODAY.isoformat(), **values,
        )  # fmt: skip
        return [one.phrase for one in found if one.polarity == "negative"]

    assert ask() == ["nicht erreichbar"]
    assert ask(source="forum", language="de") == ["nicht erreichbar"]
    assert ask(days=2) == []
    assert ask(source="reviews") == []
    assert ask(language="en") == []
    assert ask(service="Steuerberatung") == []
    assert ask(service=None) == []
    assert ask(service="Unbekannt") == []
    assert ask(company="Birkenberg & Söhne") == []


def test_the_company_as_a_whole_has_drivers_too(config, db):
    """Mentions of no service."""
    complaints(db, service=None)
    rollup(db)
    refresh_drivers(config, db)
    found = rows(
        db,
        "SELECT DISTINCT service, phrase FROM service_drivers WHERE z > 1.96 AND polarity = 'negative'",
    )
    assert found == [{"service": None, "phrase": "nicht erreichbar"}]


def test_comments_of_surveys_are_not_public(config, db):
    """They were told in confidence: their words are on no public list."""
    db.execute(
        "INSERT INTO sources (name, kind, every_seconds, active) VALUES ('Umfrage', 'survey', 1, 0)"
    )
    complaints(db, source=3)
    found = drivers_between(
        config, db, "Kanzlei Ahornhof", "Arbeitsrecht",
        from_day="2000-01-01", to_day="2999-01-01", source="Umfrage",
    )  # fmt: skip
    assert found == []


def test_the_newest_mentions_are_looked_at(config, told, monkeypatch):
    """Where there are more than the bound, the oldest are left out."""
    monkeypatch.setattr("sentiment.drivers.NEWEST", 24)
    for letter in LETTERS:
        say(told, f"Saftladen {letter}x.", -1, days_ago=10)
    found = drivers_between(
        config, told, "Kanzlei Ahornhof", "Arbeitsrecht",
        from_day="2000-01-01", to_day="2999-01-01",
    )  # fmt: skip
    assert "Saftladen" not in [one.phrase for one in found]
    assert NEWEST == 5_000


def test_the_newest_mentions_are_found_by_an_index(db):
    """A service's whole past is not read for its last month."""
    from sentiment.drivers import SAID

    names = ("company", "service", "from_day", "to_day", "source", "language", "newest")
    plan = rows_of(db, f"EXPLAIN QUERY PLAN {SAID}", dict.fromkeys(names))
    assert any("mentions_by_service (service_id=? AND post_at>?" in one for one in plan)
    assert not any("TEMP B-TREE" in one for one in plan)


def rows_of(db, sql, values):
    return [row[3] for row in db.execute(sql, values).fetchall()]


def test_a_database_from_before_drivers_is_brought_up(config):
    """Its lists are computed on the next run."""
    with pytest.MonkeyPatch.context() as before:
        steps = [step for step in database.STEPS if step is not database.m008_drivers]
        older = database.Migrations("sentiment")
        for step in steps:
            older()(step)
        before.setattr(database, "STEPS", tuple(steps))
        before.setattr(database, "migrations", older)
        before.setattr(database, "_views", dict)
        with database.open_database(config) as db:
            assert "driver_lists" not in db.table_names()
            complaints(db)
            rollup(db)
    with database.open_database(config) as db:
        refresh_drivers(config, db)
        assert negative(db) == ["nicht erreichbar"]

"""The questions, asked of the sample company read as its labels say; and what Datasette is told."""

import asyncio
import html
import os
import re

import pytest
from datasette import hookimpl
from datasette.app import Datasette
from datasette.plugins import pm

from sentiment.assemble import http_client
from sentiment.collect import collect
from sentiment.config import load
from sentiment.database import open_database, rows
from sentiment.pipeline import process
from sentiment.sample import gold, write
from sentiment.schema.tables import tables
from sentiment.surveys.watch import pick_up
from sentiment.web.metadata import SETTINGS, metadata, search_words, views
from sentiment.web.queries import QUERIES
from tests.sentiment.test_sample_alert import Careful

OWN = "Wiedehopf & Zirbenstolz (Beispiel)"
BY_ID = {query.id: query for query in QUERIES}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The sample after its first run, read as its labels say, with its survey."""
    folder = tmp_path_factory.mktemp("sample") / "firm"
    write(folder)
    for file in (folder / "surveys").iterdir():
        os.utime(file, (1, 1))  # not as if it were being written just now
    config = load(folder / "config.toml")
    with open_database(config) as db, http_client(config) as client:
        collect(config, db, client)
        pick_up(config, db)
        process(config, db, lambda: Careful(config))
        yield db


@pytest.fixture
def ask(sample):
    """Ask a question by its id; what is not given is empty, as in the browser."""

    def answer(name, language="en", **given):
        query = BY_ID[name]
        values = {**dict.fromkeys(query.defaults, ""), **given}
        return list(sample.query(query.sql(language), values))

    return answer


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("name", list(BY_ID))
def test_every_question_has_an_answer(ask, name, language):
    """In both languages, with nothing filled in, and with everything filled in."""
    query = BY_ID[name]
    assert "{" not in query.sql(language)
    assert ask(name, language)
    given = {key: value for key, value in query.defaults.items() if value}
    assert ask(name, language, **given) == ask(name, language)
    if "service" in query.defaults:
        assert ask(name, language, service="Arbeitsrecht")
        assert ask(name, language, service="Bogenschießen") == []


def test_mood_employment_law_is_worst_and_anger_drives_it(ask):
    """The service that turned sour comes first, with its interval below 0."""
    first, *others = ask("mood", days=14)
    assert (first["service"], first["emotion"]) == ("Arbeitsrecht", "anger")
    assert first["low"] < first["net_sentiment"] < first["high"] < 0
    assert first["negative_percent"] > 70
    assert all(row["high"] > 0 for row in others)
    assert len(others) >= 5


def test_mood_counts_what_the_labels_say(ask, sample):
    """Votes and net sentiment follow from the daily figures of the window."""
    (expected,) = rows(
        sample,
        "SELECT sum(authors) AS n, 100.0 * (sum(positive) - sum(negative)) / sum(authors) AS net "
        "FROM daily_sentiment d JOIN services v ON v.id = service_id AND v.name = 'Steuerberatung' "
        "WHERE company_id = 1 AND day > date('now', '-84 days') AND source_id NOT IN "
        "(SELECT id FROM sources WHERE kind = 'survey')",
    )
    (row,) = [row for row in ask("mood", days=84) if row["service"] == "Steuerberatung"]
    assert (row["votes"], row["net_sentiment"]) == (expected["n"], round(expected["net"], 1))


def test_change_only_employment_law_fell_beyond_chance(ask):
    """In the two weeks since it turned; the others stay."""
    verdicts = {row["service"]: row["verdict"] for row in ask("change", days=14)}
    assert verdicts.pop("Arbeitsrecht") == "worse"
    assert "worse" not in verdicts.values()
    (german,) = [
        row for row in ask("change", "de", days=14) if row["service"] == "Arbeitsrecht"
    ]  # fmt: skip
    assert german["verdict"] == "schlechter"
    assert german["change_low"] < german["change"] < german["change_high"] < 0


def test_no_figure_is_shown_for_too_few_votes(ask):
    """Neither today's nor that of before, nor the difference."""
    found = ask("change", days=1)
    few = [row for row in found if row["verdict"] == "too few votes"]
    assert few
    for row in few:
        assert (row["change"], row["change_low"], row["change_high"]) == (None, None, None)
    for row in found:
        assert (row["net_sentiment"] is None) == (row["votes"] < 5)
        assert (row["before"] is None) == (row["votes_before"] < 5)


def test_week_the_alert_comes_first(ask):
    """With more mentions than usual, and the emotion that came with it."""
    first, *others = ask("week")
    assert first["service"] == "Arbeitsrecht"
    assert first["alerts"] == "drop firing"
    assert first["mentions_this_week"] > first["usual_mentions_a_week"]
    assert first["emotion"] == "anger"
    assert all(row["alerts"] is None for row in others)


def test_why_shows_negative_posts_about_the_service(ask):
    """Each with its words; the positive ones when asked for."""
    found = ask("why", service="Arbeitsrecht")
    assert len(found) == 25
    assert {(row["service"], row["polarity"]) for row in found} == {("Arbeitsrecht", "negative")}
    assert all(row["snippet"] and row["valence"] < 0 for row in found)
    assert {row["polarity"] for row in ask("why", polarity="positive")} == {"positive"}


def test_attention_is_what_was_counted(ask, sample):
    """Our shares add up to 100 percent; employment law is spoken of most."""
    found = ask("attention", days=14)
    assert found[0]["service"] == "Arbeitsrecht"
    assert sum(row["percent_of_our_services"] or 0 for row in found) == pytest.approx(100, abs=0.5)
    (counted,) = rows(
        sample,
        "SELECT count(*) AS n FROM scored_mentions WHERE company = ? AND service = 'Arbeitsrecht' "
        "AND day > date('now', '-14 days') AND NOT is_copy AND source_kind <> 'survey'",
        OWN,
    )
    assert found[0]["our_mentions"] == counted["n"]


def test_competitors_are_compared_service_by_service(ask):
    """Only where both have five votes, the largest deficit first."""
    found = ask("competitors")
    assert {row["competitor"] for row in found} <= {"Föhrenbruch & Kestrup", "Tannwerder Legal"}
    assert all(min(row["our_votes"], row["their_votes"]) >= 5 for row in found)
    assert found == sorted(found, key=lambda row: row["difference"])
    for row in found:
        assert (row["verdict"] == "worse") == (row["difference_high"] < 0)


def test_surveys_answer_in_sentences(ask):
    """One for each service and figure; in the reader's language."""
    found = ask("surveys", "de", service="Arbeitsrecht")
    assert {row["survey"] for row in found} == {"NPS", "CSAT", "CES"}
    assert all("öffentlich" in row["answer"] for row in found)


def test_sources_have_the_ratings_of_their_posts(ask):
    """Stars only where a source has them; the shares add up."""
    found = {row["source"]: row for row in ask("sources", days=84)}
    assert found["Bewertungen (Beispiel)"]["mean_stars"] is not None
    assert found["Forum (Beispiel)"]["mean_stars"] is None
    assert sum(row["percent_of_votes"] for row in found.values()) == pytest.approx(100, abs=0.5)


def test_weekdays_begin_on_monday(ask):
    """Seven of them, newsrooms included; together all votes."""
    found = ask("weekdays")
    assert [row["weekday"] for row in found][:2] == ["Monday", "Tuesday"]
    assert [row["weekday"] for row in ask("weekdays", "de")][-1] == "Sonntag"
    votes = sum(row["votes"] for row in ask("mood", days=180))
    assert sum(row["votes"] for row in found) == votes


def test_trust_tells_what_is_missing(ask, sample):
    """Nothing waits; small services are named; the model agrees with the stars as counted here."""
    found = {row["what"]: row for row in ask("trust")}
    assert found["Mentions not scored yet"]["value"] == "0"
    assert "Few votes: Due Diligence" in found
    rated = rows(
        sample,
        "SELECT rating, polarity FROM scored_mentions WHERE company = ? AND rating IS NOT NULL "
        "AND rating NOT BETWEEN 2.01 AND 3.99 AND source_kind <> 'survey' "
        "AND day > date('now', '-28 days')",
        OWN,
    )
    same = sum((row["rating"] > 3) == (row["polarity"] == "positive")
               and row["polarity"] != "neutral" for row in rated)  # fmt: skip
    share = f"{100 * same / len(rated):.0f} %"
    assert found["Agreement with stars"]["value"].startswith(share)
    assert found["Agreement with stars"]["value"].endswith(f"n = {len(rated)}")


def test_trust_names_sources_that_fail(ask, sample):
    """In the words of the error."""
    sample.execute("BEGIN")
    sample.execute("UPDATE sources SET error_count = 1, last_error = 'gone' WHERE id = 1")
    found = {row["what"]: row["value"] for row in ask("trust", "de")}
    sample.conn.rollback()
    assert found["Quelle: Forum (Beispiel)"] == "Fehler beim Lesen"


def test_stars_contradict_the_words(ask):
    """Many stars with harsh words, or few with kind ones."""
    for row in ask("stars"):
        assert (row["stars"] >= 4) == (row["polarity"] == "negative")


def test_segments_begin_with_the_least_content(ask):
    """Classes of the survey, worst first, each of enough people."""
    found = ask("segments")
    assert {row["segment"] for row in found} == {"A", "B", "C"}
    assert [row["value"] for row in found] == sorted(row["value"] for row in found)
    assert all(row["responses"] >= 5 for row in found)


# Search


@pytest.mark.parametrize(
    ("words", "expression"),
    [
        ("Frist", '"frist"*'),
        ("Kuendigung", '("kuendigung"* OR "kündigung"*)'),
        ("Kündigung", '("kuendigung"* OR "kündigung"*)'),
        ("Straße Frist", '("strasse"* OR "straße"*) AND "frist"*'),
        ('"drei Mails"', '"drei mails"'),
        ("a*b(c", '"a b c"*'),
        ('NOT "', '"not"*'),
        ("--- ***", ""),
        ("", ""),
    ],
)
def test_search_words_become_an_expression(words, expression):
    """Beginnings of words, spelled in every way; nothing that people type is an error."""
    assert search_words(words) == expression


# Descriptions


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_table_and_column_is_described(sample, language):
    """What is in the database, and nothing else."""
    described = metadata(language)["databases"]["sentiment"]["tables"]
    for row in rows(sample, "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')"):
        name = row["name"]
        if name.startswith(("posts_fts", "_sqlite", "sqlite")):
            continue
        columns = [column["name"] for column in rows(sample, f"PRAGMA table_info({name})")]
        assert described[name]["description"], name
        told = described[name]["columns"]
        assert [column for column in columns if not told.get(column)] == [], name
        assert set(told) <= set(columns), name


def test_views_are_described_in_german():
    """Each column of each view, in other words than the English ones."""
    german, english = views("de"), views("en")
    for name, (row, columns) in english.items():
        assert german[name][0] != row
        same = [column for column, said in columns.items() if german[name][1][column] == said]
        assert same == [], name


def test_tables_are_described_by_the_comments_of_their_sql():
    """Comments beside a column, above it, and on further lines."""
    found = tables()
    assert found["posts"][1]["author"] == "keyed pseudonym, never the name"
    assert found["notifications"][1]["status"].startswith("withheld: silenced or acknowledged")
    assert found["survey_comments"][0] == "posts that are answers in words"
    assert found["mentions"][1]["post_at"] == "posted_at of its post"


# In Datasette


class Search:
    """What the web module does to Datasette's connections."""

    __name__ = "search"

    @hookimpl(trylast=True)  # after Datasette's own, which it replaces
    def prepare_connection(self, conn):
        conn.create_function("escape_fts", 1, search_words)


@pytest.fixture(scope="module")
def get(sample):
    """Ask Datasette for addresses, over the sample's own file."""
    path = rows(sample, "PRAGMA database_list")[0]["file"]
    plugin = Search()
    pm.register(plugin)
    server = Datasette([path], metadata=metadata("de"), settings=SETTINGS)

    async def fetch(address):
        await server.invoke_startup()
        return await server.client.get(address)

    yield lambda address: asyncio.run(fetch(address))
    pm.unregister(plugin)


@pytest.mark.parametrize("view", list(views("en")))
def test_every_view_has_a_page_with_its_description(get, view):
    """In the reader's language."""
    answer = get(f"/sentiment/{view}")
    assert answer.status_code == 200
    assert views("de")[view][0] in html.unescape(answer.text)


@pytest.mark.parametrize("name", list(BY_ID))
def test_every_question_stands_in_the_browser(get, name):
    """As a page, and as JSON with the rows that SQL gives."""
    assert BY_ID[name].question.de in get(f"/sentiment/{name}").text.replace("&#39;", "'")
    assert get(f"/sentiment/{name}.json?_shape=array").json()


def test_posts_are_searched_in_every_spelling(get):
    """Datasette finds the search by itself."""
    umlaut = get("/sentiment/posts.json?_search=Kündigung&_shape=array").json()
    assert len(umlaut) >= 1
    for other in ("Kuendigung", "KÜNDIGUNG"):
        found = get(f"/sentiment/posts.json?_search={other}&_shape=array").json()
        assert {row["id"] for row in found} == {row["id"] for row in umlaut}
    word = re.compile(r"\bk(ü|ue)ndigung", re.IGNORECASE)
    assert len(umlaut) == sum(bool(word.search(post.read)) for post in gold())


def test_mentions_are_faceted_and_the_newest_first(get):
    """Facets are those of the metadata; none are suggested."""
    answer = get("/sentiment/scored_mentions.json?service=Arbeitsrecht").json()
    assert set(answer["facet_results"]) == {"service", "polarity", "emotion", "source"}
    assert answer["suggested_facets"] == []
    times = [row[answer["columns"].index("posted_at")] for row in answer["rows"]]
    assert times == sorted(times, reverse=True)


def test_a_view_is_exported_whole(get, sample):
    """CSV with a row a row."""
    text = get("/sentiment/service_daily.csv?_stream=1").text
    (expected,) = rows(sample, "SELECT count(*) AS n FROM service_daily")
    assert len(text.strip().splitlines()) == expected["n"] + 1


def test_what_the_worker_alone_needs_is_hidden(get):
    """The list of tables is for people."""
    answer = get("/sentiment.json").json()
    hidden = {table["name"] for table in answer["tables"] if table["hidden"]}
    assert {"sketches", "stale_days", "period_sentiment", "state", "posts_fts"} <= hidden
    assert not {"posts", "mentions", "companies", "alerts"} & hidden


def test_the_page_of_questions_is_not_empty(get):
    """All of them are listed on the database's page."""
    answer = get("/sentiment.json").json()
    assert {query["name"] for query in answer["queries"]} == set(BY_ID)

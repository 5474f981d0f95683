"""Surveys by hand and by the daemon: the commands, the watched folder, and the sample company."""

import json
import threading
import time

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from sentiment import sample
from sentiment.cli import app
from sentiment.config import load
from sentiment.database import get_state, open_database, rows, set_state
from sentiment.match import match
from sentiment.rollup import rollup
from sentiment.score import score
from sentiment.status import surveys
from sentiment.surveys.watch import pick_up
from sentiment.worker import Worker
from tests.sentiment.firm import WordClassifier

CONFIG = """
[company]
name = "Kanzlei Ahornhof"
[[services]]
name = "Arbeitsrecht"
[surveys]
folder = "drop"
every = "1s"
[[surveys.survey]]
name = "one"
files = "one*.csv"
questions = [{ column = "NPS", metric = "nps", service = "Arbeitsrecht" }]
[[surveys.survey]]
name = "two"
files = "two*.csv"
questions = [{ column = "NPS", metric = "nps" }]
"""
FILE = (
    "id;date;NPS\n"
    + "".join(f"{n};2026-03-01;{n % 3 + 8}\n" for n in range(9))
    + "99;2026-03-02;11\n"
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    (tmp_path / "drop").mkdir()
    return tmp_path


def command(folder, *arguments):
    return CliRunner().invoke(app, [*map(str, arguments), "--config", str(folder / "config.toml")])


def test_a_dry_run_shows_what_is_recognised_and_stores_nothing(folder):
    """Columns by letter and header, counts, and what is no answer."""
    (folder / "one.csv").write_text(FILE)
    done = command(folder, "import", "surveys", folder / "one.csv", "--dry-run")
    assert done.exit_code == 0, done.output
    assert 'nps of Arbeitsrecht: NPS ← column C "NPS"' in done.output
    assert "9 answers would be new" in done.output
    assert 'row 11, column "NPS": "11" is not between 0 and 10' in done.output
    with open_database(load(folder / "config.toml")) as db:
        assert rows(db, "SELECT * FROM survey_responses") == []


def test_importing_by_hand_gives_a_result_for_machines(folder):
    """The survey is found by the file's name; --survey says it otherwise."""
    (folder / "one.csv").write_text(FILE)
    (folder / "x.csv").write_text(FILE)
    done = command(folder, "import", "surveys", folder / "one.csv", "--json")
    assert json.loads(done.stdout)["new"] == 9
    unclear = command(folder, "import", "surveys", folder / "x.csv", "--json")
    assert 'say --survey: "one", "two"' in str(unclear.exception)
    done = command(folder, "import", "surveys", folder / "x.csv", "--survey", "two", "--json")
    assert json.loads(done.stdout)["survey"] == "two"


def test_the_worker_imports_what_is_put_into_the_folder(folder):
    """Within the interval, without any command."""
    worker = Worker(load(folder / "config.toml"))
    worker.__dict__["model"] = WordClassifier()
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        (folder / "drop" / "one.csv").write_text(FILE)
        deadline = time.monotonic() + 30
        found = 0
        while found < 9 and time.monotonic() < deadline:
            time.sleep(0.1)
            with open_database(worker.config) as db:
                found = rows(db, "SELECT count(*) AS n FROM survey_responses")[0]["n"]
    finally:
        worker.stop()
        thread.join(15)
    assert found == 9


def test_a_file_that_was_refused_stands_in_the_status(folder, monkeypatch):
    """With its reason, and the others are imported all the same."""
    monkeypatch.setattr("sentiment.surveys.watch.SETTLE", 0.0)
    (folder / "drop" / "one.csv").write_text(FILE)
    (folder / "drop" / "two.csv").write_text("id;date\n")
    with open_database(load(folder / "config.toml")) as db:
        pick_up(load(folder / "config.toml"), db)
    done = command(folder, "status", "--json")
    surveys = {row["survey"]: row for row in json.loads(done.stdout)["surveys"]}
    assert surveys["one"]["answers"] == 9
    assert 'no column "NPS"' in surveys["two"]["error"]
    assert "two.csv" in command(folder, "status").output


def test_check_says_whether_the_folder_is_there(folder):
    """And how many files are each survey's."""
    (folder / "drop" / "one.csv").write_text(FILE)
    done = command(folder, "check")
    assert "surveys: 1 files of one; 0 files of two" in " ".join(done.output.split())
    (folder / "drop" / "one.csv").unlink()
    (folder / "drop").rmdir()
    done = command(folder, "check")
    assert "does not exist" in " ".join(done.output.split())
    assert done.exit_code == 1


def test_words_of_a_refused_file_get_neither_into_the_database_nor_into_the_log(
    folder, monkeypatch
):
    """Somebody took the column of names for the question."""
    monkeypatch.setattr("sentiment.surveys.watch.SETTLE", 0.0)
    names = "".join(f"{n};2026-03-01;Rosalinde Quandt\n" for n in range(9))
    (folder / "drop" / "one.csv").write_text("id;date;NPS\n" + names)
    config = load(folder / "config.toml")
    with open_database(config) as db, capture_logs() as logged:
        (result,) = pick_up(config, db)
        kept = rows(db, "SELECT error, result FROM survey_files")[0]
    assert [line["event"] for line in logged] == ["survey_refused"]
    assert "Quandt" not in str(logged)
    assert 'row 2, column "NPS": "Rosalinde Quandt" is not a number' in result.error
    assert 'row 2, column "NPS": "…" is not a number' in kept["error"]
    assert "Quandt" not in kept["result"]


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """The sample company with its survey, scored by a classifier that reads two words."""
    folder = tmp_path_factory.mktemp("sample")
    sample.write(folder)
    config = load(folder / "config.toml")
    with pytest.MonkeyPatch.context() as patch, open_database(config) as db:
        patch.setattr("sentiment.surveys.watch.SETTLE", 0.0)
        results = pick_up(config, db)
        match(config, db)
        score(db, WordClassifier())
        rollup(db)
        yield db, results


def test_the_sample_company_has_twelve_weeks_of_answers_in_three_classes(company):
    """Nothing in it is off."""
    db, (result,) = company
    assert result.error == ""
    assert (result.off, result.answers > 3000, result.comments > 100) == ([], True, True)
    weeks = rows(db, "SELECT count(DISTINCT period) AS n FROM survey_scores_weekly")[0]["n"]
    assert weeks in (12, 13)
    classes = rows(db, "SELECT DISTINCT segment FROM survey_responses ORDER BY 1")
    assert [row["segment"] for row in classes] == ["A", "B", "C"]


def test_in_the_sample_employment_law_falls_in_the_last_week_and_nothing_else(company):
    """A week after the posts."""
    db, _ = company
    sql = """
        SELECT v.name AS service, avg(CASE WHEN late THEN value END) AS late,
            avg(CASE WHEN NOT late THEN value END) AS before
        FROM (SELECT *, day >= (SELECT date(max(day), '-6 days') FROM survey_responses) AS late
              FROM survey_responses WHERE metric = 'csat') r
        JOIN services v ON v.id = r.service_id GROUP BY 1
    """
    moved = {row["service"]: row["late"] - row["before"] for row in rows(db, sql)}
    assert moved.pop("Arbeitsrecht") < -1
    assert len(moved) == 7
    assert all(abs(change) < 0.8 for change in moved.values())


def test_comments_of_the_sample_are_a_source_of_their_own(company):
    """About the service that was asked about; not among the public figures."""
    db, _ = company
    found = rows(db, "SELECT DISTINCT source, source_kind FROM scored_mentions")
    assert found == [{"source": "Mandantenbefragung (Beispiel)", "source_kind": "survey"}]
    assert rows(db, "SELECT * FROM service_monthly") == []
    assert (
        rows(db, "SELECT count(*) AS n FROM daily_sentiment WHERE service_id IS NULL")[0]["n"] == 0
    )


def test_the_classifier_is_checked_against_the_respondents(company):
    """Agreement is counted comment by comment, and not told of few comments."""
    db, _ = company
    pairs = rows(db, "SELECT polarity, rating_polarity FROM survey_comment_scores")
    same = sum(row["polarity"] == row["rating_polarity"] for row in pairs)
    against = sum(set(row.values()) == {"positive", "negative"} for row in pairs)
    (found,) = surveys(db)
    assert (found["comments"], found["same"], found["opposite"]) == (len(pairs), same, against)
    assert found["agreement"] == 100 * same / len(pairs)
    assert found["agreement_low"] < found["agreement"] < found["agreement_high"]
    before = get_state(db, "min_responses")
    set_state(db, "min_responses", str(len(pairs) + 1))
    assert "agreement" not in surveys(db)[0]
    set_state(db, "min_responses", before)

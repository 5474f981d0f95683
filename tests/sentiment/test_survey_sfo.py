"""Real answers of 14,503 airport passengers, as they were published: codes, blanks and all.

Runs where the environment variable SENTIMENT_DATA names the folder of the shared data sets.
"""

import csv
import gzip
import os
from pathlib import Path

import pytest

from sentiment.config import Config
from sentiment.database import open_database, rows
from sentiment.surveys.importing import import_survey

DATA = Path(os.environ.get("SENTIMENT_DATA", "-")) / "survey_sfo"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="SENTIMENT_DATA names no data folder")
SERVICES = {
    "Q7FOOD": "Food", "Q7STORE": "Stores", "Q7SIGN": "Signs", "Q7WIFI": "Wifi",
    "Q7PARK": "Parking", "Q7RENTAL": "Car rental", "Q7AIRTRAIN": "AirTrain",
    "Q7SCREENS": "Screens", "Q14FIND": "Finding the way",
}  # fmt: skip
NEVER_USED = {"no_answer": [0, 6]}


@pytest.fixture(scope="module")
def airport(tmp_path_factory):
    """The airport's configuration, the file, and what became of importing it twice."""
    folder = tmp_path_factory.mktemp("sfo")
    path = folder / "responses.csv"
    path.write_bytes(gzip.decompress((DATA / "responses_raw.csv.gz").read_bytes()))
    questions = [
        {"column": "Q7ALL", "metric": "csat", **NEVER_USED},
        {"column": "NETPRO", "metric": "nps"},
        *(
            {"column": column, "service": service, "scale": "1-5", **NEVER_USED,
             "metric": "ces" if column == "Q14FIND" else "csat"}
            for column, service in SERVICES.items()
        ),
    ]  # fmt: skip
    survey = {"name": "sfo", "id": "RESPNUM", "date": "INTDATE", "questions": questions}
    config = Config.model_validate(
        {"folder": folder, "timezone": "America/Los_Angeles", "company": {"name": "SFO"},
         "services": [{"name": name} for name in SERVICES.values()],
         "surveys": {"survey": [survey]}}
    )  # fmt: skip
    with open_database(config) as db:
        results = [import_survey(config, db, config.surveys.survey[0], path) for _ in range(2)]
        yield db, results, path


def score(db, year, metric):
    sql = (
        "SELECT value, low, high, responses FROM survey_scores "
        "WHERE service IS NULL AND metric = ? AND period LIKE ? || '-%'"
    )
    (row,) = rows(db, sql, metric, str(year))
    return row


@pytest.mark.parametrize(("year", "value", "n"), [(2017, 39.84, 2746), (2018, 30.98, 2650)])
def test_nps_of_a_year(airport, year, value, n):
    """As counted by hand: 1,436 promoters and 342 detractors of 2,746; 1,268 and 447 of 2,650."""
    row = score(airport[0], year, "nps")
    assert (round(row["value"], 2), row["responses"]) == (value, n)
    assert row["low"] < value < row["high"]


def test_eleven_is_listed_as_no_answer_84_and_159_times(airport):
    """Taken as a score it would make promoters: 41.63 and 34.89."""
    _, results, path = airport
    assert results[0].no_answers["NETPRO"]["11 (not between 0 and 10)"] == 84 + 159
    with path.open(newline="") as file:
        years = [row["INTDATE"][:4] for row in csv.DictReader(file) if row["NETPRO"] == "11"]
    assert (years.count("2017"), years.count("2018")) == (84, 159)


def test_csat_of_2017(airport):
    """Mean 4.064 of 2,688 answers; 82.1 % in the two best."""
    mean, top = score(airport[0], 2017, "csat"), score(airport[0], 2017, "csat_top2")
    assert (round(mean["value"], 3), mean["responses"]) == (4.064, 2688)
    assert round(top["value"], 1) == 82.1


def test_nine_services_have_figures_of_their_own(airport):
    """With n and interval, month by month."""
    cards = rows(
        airport[0],
        "SELECT service, ifnull(csat_responses, ces_responses) AS n FROM service_scorecard "
        "WHERE period = '2017-05'",
    )
    assert {card["service"] for card in cards} == set(SERVICES.values())
    assert all(card["n"] > 900 for card in cards)


def test_daily_nps_is_that_of_the_answers_counted_one_by_one(airport):
    """On each of the twenty days of 2017."""
    db, _, path = airport
    counted = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["INTDATE"].startswith("2017") and row["NETPRO"] not in ("", "11"):
                counted.setdefault(row["INTDATE"], []).append(int(row["NETPRO"]))
    found = rows(
        db,
        "SELECT period, value FROM survey_scores_daily "
        "WHERE metric = 'nps' AND service IS NULL AND period LIKE '2017-%'",
    )
    assert len(found) == 20
    assert {row["period"]: pytest.approx(row["value"]) for row in found} == {
        day: 100 * sum((v >= 9) - (v <= 6) for v in values) / len(values)
        for day, values in counted.items()
    }


def test_importing_twice_changes_nothing(airport):
    """113,404 answers, once."""
    _, (first, again), _ = airport
    assert (first.rows, first.new) == (14_503, 113_404)
    assert (again.new, again.changed, again.removed) == (0, 0, 0)

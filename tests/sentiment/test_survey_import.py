"""Survey files, honest and hostile, into a real database."""
# ruff: noqa: ISC004, DTZ001 (files stand here line by line; spreadsheets have no time zone)

import csv
import io
import json
import os
import pty
import re
import sqlite3
import subprocess
import sys
import termios
import zipfile
from datetime import datetime

import openpyxl
import pytest

from sentiment.config import Config, ConfigError, load
from sentiment.database import count, open_database, rows
from sentiment.match import match
from sentiment.purge import purge
from sentiment.score import score
from sentiment.surveys import staging
from sentiment.surveys.importing import NEXT, import_survey
from sentiment.surveys.listing import listed_in
from sentiment.surveys.presets import PRESETS
from sentiment.surveys.reading import SurveyError
from sentiment.surveys.watch import pick_up
from sources.base import Stopped
from tests.sentiment.firm import FIRM, WordClassifier

SURVEY = {
    "name": "Mandanten",
    "id": "Nr",
    "date": "Datum",
    "segment": "Klasse",
    "questions": [
        {"column": "NPS", "metric": "nps"},
        {"column": "Zufrieden", "metric": "csat", "service": "Arbeitsrecht"},
    ],
    "comments": [{"column": "Kommentar", "service": "Arbeitsrecht"}],
}
FILE = """Nr;Datum;Klasse;NPS;Zufrieden;Kommentar
1;01.03.2026;A;10;5;Alles gut, danke
2;02.03.2026;B;3;2;Schlecht: niemand rief zurück
3;03.03.2026;A;9;4,5;
4;04.03.2026;;7;weiß nicht;
"""


@pytest.fixture
def settle(monkeypatch):
    monkeypatch.setattr("sentiment.surveys.watch.SETTLE", 0.0)


@pytest.fixture
def bring(tmp_path):
    """Import a file's content for the survey, with changes to its settings; gives what came of it."""

    def run(content=FILE, name="a.csv", encoding="utf-8", **changes):
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding, newline="")
        options = {key: changes.pop(key) for key in ("dry_run", "listed") if key in changes}
        config = settings(tmp_path, **changes)
        with open_database(config) as db:
            return import_survey(config, db, config.surveys.survey[0], path, **options)

    return run


def settings(folder, **changes):
    top = {key: changes.pop(key) for key in ("max_off", "min_responses") if key in changes}
    survey = {key: value for key, value in {**SURVEY, **changes}.items() if value is not None}
    return Config.model_validate({**FIRM, "folder": folder, "surveys": {**top, "survey": [survey]}})


def stored(folder, sql="SELECT metric, value, segment, day FROM survey_responses ORDER BY id"):
    with sqlite3.connect(folder / "sentiment.db") as db:
        found = db.execute(sql).fetchall()
    db.close()
    return found


ANSWERS = "SELECT metric, value, day FROM survey_responses ORDER BY day, metric"


def table(header, *lines, delimiter=";"):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([header, *lines])
    return out.getvalue()


def book(path, *lines, merge=None):
    made = openpyxl.Workbook()
    for line in lines:
        made.active.append(line)
    if merge:
        made.active.merge_cells(merge)
    made.save(path)
    return path


# What is counted


def test_a_wide_file_gives_an_answer_for_each_cell_that_holds_one(bring, tmp_path):
    """Decimal commas are read; "weiß nicht" and an empty class are nothing."""
    result = bring()
    assert (result.rows, result.answers, result.new, result.comments) == (4, 7, 7, 2)
    assert sorted(stored(tmp_path), key=str) == sorted(
        [("nps", 10, "A", "2026-03-01"), ("csat", 5, "A", "2026-03-01"),
         ("nps", 3, "B", "2026-03-02"), ("csat", 2, "B", "2026-03-02"),
         ("nps", 9, "A", "2026-03-03"), ("csat", 4.5, "A", "2026-03-03"),
         ("nps", 7, None, "2026-03-04")], key=str,
    )  # fmt: skip
    assert result.no_answers == {"Zufrieden": {"weiß nicht": 1}}


def test_importing_twice_changes_nothing(bring, tmp_path):
    """Nor does it write a single row."""
    bring()
    before = stored(tmp_path, "SELECT * FROM survey_responses")
    again = bring()
    assert (again.new, again.changed, again.removed) == (0, 0, 0)
    assert (again.new_comments, again.changed_comments) == (0, 0)
    assert stored(tmp_path, "SELECT * FROM survey_responses") == before


def test_a_longer_export_adds_what_is_new_and_a_corrected_row_updates(bring, tmp_path):
    """A 3 that should have been an 8 is an 8 afterwards, and a withdrawn answer is gone."""
    bring()
    later = FILE.replace("B;3;2;Schlecht", "B;8;;Schlecht") + "5;05.03.2026;C;6;1;\n"
    result = bring(later)
    assert (result.new, result.changed, result.removed) == (2, 1, 1)
    assert stored(tmp_path, "SELECT value FROM survey_responses WHERE day = '2026-03-02'") == [(8,)]


def test_a_dry_run_says_the_same_and_stores_nothing(bring, tmp_path):
    """What was recognised: each column by letter and header."""
    result = bring(dry_run=True)
    assert (result.new, result.answers) == (7, 7)
    assert result.columns["nps: NPS"] == 'D "NPS"'
    assert stored(tmp_path, "SELECT count(*) FROM survey_responses") == [(0,)]


def test_files_without_ids_are_told_apart_by_their_rows(bring, tmp_path):
    """Two people may have said the same on the same day; the file again adds neither."""
    content = table(["Datum", "NPS"], ["2026-03-01", 9], ["2026-03-01", 9], ["2026-03-02", 1])
    changes = {"id": None, "segment": None, "comments": [], "questions": SURVEY["questions"][:1]}
    assert bring(content, **changes).new == 3
    longer = content + "2026-03-01;9\n"
    assert bring(longer, **changes).new == 1


def test_a_row_that_stands_there_twice_counts_once(bring):
    """The later one is the correction."""
    result = bring(FILE + "1;01.03.2026;A;2;5;\n")
    assert (result.answers, result.twice) == (7, 2)


def test_a_long_file_has_a_row_for_each_answer(bring, tmp_path):
    """Question, answer and service stand in columns of their own."""
    content = table(
        ["id", "when", "service", "question", "answer"],
        [1, "2026-03-01", "Arbeitsrecht", "csat", 5],
        [1, "2026-03-01", "Steuerberatung", "csat", 2],
        [1, "2026-03-01", "", "nps", 9],
        [1, "2026-03-01", "Arbeitsrecht", "why", "gut gemacht"],
        [2, "2026-03-02", "Arbeitsrecht", "colour", "blue"],
    )
    result = bring(
        content, id="id", date="when", segment=None, service="service",
        long={"question": "question", "answer": "answer"},
        questions=[{"column": "csat", "metric": "csat"}, {"column": "nps", "metric": "nps"}],
        comments=[{"column": "why"}],
    )  # fmt: skip
    assert (result.answers, result.comments) == (3, 1)
    found = stored(tmp_path, "SELECT metric, value, name FROM survey_responses r LEFT JOIN "
                             "services v ON v.id = service_id ORDER BY 1, 2")  # fmt: skip
    assert found == [("csat", 2, "Steuerberatung"), ("csat", 5, "Arbeitsrecht"), ("nps", 9, None)]


def test_weights_are_kept_and_a_missing_one_is_off(bring, tmp_path):
    """A row that cannot be weighed is not counted with some made-up weight."""
    content = table(["Nr", "Datum", "NPS", "w"],
                    *[[n, "2026-03-01", 9, "0,5"] for n in range(9)], [10, "2026-03-01", 9, "x"])  # fmt: skip
    result = bring(
        content, segment=None, weight="w", comments=[], questions=SURVEY["questions"][:1]
    )
    assert result.answers == 9
    assert '"x" is not a weight above 0' in result.off[0]
    assert stored(tmp_path, "SELECT DISTINCT weight FROM survey_responses") == [(0.5,)]


# What is not counted, and what is refused


def test_cells_off_the_scale_are_listed_by_row_and_column(bring, tmp_path):
    """11 is no promoter. The list names each cell."""
    content = table(["Nr", "Datum", "NPS"], *[[n, "2026-03-01", n % 11] for n in range(40)],
                    [98, "2026-03-01", 11], [99, "2026-03-01", "=cmd"])  # fmt: skip
    listing = tmp_path / "list.csv"
    with listed_in(listing) as listed:
        result = bring(content, segment=None, comments=[], questions=SURVEY["questions"][:1],
                       listed=listed)  # fmt: skip
    assert result.answers == 40
    assert result.off[0] == 'row 42, column "NPS": "11" is not between 0 and 10'
    assert result.no_answers["NPS"]["11 (not between 0 and 10)"] == 1
    assert "42;NPS;11;not between 0 and 10" in listing.read_text("utf-8-sig")
    assert "43;NPS;'=cmd;not a number" in listing.read_text("utf-8-sig")


def test_a_file_in_which_too_much_is_off_is_refused_whole(bring, tmp_path):
    """Nothing of it is stored; the message names file, row, column, value and remedy."""
    bring()
    content = table(["Nr", "Datum", "Klasse", "NPS", "Zufrieden", "Kommentar"],
                    *[[f"n{n}", "2026-03-01", "A", 9, n, ""] for n in range(1, 11)])  # fmt: skip
    with pytest.raises(SurveyError) as refused:
        bring(content, name="mixed.csv")
    said = str(refused.value)
    assert "mixed.csv: refused, nothing was imported: 5 of 10 cells" in said
    assert 'row 7, column "Zufrieden": "6" is not between 1 and 5' in said
    assert "Check scale" in said
    assert stored(tmp_path, "SELECT count(*) FROM survey_responses") == [(7,)]


def test_answers_that_look_like_another_scale_raise_a_question(bring):
    """An NPS column in which nobody goes above 5 was most likely asked from 1 to 5."""
    content = table(["Nr", "Datum", "NPS"], *[[n, "2026-03-01", n % 5 + 1] for n in range(40)])
    result = bring(content, segment=None, comments=[], questions=SURVEY["questions"][:1])
    assert "was it asked from 1 to 5?" in result.warnings[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the file is empty"),
        ("Nr;Datum\n", 'no column "NPS", which questions names; the columns are: Nr, Datum'),
        (FILE.replace("NPS", "Note"), 'no column "NPS", which questions names'),
        (FILE.replace("Zufrieden", "NPS"), 'two columns are called "NPS" (D and E)'),
        (FILE.replace(".03.2026", "/03/2026"), 'row 2, column "Datum": "01/03/2026" is not a date'),
        (FILE.replace("2026", "2126"), "in the future"),
        ("Nr;Datum;Klasse;NPS;Zufrieden;Kommentar\n1;01.03.2026;A;;;\n", "not one answer in it"),
        (FILE.replace("1;01", '"1;01', 1), "a quote is opened and never closed"),
        ("Nr;Datum;Klasse;NPS;Zufrieden;Kommentar\n" + "1;01.03.2026;A;9;5;a;b;c\n" * 5,
         "row 2 8 cells where the header has 6"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "save it as .xlsx or CSV"),
        (b"PK\x03\x04" + bytes(600), "not an Excel file, or a damaged one"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_the_reason(bring, tmp_path, content, said):
    """And nothing of it is stored."""
    with pytest.raises(SurveyError) as refused:
        bring(content)
    assert said in str(refused.value)
    assert str(refused.value).startswith("a.csv: ")
    if (tmp_path / "sentiment.db").exists():
        assert stored(tmp_path, "SELECT count(*) FROM survey_responses") == [(0,)]


def test_a_service_that_is_not_in_the_portfolio_is_off(bring):
    """One unknown service is listed, a file full of them refused."""
    header = ["Nr", "Datum", "NPS", "Leistung"]
    good = [[n, "2026-03-01", 9, "ARBEITSRECHT"] for n in range(20)]
    changes = {"segment": None, "comments": [], "service": "Leistung",
               "questions": SURVEY["questions"][:1]}  # fmt: skip
    result = bring(table(header, *good, [99, "2026-03-01", 9, "Luftrecht"]), **changes)
    assert result.answers == 20
    assert '"Luftrecht" is not one of [[services]]' in result.off[0]
    with pytest.raises(SurveyError, match="Luftrecht"):
        bring(table(header, *[[n, "2026-03-01", 9, "Luftrecht"] for n in range(20)]), **changes)


def test_a_column_of_names_is_no_segment(bring):
    """More than 50 classes are people."""
    content = table(["Nr", "Datum", "Klasse", "NPS", "Zufrieden", "Kommentar"],
                    *[[n, "2026-03-01", f"Person {n}", 9, 5, ""] for n in range(60)])  # fmt: skip
    with pytest.raises(SurveyError, match="names of people must not get there"):
        bring(content)


def test_an_import_that_dies_half_way_leaves_nothing(bring, tmp_path, monkeypatch):
    """One transaction: a crash while storing is as if the file had never been there."""

    def broken(*_args):
        raise RuntimeError("power cut")

    monkeypatch.setattr("sentiment.surveys.importing.store_posts", broken)
    with pytest.raises(RuntimeError):
        bring()
    assert stored(tmp_path, "SELECT count(*) FROM survey_responses") == [(0,)]


# Encodings, spreadsheets, headers


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_encodings_and_delimiters_are_recognised(bring, tmp_path, encoding, delimiter):
    """Umlauts arrive whole."""
    content = table(["Nr", "Datum", "Klasse", "NPS", "Zufriedenheit für Größe"],
                    [1, "2026-03-01", "Ä", "9", "4,5"], delimiter=delimiter)  # fmt: skip
    question = {"column": "Zufriedenheit für Größe", "metric": "csat"}
    result = bring(content, encoding=encoding, questions=[question], comments=[])
    assert result.answers == 1
    assert stored(tmp_path, "SELECT segment, value FROM survey_responses") == [("Ä", 4.5)]


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-03-01", "2026-03-01"),
        ("2026-03-01T23:30:00Z", "2026-03-02"),
        ("01.03.2026 14:05", "2026-03-01"),
        ("1. März 2026", "2026-03-01"),
        ("46082", "2026-03-01"),
        ("46082,5", "2026-03-01"),
        ("2026/03/01 2:03:22 PM GMT+1", "2026-03-01"),
        ("2026/03/01 11:59:22 PM UTC", "2026-03-02"),
        ("2026/03/01 2:03:22 nachm. MEZ", "2026-03-01"),
    ],
)
def test_dates_of_many_kinds_fall_on_the_day_of_the_configured_zone(bring, tmp_path, cell, day):
    """Serial numbers too."""
    content = table(["Nr", "Datum", "NPS"], [1, cell, 9])
    bring(content, segment=None, comments=[], questions=SURVEY["questions"][:1])
    assert stored(tmp_path, "SELECT day FROM survey_responses") == [(day,)]


def test_date_format_reads_what_half_the_world_would_read_differently(bring, tmp_path):
    """03/04/2026 is refused without it."""
    content = table(["Nr", "Datum", "NPS"], [1, "03/04/2026", 9])
    changes = {"segment": None, "comments": [], "questions": SURVEY["questions"][:1]}
    with pytest.raises(SurveyError, match="date_format can say how it is written"):
        bring(content, **changes)
    bring(content, **changes, date_format="%m/%d/%Y")
    assert stored(tmp_path, "SELECT day FROM survey_responses") == [("2026-03-04",)]


def test_spreadsheets_with_titles_and_merged_headers(bring, tmp_path):
    """A title line, then two header rows whose upper cells span several columns."""
    path = book(
        tmp_path / "a.xlsx",
        ["Befragung 2026"],
        ["Nr", "Datum", "Zufriedenheit", None],
        [None, None, "Arbeitsrecht", "Steuerberatung"],
        [1, datetime(2026, 3, 1, 9, 0), 5, 2],
        [2, 46083, "4,5", None],
        merge="C2:D2",
    )
    questions = [{"column": f"Zufriedenheit {name}", "metric": "csat", "service": name}
                 for name in ("Arbeitsrecht", "Steuerberatung")]  # fmt: skip
    result = bring(path, name="a.xlsx", segment=None, comments=[], header_rows=2,
                   questions=questions)  # fmt: skip
    assert result.answers == 3
    assert stored(tmp_path, ANSWERS)[-1] == ("csat", 4.5, "2026-03-02")


def test_a_formula_that_was_never_computed_is_refused_by_row_and_column(bring, tmp_path):
    """It would read as empty, and the answer be lost unseen."""
    path = book(tmp_path / "a.xlsx", ["Nr", "Datum", "NPS"], [1, datetime(2026, 3, 1), "=5+4"])
    with pytest.raises(SurveyError) as refused:
        bring(path, name="a.xlsx", segment=None, comments=[], questions=SURVEY["questions"][:1])
    assert 'a.xlsx row 2, column C "NPS": the formula "=5+4" has no stored value' in str(
        refused.value
    )


def test_a_formula_counts_with_the_value_that_was_last_computed(bring, tmp_path):
    """As the spreadsheet program shows it."""
    path = book(tmp_path / "a.xlsx", ["Nr", "Datum", "NPS"], [1, datetime(2026, 3, 1), "=5+4"])
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    computed = re.sub(rb"</f><v ?/?>(</v>)?", b"</f><v>9</v>", members[sheet])
    assert computed != members[sheet]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**members, sheet: computed}.items():
            archive.writestr(name, content)
    bring(path, name="a.xlsx", segment=None, comments=[], questions=SURVEY["questions"][:1])
    assert stored(tmp_path) == [("nps", 9, None, "2026-03-01")]


def test_a_column_to_be_dropped_must_be_there(bring):
    """A misspelt name would leave names in the comments."""
    with pytest.raises(SurveyError, match='no column "Nahme", which drop names'):
        bring(drop=["Nahme"])


QUALTRICS = (
    "StartDate,EndDate,Status,IPAddress,Progress,Duration (in seconds),Finished,RecordedDate,"
    "ResponseId,RecipientLastName,RecipientFirstName,RecipientEmail,ExternalReference,"
    "LocationLatitude,LocationLongitude,DistributionChannel,UserLanguage,NPS\n"
    "Start Date,End Date,Response Type,IP Address,Progress,Duration (in seconds),Finished,"
    "Recorded Date,Response ID,Recipient Last Name,Recipient First Name,Recipient Email,"
    "External Data Reference,Location Latitude,Location Longitude,Distribution Channel,"
    'User Language,"How likely?"\n'
    '"{""ImportId"":""startDate"",""timeZone"":""Europe/Berlin""}",,,,,,,,,,,,,,,,,'
    '"{""ImportId"":""QID1""}"\n'
)


def qualtrics(number, status, finished, nps, progress=100):
    moment = "2026-03-01 10:00:00"
    return (f"{moment},{moment},{status},1.2.3.4,{progress},60,{finished},{moment},R_{number},"
            f",,,,52.5,13.4,anonymous,DE,{nps}\n")  # fmt: skip


EXPORTS = {
    "limesurvey, codes": (
        "id;submitdate;lastpage;startlanguage;seed;startdate;datestamp;ipaddr;NPS\n"
        "1;2026-03-01 10:00:00;3;de;77;2026-03-01 09:59:00;2026-03-01 10:00:00;10.0.0.1;9\n"
        "2;;1;de;78;2026-03-01 09:59:00;2026-03-01 10:00:00;10.0.0.1;1\n", 1),
    "limesurvey, texts": (
        '"Response ID","Date submitted","Last page","Start language","<b>NPS</b>"\n'
        '"1","2026-03-01 10:00:00","3","de","9"\n"2","","1","de","1"\n', 1),
    "limesurvey, German": (
        '"Antwort ID","Datum Abgeschickt","Letzte Seite","Start-Sprache","Zufallsstartwert",'
        '"Datum gestartet","Datum letzte Aktivität","IP-Adresse","NPS"\n'
        '"1","2026-03-01 10:00:00","3","de","7","2026-03-01 09:59:00","2026-03-01 10:00:00","","9"\n'
        '"2","","1","de","8","2026-03-01 09:59:00","2026-03-01 10:00:00","","1"\n', 1),
    "typeform": (
        "#,NPS,Start Date (UTC),Submit Date (UTC),Network ID\n"
        "abc,9,2026-03-01 09:59:00,2026-03-01 10:00:00,1f\n", 0),
    "typeform, with partial answers": (
        "#,NPS,Other,Response Type,Start Date (UTC),Stage Date (UTC),Submit Date (UTC),Network ID,"
        "Tags,Ending\n"
        "abc,9,,completed,2026-03-01 09:59:00,,2026-03-01 10:00:00,1f,,\n"
        "abd,1,,started,2026-03-01 09:59:00,2026-03-01 09:59:30,,1f,,\n", 1),
    "google-forms": (
        'Timestamp,Email Address,Score,NPS\n"2026/03/01 10:00:00 AM GMT+1",a@example.org,4 / 5,9\n',
        0),
    "google-forms, German": (
        '"Zeitstempel","E-Mail-Adresse","NPS"\n'
        '"2026/03/01 10:00:00 AM MEZ","a@example.org","9"\n', 0),
    "google-forms, German sheet": ("Zeitstempel,Nutzername,NPS\n01.03.2026 10:00:00,a,9\n", 0),
    "microsoft-forms": (
        "ID,Start time,Completion time,Email,Name,Total points,Quiz feedback,Last modified time,"
        "NPS\n1,3/1/26 9:59:00,3/1/26 10:00:00,anonymous,,,,,9\n", 0),
    "microsoft-forms, saved again": (
        "Id,Start time,Completion time,Email,Name,NPS\n1,3/1/26 9:59,3/1/26 10:00,anonymous,,9\n",
        0),
    "microsoft-forms, German": (
        "Id;Startzeit;Fertigstellungszeit;E-Mail;Name;NPS\n"
        "1;01.03.2026 09:00;01.03.2026 10:00;anonymous;;9\n", 0),
    "surveymonkey": (
        "Respondent ID,Collector ID,Date Created,Date Modified,IP Address,Email Address,"
        "First Name,Last Name,Custom Data 1,NPS\n"
        ",,,,,,,,,Response\n"
        "11,5,03/01/2026 09:59:00 AM,03/01/2026 10:00:00 AM,10.0.0.1,,,,,9\n", 0),
    "surveymonkey, older": (
        "Respondent ID,Collector ID,Start Date,End Date,IP Address,Email Address,First Name,"
        'Last Name,Custom Data 1,"How likely are you to recommend us?",\n'
        ",,,,,,,,,NPS,Open-Ended Response\n"
        "11,5,03/01/2026 09:59:00,03/01/2026 10:00:00,10.0.0.1,,,,,9,Fine\n", 0),
    "formbricks": (
        "No.,Response ID,Timestamp,Finished,Survey ID,Formbricks ID (internal),User ID,Tags,"
        "1. NPS,person.plan\n"
        "1,c1,2026-03-01 10:00:00,Yes,s,f1,u,,9,A\n2,c2,2026-03-01 10:00:00,No,s,f2,u,,1,A\n", 1),
    "formbricks, older": (
        "Response ID,Timestamp,Finished,Survey ID,Formbricks User ID,1. NPS\n"
        "c1,2026-03-01T10:00:00.000Z,true,s,u,9\nc2,2026-03-01T10:00:00.000Z,false,s,u,1\n", 1),
    "qualtrics, choice text": (
        QUALTRICS + qualtrics(1, "IP Address", "True", 9) + qualtrics(2, "Survey Preview", "True", 1)
        + qualtrics(3, "Spam", "True", 1) + qualtrics(4, "IP Address", "False", 1, 40), 3),
    "qualtrics, numeric values": (
        QUALTRICS + qualtrics(1, 0, 1, 9) + qualtrics(2, 1, 1, 1) + qualtrics(3, 8, 1, 1)
        + qualtrics(4, 0, 0, 1, 40) + qualtrics(5, 17, 1, 1), 4),
}  # fmt: skip
ASKED = {"formbricks": "1. NPS"}


@pytest.mark.parametrize("layout", EXPORTS)
def test_presets_know_where_id_and_date_stand(bring, tmp_path, layout):
    """One finished answer; what was not handed in, or was a preview or spam, is none."""
    content, unfinished = EXPORTS[layout]
    preset = layout.split(",")[0]
    question = {"column": ASKED.get(preset, "NPS"), "metric": "nps"}
    result = bring(content, preset=preset, id=None, date=None, segment=None, comments=[],
                   questions=[question])  # fmt: skip
    assert stored(tmp_path) == [("nps", 9, None, "2026-03-01")]
    assert result.unfinished == unfinished


def test_every_preset_has_an_export_here():
    """But for the one that is no tool's."""
    assert {layout.split(",")[0] for layout in EXPORTS} | {"generic"} == set(PRESETS)


def test_microsoft_forms_writes_dates_as_dates(bring, tmp_path):
    """In XLSX."""
    moment = datetime(2026, 3, 1, 10, 0)
    path = book(
        tmp_path / "a.xlsx",
        ["Id", "Startzeit", "Fertigstellungszeit", "E-Mail", "Name", "NPS"],
        [1, moment, moment, "anonymous", None, 9],
    )
    bring(None, name=path.name, preset="microsoft-forms", id=None, date=None, segment=None,
          comments=[], questions=SURVEY["questions"][:1])  # fmt: skip
    assert stored(tmp_path) == [("nps", 9, None, "2026-03-01")]


# Comments


def test_comments_are_posts_of_the_survey_about_the_service_that_was_asked_about(bring, tmp_path):
    """Whether they name it or not; with the number given beside them, and scored like any post."""
    bring()
    config = settings(tmp_path)
    with open_database(config) as db:
        match(config, db)
        score(db, WordClassifier())
        found = rows(db, "SELECT service, source, source_kind, polarity, rating FROM "
                         "scored_mentions ORDER BY posted_at")  # fmt: skip
        agreed = rows(db, "SELECT polarity, rating_polarity FROM survey_comment_scores ORDER BY 1")
    assert [tuple(row.values()) for row in found] == [
        ("Arbeitsrecht", "Mandanten", "survey", "positive", 5.0),
        ("Arbeitsrecht", "Mandanten", "survey", "negative", 2.0),
    ]
    assert [tuple(row.values()) for row in agreed] == [
        ("negative", "negative"), ("positive", "positive"),
    ]  # fmt: skip


def test_no_name_and_no_address_gets_into_the_database(bring, tmp_path):
    """Ids and respondents are pseudonyms; names in other columns are dropped from comments."""
    content = table(
        ["Nr", "Datum", "Klasse", "NPS", "Zufrieden", "Kommentar", "Name", "E-Mail"],
        ["kunde-4711", "2026-03-01", "A", 9, 5, "Quandt hier, quandt@example.org: gut. Danke, Herr Zirkel",
         "Rosalinde Quandt", "quandt@example.org"],
    )  # fmt: skip
    bring(content, respondent="E-Mail")
    with sqlite3.connect(tmp_path / "sentiment.db") as db:
        dump = "\n".join(db.iterdump()).casefold()
    db.close()
    assert "[…] hier, […]: gut. danke, herr […]" in dump
    for secret in ("quandt", "rosalinde", "kunde-4711", "zirkel", "@example.org"):
        assert secret not in dump


def test_an_erased_comment_does_not_come_back_with_the_next_export(bring, tmp_path):
    """Retention holds for comments and for respondents; the figures stay."""
    old = FILE.replace("2026", "2021")
    bring(old, respondent="Nr")
    config = settings(tmp_path, respondent="Nr")
    with open_database(config) as db:
        match(config, db)
        score(db, WordClassifier())
        assert purge(config, db) == 2
    bring(old, respondent="Nr")
    with open_database(config) as db:
        assert count(db, "SELECT count(*) FROM posts WHERE text <> ''") == 0
        assert count(db, "SELECT count(*) FROM survey_responses") == 7
        kept = "SELECT count(*) FROM survey_responses WHERE respondent NOT LIKE '-%'"
        assert count(db, kept) == 0


def test_respondents_of_long_ago_can_no_longer_be_followed(bring, tmp_path):
    """After the retention time, the answers of a day are still one person's, those of two are not."""
    bring(FILE, respondent="Klasse")
    config = settings(tmp_path, respondent="Klasse")
    with open_database(config) as db:
        db.execute("UPDATE survey_responses SET day = '2021' || substr(day, 5)")
        purge(config, db)
        purge(config, db)
        found = rows(db, "SELECT DISTINCT day, respondent FROM survey_responses "
                         "WHERE segment = 'A' ORDER BY day")  # fmt: skip
    assert [row["day"] for row in found] == ["2021-03-01", "2021-03-03"]
    assert found[0]["respondent"] != found[1]["respondent"]


# The watched folder and the configuration


def test_the_folder_is_read_once_and_again_when_a_file_or_its_settings_change(tmp_path, settle):
    """A refused file is told once, and tried again only when it has changed."""
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "a.csv").write_text(FILE, "utf-8")
    (folder / "b.csv").write_text("Nr;Datum\n", "utf-8")
    config = Config.model_validate({**FIRM, "folder": tmp_path,
                                    "surveys": {"folder": "drop", "survey": [SURVEY]}})  # fmt: skip
    with open_database(config) as db:
        first = pick_up(config, db)
        assert [(r.file, r.new, bool(r.error)) for r in first] == [
            ("a.csv", 7, False), ("b.csv", 0, True),
        ]  # fmt: skip
        assert pick_up(config, db) == []
        (folder / "a.csv").write_text(FILE + "9;05.03.2026;A;9;5;\n", "utf-8")
        assert [r.new for r in pick_up(config, db)] == [2]
        error = rows(db, "SELECT error FROM survey_files WHERE file = 'b.csv'")[0]["error"]
    assert error.startswith("b.csv: no column")


def test_a_file_that_is_still_being_written_waits(tmp_path):
    """It was changed a moment ago."""
    (tmp_path / "a.csv").write_text(FILE, "utf-8")
    config = Config.model_validate({**FIRM, "folder": tmp_path,
                                    "surveys": {"folder": ".", "survey": [SURVEY]}})  # fmt: skip
    with open_database(config) as db:
        assert pick_up(config, db) == []


CONFIG = """
[company]
name = "Kanzlei"
[[services]]
name = "Arbeitsrecht"
[[surveys.survey]]
name = "s"
"""


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('questions = [{ column = "a", metric = "npz" }]',
         'surveys.survey[0].questions[0].metric is "npz"; expected one of: csat, nps, ces'),
        ('questions = [{ column = "a", metric = "csat", scale = "5-1" }]',
         'surveys.survey[0].questions[0].scale is "5-1"; expected two numbers such as "1-5"'),
        ('questions = [{ column = "a", metric = "csat", skale = "1-5" }]',
         'surveys.survey[0].questions[0].skale is not a known key (did you mean "scale"?)'),
        ('preset = "lime"\nquestions = [{ column = "a", metric = "nps" }]',
         'surveys.survey[0].preset is "lime"; expected one of: formbricks'),
        ('questions = [{ column = "a", metric = "nps", scale = "1-5" }]',
         'nps is asked from 0 to 10, not on "1-5"'),
        ('questions = [{ column = "a", metric = "csat", service = "Luftrecht" }]',
         'surveys.survey[0].questions[0].service is "Luftrecht"; expected one of: Arbeitsrecht'),
        ('questions = [{ column = "a", metric = "csat" }, { column = "b", metric = "csat", '
         'scale = "grades" }]', "csat has two scales"),
        ("", "name at least one of questions and comments"),
        ('files = "/tmp/*.csv"\nquestions = [{ column = "a", metric = "nps" }]',
         "give a pattern relative to [surveys] folder"),
    ],
)  # fmt: skip
def test_mistakes_in_the_configuration_name_key_value_and_choices(tmp_path, lines, said):
    """As everywhere in config.toml."""
    (tmp_path / "config.toml").write_text(CONFIG + lines + "\n", "utf-8")
    with pytest.raises(ConfigError) as mistake:
        load(tmp_path / "config.toml")
    assert said in str(mistake.value)


# Size


def test_memory_does_not_grow_with_the_file(bring, tmp_path):
    """Ten times the rows need no more memory than a tenth of them."""
    import tracemalloc

    def peak(size):
        lines = "".join(f"{n};2026-03-{n % 28 + 1:02};{n % 11}\n" for n in range(size))
        content = "Nr;Datum;NPS\n" + lines
        (tmp_path / "a.csv").write_text(content)
        del lines, content
        tracemalloc.start()
        result = bring(None, segment=None, comments=[], questions=SURVEY["questions"][:1])
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert result.answers == size
        return highest

    peak(100)
    assert peak(20_000) < 1.5 * peak(6_000) + 1_000_000


def test_progress_is_told_and_ends_at_the_end(tmp_path):
    """Of reading and of storing."""
    (tmp_path / "a.csv").write_text(FILE, "utf-8")
    config, seen = settings(tmp_path), []
    with open_database(config) as db:
        import_survey(config, db, config.surveys.survey[0], tmp_path / "a.csv",
                      progress=lambda *told: seen.append(told))  # fmt: skip
    assert seen[-2:] == [("read", 5, 5), ("store", 7, 7)]


def test_an_import_that_is_stopped_while_it_stores_leaves_nothing(tmp_path, monkeypatch):
    """However far it was."""
    monkeypatch.setattr("sentiment.surveys.importing.NEXT", NEXT.replace("50000", "2"))
    (tmp_path / "a.csv").write_text(FILE, "utf-8")
    config, told = settings(tmp_path), []
    with open_database(config) as db:
        with pytest.raises(Stopped):
            import_survey(config, db, config.surveys.survey[0], tmp_path / "a.csv",
                          progress=lambda *said: told.append(said),
                          stopping=lambda: len([1 for said in told if said[0] == "store"]) == 2)  # fmt: skip
        assert count(db, "SELECT count(*) FROM survey_responses") == 0
        import_survey(config, db, config.surveys.survey[0], tmp_path / "a.csv")
        assert count(db, "SELECT count(*) FROM survey_responses") == 7


def test_a_terminal_shows_how_far_an_import_is(tmp_path):
    """In a pseudo-terminal: a bar for reading, one for storing, and the result below."""
    (tmp_path / "config.toml").write_text(
        'company = { name = "K" }\nservices = [{ name = "L" }]\n[[surveys.survey]]\nname = "S"\n'
        'questions = [{ column = "NPS", metric = "nps" }]\n'
    )
    lines = (f"{n};2026-03-{n % 28 + 1:02};{n % 11}\n" for n in range(20_000))
    (tmp_path / "big.csv").write_text("id;date;NPS\n" + "".join(lines))
    seen, status = in_terminal(tmp_path, ["import", "surveys", "big.csv"])
    assert status == 0, seen
    shares = [int(part) for part in re.findall(r"read .*?(\d+)/20001", seen)]
    assert shares == sorted(shares)
    assert shares[-1] == 20_001
    assert len(set(shares)) > 1
    assert re.search(r"store .*?20000/20000", seen)
    assert "20,000" in seen.split("store")[-1]


def in_terminal(folder, command):
    """What a command writes on a terminal of a hundred columns, and its exit status."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 100))
    environment = {**os.environ, "TERM": "xterm"}
    program = [sys.executable, "-c", "from sentiment.cli import main; main()", *command]
    with subprocess.Popen(program, cwd=folder, env=environment, stdin=slave, stdout=slave,
                          stderr=slave) as running:  # fmt: skip
        os.close(slave)
        parts = []
        while part := _read(master):
            parts.append(part)
    os.close(master)
    return b"".join(parts).decode("utf-8", "replace"), running.returncode


def _read(master):
    try:
        return os.read(master, 65536)
    except OSError:  # the other end is closed
        return b""


def test_the_staging_tables_are_gone_afterwards(tmp_path):
    """Whether the file was taken or refused."""
    (tmp_path / "a.csv").write_text(FILE, "utf-8")
    config = settings(tmp_path)
    with open_database(config) as db:
        import_survey(config, db, config.surveys.survey[0], tmp_path / "a.csv")
        assert rows(db, "SELECT name FROM sqlite_temp_master") == []
        json.dumps(staging.Imported("s", "f").as_dict())

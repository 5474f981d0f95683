"""The laws of forgetting: everything of a person goes, at once, off the disk, and for good."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from functools import partial

import pytest

from sentiment import database
from sentiment.backup import backup
from sentiment.concerned import Request, RequestError, concerned
from sentiment.database import open_database, rows, transaction
from sentiment.erasing import scrub
from sentiment.forget import forget, forget_as_in
from sentiment.message import compose
from sentiment.notify import TRANSITIONS
from sentiment.pipeline import process
from sentiment.privacy import pseudonym, without_key
from sentiment.purge import purge
from sentiment.rollup import rollup
from sentiment.store import store_page
from sentiment.surveys.importing import import_survey
from sources.text import stable_id
from tests.sentiment.firm import WordClassifier, firm, page, post

KEY = b"key"
WORDS = (
    "Kanzlei Ahornhof: Arbeitsrecht gut, nach einer langen Verhandlung mit meinem alten Arbeitgeber "
    "habe ich am Ende eine ordentliche Abfindung und ein sauberes Zeugnis bekommen, vielen Dank dafür"
)
LONG = WORDS + " Zwetschgenwasser" * 600  # more than a page of the file
EVA = {"author": "Eva", "at": "2026-03-02T10:17"}
SURVEY = {
    "name": "Mandanten",
    "id": "Nr",
    "date": "Datum",
    "respondent": "Kunde",
    "segment": "Klasse",
    "questions": [
        {"column": "NPS", "metric": "nps"},
        {"column": "Zufrieden", "metric": "csat", "service": "Arbeitsrecht"},
    ],
    "comments": [{"column": "Kommentar", "service": "Arbeitsrecht"}],
}
ANSWERS = """Nr;Datum;Kunde;Klasse;NPS;Zufrieden;Kommentar
1;01.03.2026;K-17;A;10;5;Alles gut gelaufen
2;02.03.2026;K-18;B;3;2;Schlecht: niemand rief zurück
3;02.03.2026;K-17;A;9;4;
4;03.03.2026;K-17;A;;;Nur ein schlecht gelauntes Wort
"""


def hide(source):
    return partial(pseudonym, KEY, source)


def settings(folder, **privacy):
    return firm(
        folder,
        privacy={"pseudonym_key": KEY.decode(), **privacy},
        surveys={"survey": [SURVEY]},
    )


@pytest.fixture
def config(tmp_path):
    return settings(tmp_path)


POSTS = [
    post("eva/1", LONG, url="https://forum.example/eva/1", title="Abfindung", **EVA),
    post("eva/2", "Kanzlei Ahornhof: Steuerberatung schlecht.", author="Eva", rating=2),
    post("udo/1", "Kanzlei Ahornhof: Arbeitsrecht gut, da hat Eva recht.", author="Udo"),
    post("udo/2", LONG, author="Udo", at="2026-03-03T10:00", url="https://forum.example/udo/2"),
]


@pytest.fixture
def db(config):
    """Two of Eva's posts, one of Udo's own, and his copy of Eva's words; another Eva elsewhere."""
    with open_database(config) as opened:
        store_page(opened, 1, page(*POSTS, seen=["eva/1", "udo/1"]), hide("forum"), config.zone)
        other = post("17", "Arbeitsrecht gut, alles bestens.", author="Eva")
        store_page(opened, 2, page(other), hide("reviews"), config.zone)
        process(config, opened, WordClassifier)
        yield opened


def asked(config, db, request, **options):
    done = forget(config, db, concerned(config, db, request), **options)
    rollup(db)
    return done


def figures(db):
    """The votes of every day, service and source."""
    return rows(
        db,
        "SELECT service_id, source_id, day, authors, mentions, positive, negative, valence, joy "
        "FROM daily_sentiment ORDER BY 1, 2, 3",
    )


def on_disk(config):
    """All bytes of the database's files."""
    path = config.database_path
    files = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))]
    return b"".join(file.read_bytes() for file in files if file.exists())


EVA_AT_THE_FORUM = Request(author="Eva", source="forum")


def test_every_post_of_an_author_loses_what_says_who_said_what(config, db):
    """Text, title, snippet, address, id, author and the time of day go; copies go with them."""
    done = asked(config, db, EVA_AT_THE_FORUM)
    assert (done.posts, done.copies, done.mentions) == ({"forum": 3}, 1, 3)
    found = rows(db, "SELECT * FROM posts WHERE source_id = 1 AND erased_at IS NOT NULL")
    assert len(found) == 3
    for row in found:
        assert (row["text"], row["title"], row["url"], row["content_hash"]) == ("", "", None, "")
        assert row["posted_at"][11:] == "23:00:00+00:00"  # midnight in Berlin
        assert row["external_id"] not in {one.external_id for one in POSTS}
        assert row["author"].startswith("-")
    ids = [row["id"] for row in found]
    marks = ", ".join("?" * len(ids))
    assert rows(
        db,
        f"SELECT DISTINCT snippet, spans FROM mentions WHERE post_id IN ({marks})", *ids,
    ) == [{"snippet": "", "spans": "[]"}]  # fmt: skip
    assert rows(db, f"SELECT * FROM sketches WHERE post_id IN ({marks})", *ids) == []


def test_no_byte_of_it_is_left_on_the_disk(config, db):
    """Neither in the database's file nor in its write-ahead log, free pages included."""
    secrets = [
        b"Zwetschgenwasser",
        b"forum.example/eva/1",
        b"eva/1",
        b"eva/2",
        b"Abfindung",
        b"Steuerberatung schlecht",
        hide("forum")("Eva").encode(),
    ]
    before = on_disk(config)
    assert [secret for secret in secrets if secret not in before] == []
    done = asked(config, db, EVA_AT_THE_FORUM)
    assert done.wiped
    after = on_disk(config)
    assert [secret for secret in secrets if secret in after] == []
    assert b"da hat Eva recht" in after  # Udo's own words stay


def test_old_bytes_of_a_file_written_before_are_gone_too(config, db):
    """What was left in free pages by a version that did not overwrite them."""
    with sqlite3.connect(config.database_path) as old:
        old.execute("PRAGMA secure_delete = OFF")
        old.execute("UPDATE posts SET text = 'Arbeitsrecht gut' WHERE external_id = 'eva/1'")
    old.close()
    assert b"Zwetschgenwasser" in on_disk(config)
    asked(config, db, EVA_AT_THE_FORUM)
    assert b"Zwetschgenwasser" not in on_disk(config)


def test_the_anonymous_scores_stay_in_the_figures(config, db):
    """Every vote of every day is as it was."""
    before = figures(db)
    assert asked(config, db, EVA_AT_THE_FORUM).scores == "kept"
    assert figures(db) == before
    done = process(config, db, WordClassifier)
    assert (done.matched, done.scored) == (0, 0)


@pytest.mark.parametrize(
    ("privacy", "options"), [({"deleted_posts": "forget"}, {}), ({}, {"with_scores": True})]
)
def test_or_go_out_of_them(tmp_path, config, db, privacy, options):
    """As configured, or as asked for this once: only what others said is counted then."""
    done = asked(settings(tmp_path, **privacy), db, EVA_AT_THE_FORUM, **options)
    assert done.scores == "gone"
    process(config, db, WordClassifier)
    assert [(row["service_id"], row["source_id"], row["mentions"]) for row in figures(db)] == [
        (1, 1, 1),
        (1, 2, 1),
    ]


def test_a_forgotten_post_never_comes_back(config, db):
    """A feed that still shows it, changed or not, brings nothing; new posts come as ever."""
    asked(config, db, EVA_AT_THE_FORUM)
    before = rows(db, "SELECT * FROM posts")
    changed = post("eva/2", "Kanzlei Ahornhof: Steuerberatung doch gut.", author="Eva")
    stored = store_page(db, 1, page(POSTS[0], changed), hide("forum"), config.zone)
    assert (stored.new, stored.changed) == (0, 0)
    assert rows(db, "SELECT * FROM posts") == before
    stored = store_page(
        db, 1, page(post("eva/3", "Neues", author="Eva")), hide("forum"), config.zone
    )
    assert stored.new == 1


def test_what_is_remembered_is_no_personal_data(config, db):
    """A mark made with the key: without it nobody can tell of which post it is."""
    asked(config, db, EVA_AT_THE_FORUM)
    marks = {row["mark"] for row in rows(db, "SELECT mark FROM forgotten")}
    assert marks == {
        row["external_id"]
        for row in rows(db, "SELECT external_id FROM posts WHERE erased_at IS NOT NULL")
    }
    assert all(len(mark) == 16 and int(mark, 16) >= 0 for mark in marks)
    assert hide("forum")("Eva") not in marks


def test_the_erasure_is_noted_without_a_person(config, db):
    """Source, reason, number and time; nothing else."""
    asked(config, db, EVA_AT_THE_FORUM)
    (row,) = rows(db, "SELECT * FROM erasures")
    assert {**row, "erased_at": ""} == {
        "id": 1, "source": "forum", "reason": "on request", "posts": 3, "erased_at": "",
    }  # fmt: skip


def test_the_same_name_elsewhere_is_another_person(config, db):
    """Eva at the reviews keeps her post; a kind takes all its sources."""
    asked(config, db, EVA_AT_THE_FORUM)
    assert rows(db, "SELECT text FROM posts WHERE source_id = 2")[0]["text"]
    asked(config, db, Request(author="Eva", kind="rss"))
    assert not rows(db, "SELECT text FROM posts WHERE source_id = 2")[0]["text"]


def test_posts_of_others_that_hold_the_name_are_shown(config, db):
    """Whether they are personal data of the person, a person has to say."""
    done = asked(config, db, EVA_AT_THE_FORUM)
    assert done.named_in == [{"source": "forum", "external_id": "udo/1", "url": None}]


def test_copies_by_others_can_be_left(config, db):
    """Then the earliest copy counts where the forgotten post counted."""
    done = asked(config, db, EVA_AT_THE_FORUM, copies=False, with_scores=True)
    assert (done.posts, done.copies) == ({"forum": 2}, 0)
    (copy,) = rows(db, "SELECT text, duplicate_of FROM posts WHERE external_id = 'udo/2'")
    assert copy["text"]
    assert copy["duplicate_of"] is None


@pytest.mark.parametrize(
    "request_",
    [
        Request(post="https://forum.example/eva/1"),
        Request(post="http://forum.example/eva/1/ "),
        Request(id="eva/1", source="forum"),
    ],
)
def test_a_single_post_is_found_by_address_or_id(config, db, request_):
    """Eva's other post stays."""
    done = asked(config, db, request_, copies=False)
    assert done.posts == {"forum": 1}
    texts = rows(db, "SELECT external_id FROM posts WHERE text <> '' ORDER BY 1")
    assert [row["external_id"] for row in texts] == ["17", "eva/2", "udo/1", "udo/2"]


@pytest.mark.parametrize("name", ["@eva_m", "eva_m", "u/eva_m", "/u/eva_m"])
def test_a_name_is_found_however_it_is_written(config, db, name):
    """With or without the sign that a source puts before it."""
    other = post("x", "Arbeitsrecht gut", author="@eva_m")
    store_page(db, 1, page(other), hide("forum"), config.zone)
    assert asked(config, db, Request(author=name, source="forum")).posts == {"forum": 1}


def test_a_purged_post_is_forgotten_too(tmp_path, config, db):
    """Its pseudonym of a day can be made again from the name and the key; afterwards it cannot."""
    assert purge(settings(tmp_path, keep_texts="1d"), db) == 5
    assert asked(config, db, EVA_AT_THE_FORUM, copies=False).posts == {"forum": 2}
    assert not asked(config, db, EVA_AT_THE_FORUM)


def test_a_pseudonym_that_still_stands_does_not_lead_to_former_days(tmp_path, config, db):
    """Without the key nobody can try which purged days are those of an author who goes on."""
    purge(settings(tmp_path, keep_texts="1d"), db)
    fresh = post("eva/9", "Kanzlei Ahornhof: Arbeitsrecht gut.", **EVA)
    store_page(db, 1, page(fresh), hide("forum"), config.zone)
    (eva,) = rows(db, "SELECT author FROM posts WHERE external_id = 'eva/9'")
    assert eva["author"] == hide("forum")("Eva")
    guesses = {without_key(eva["author"], f"2026-03-{day:02}") for day in range(1, 32)}
    assert not guesses & {row["author"] for row in rows(db, "SELECT author FROM posts")}


@pytest.mark.parametrize("purged_again", [False, True])
def test_days_that_were_named_without_the_key_are_found_and_renamed(
    tmp_path, config, db, purged_again
):
    """A database of a former version is brought up by the next purge; nobody is lost meanwhile."""
    keeps_a_day = settings(tmp_path, keep_texts="1d")
    purge(keeps_a_day, db)
    before = figures(db)
    former = without_key(hide("forum")("Eva"), "2026-03-02")
    db.execute("UPDATE posts SET author = ? WHERE external_id LIKE 'eva/%'", [former])
    if purged_again:
        purge(keeps_a_day, db)
        assert former not in {row["author"] for row in rows(db, "SELECT author FROM posts")}
        rollup(db)
        assert figures(db) == before
    assert asked(config, db, EVA_AT_THE_FORUM, copies=False).posts == {"forum": 2}


def test_a_dry_run_says_as_much_and_erases_nothing(config, db):
    """The counts are those of the erasure that follows."""
    with sqlite3.connect(config.database_path) as other:
        before = list(other.iterdump())
        dry = asked(config, db, EVA_AT_THE_FORUM, dry_run=True)
        assert list(other.iterdump()) == before
    other.close()
    done = asked(config, db, EVA_AT_THE_FORUM)
    assert {**dry.as_dict(), "dry_run": False, "wiped": True} == done.as_dict()


def test_alerts_no_longer_point_at_it(config, db):
    """Neither the alert nor its transitions name the mention; the message quotes the others only."""
    mentions = [row["id"] for row in rows(db, "SELECT id FROM mentions WHERE post_id IN (1, 3)")]
    facts = {
        "since": "2026-03-01", "before": 40.0, "after": -10.0, "error": 5.0, "authors": 9,
        "authors_before": 90, "years_between": 3.0, "emotion": None, "mentions": mentions,
        "sources": [{"name": "forum", "share": 100}],
        "without": {"author": True, "thread": True, "source": True},
    }  # fmt: skip
    db.execute(
        "INSERT INTO alerts (rule, company_id, service_id, state, since_at, detail) "
        "VALUES ('drop', 1, 1, 'firing', '2026-03-02T10:00:00+00:00', ?)",
        [json.dumps({"facts": facts, "level": 3})],
    )
    db.execute(
        "INSERT INTO alert_transitions (alert_id, from_state, to_state, reason, happened_at, detail) "
        "SELECT id, 'pending', 'firing', 'fell', since_at, ? FROM alerts WHERE state = 'firing'",
        [json.dumps(facts)],
    )
    asked(config, db, EVA_AT_THE_FORUM, with_scores=True)
    (alert,) = rows(db, "SELECT detail FROM alerts WHERE state = 'firing'")
    (told,) = rows(db, TRANSITIONS + " WHERE t.to_state = 'firing'")
    assert json.loads(alert["detail"])["facts"]["mentions"] == [mentions[1]]
    assert json.loads(told["detail"])["mentions"] == [mentions[1]]
    body = compose(db, 1, [told], "de", datetime(2026, 3, 4, tzinfo=UTC)).body
    assert "da hat Eva recht" in body
    assert "Verhandlung" not in body


def test_what_a_source_remembers_of_its_last_reading_goes(config, db):
    """Ids in its cursor, and sentences on what was left out."""
    said = ["entry 3 (eva/1) has no text", "entry 4 (udo/9) has no text"]
    db.execute("UPDATE sources SET problems = ? WHERE id = 1", [json.dumps(said)])
    asked(config, db, EVA_AT_THE_FORUM)
    (row,) = rows(db, "SELECT cursor, problems FROM sources WHERE id = 1")
    assert json.loads(row["cursor"]) == {"seen": ["udo/1"]}
    assert json.loads(row["problems"]) == said[1:]


def test_whatever_a_cursor_looks_like(config, db):
    """YouTube's counts replies by a comment's id, a feed's knows ids by their hashes."""
    cursor = {
        "parts": {"video": {"replies": {"eva/1": 3, "udo/1": 1}}},
        "seen": [stable_id("eva/1"), stable_id("udo/1"), ["eva/1"], {"eva/2": None}],
    }
    db.execute("UPDATE sources SET cursor = ? WHERE id = 1", [json.dumps(cursor)])
    asked(config, db, EVA_AT_THE_FORUM)
    (row,) = rows(db, "SELECT cursor FROM sources WHERE id = 1")
    assert json.loads(row["cursor"]) == {
        "parts": {"video": {"replies": {"udo/1": 1}}},
        "seen": [stable_id("udo/1"), [], {}],
    }


def test_a_post_that_was_being_read_meanwhile_is_not_written_again(config, db, monkeypatch):
    """A stage that holds the text in memory does not bring its snippet back."""
    changed = post("eva/2", "Kanzlei Ahornhof: Steuerberatung gut.", author="Eva")
    store_page(db, 1, page(changed), hide("forum"), config.zone)
    from sentiment import match as matching

    real = matching._write

    def late(*arguments):
        monkeypatch.setattr(matching, "_write", real)
        db.conn.rollback()
        asked(config, db, EVA_AT_THE_FORUM)
        db.conn.execute("BEGIN IMMEDIATE")
        real(*arguments)

    monkeypatch.setattr(matching, "_write", late)
    process(config, db, WordClassifier)
    assert not rows(db, "SELECT * FROM mentions WHERE post_id = 2 AND snippet <> ''")
    assert b"Steuerberatung gut" not in on_disk(config)


def test_a_file_that_is_busy_is_wiped_by_the_worker_later(config, db):
    """A reader that stays in the way keeps old bytes; the next purge wipes them."""
    db.execute("PRAGMA busy_timeout = 50")
    with sqlite3.connect(config.database_path, isolation_level=None) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM posts").fetchall()
        assert asked(config, db, EVA_AT_THE_FORUM).wiped is False
        assert b"Zwetschgenwasser" in on_disk(config)
        reader.execute("COMMIT")
    reader.close()
    purge(settings(config.folder, keep_texts="9999d"), db)
    assert b"Zwetschgenwasser" not in on_disk(config)


def test_nothing_is_rewritten_when_nothing_was_erased(config, db):
    """Wiping is for what is due."""
    before = db.execute("PRAGMA data_version").fetchone()
    assert scrub(db)
    assert rows(db, "SELECT * FROM state WHERE key = 'unscrubbed'") == []
    assert db.execute("PRAGMA data_version").fetchone() == before


def test_what_is_not_stored_is_said_to_be_nothing(config, db):
    """Nobody is noted as erased."""
    assert not asked(config, db, Request(author="Niemand", source="forum"))
    assert rows(db, "SELECT * FROM erasures") == []


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request(), "one of --author, --post"),
        (Request(author="Eva", post="https://x.example"), "one of --author, --post"),
        (Request(author="Eva"), "may be two people"),
        (Request(id="1"), "say --source"),
        (Request(respondent="1"), "say --survey"),
        (Request(author="Eva", source="forun"), "is no source here; known: forum, reviews"),
        (Request(author="Eva", kind="reddit"), "is no kind here; known: rss"),
        (Request(respondent="1", survey="X"), "is no survey here; known: Mandanten"),
    ],
)  # fmt: skip
def test_a_request_that_means_nobody_says_what_to_add(config, db, request_, said):
    """Erasing cannot be undone: whoever is unclear is asked first."""
    with pytest.raises(RequestError, match=said):
        concerned(config, db, request_)


# Surveys


@pytest.fixture
def answered(config, db, tmp_path):
    """The database with four answer sheets of two customers."""
    bring(config, db, tmp_path)
    process(config, db, WordClassifier)
    return db


def bring(config, db, folder, content=ANSWERS):
    (folder / "answers.csv").write_text(content, "utf-8")
    return import_survey(config, db, config.surveys.survey[0], folder / "answers.csv")


def scores(db):
    return rows(
        db, "SELECT metric, value, segment, service_id, day FROM survey_responses ORDER BY 5, 1"
    )


RESPONDENT = Request(survey="Mandanten", respondent="K-17")


def test_a_respondents_comments_go_and_their_scores_lose_the_person(config, answered):
    """Every sheet of theirs, those with words only too; the figures stay."""
    before = scores(answered)
    done = asked(config, answered, RESPONDENT)
    assert (done.posts, done.answers) == ({"Mandanten": 2}, 4)
    assert scores(answered) == before
    who = partial(pseudonym, KEY, "survey Mandanten")
    after = on_disk(config)
    for secret in ("Alles gut gelaufen", "gelauntes", *map(who, ("K-17", "1", "3", "4"))):
        assert secret.encode() not in after
    assert b"niemand rief" in after
    assert who("K-18").encode() in after
    times = rows(answered, "SELECT DISTINCT answered_at FROM survey_responses WHERE segment = 'A'")
    assert {row["answered_at"][11:] for row in times} == {"23:00:00+00:00"}


def test_two_answers_of_one_sheet_still_count_as_one_persons(config, answered):
    """On one day; two days are no longer one person's."""
    asked(config, answered, RESPONDENT)
    found = rows(
        answered,
        "SELECT day, count(*) AS n, count(DISTINCT respondent) AS people FROM survey_responses "
        "WHERE segment = 'A' GROUP BY day ORDER BY day",
    )
    assert [(row["n"], row["people"]) for row in found] == [(2, 1), (2, 1)]
    people = rows(answered, "SELECT DISTINCT respondent FROM survey_responses WHERE segment = 'A'")
    assert len(people) == 2


def test_their_answers_do_not_come_back_with_a_longer_export(config, answered, tmp_path):
    """The forgotten rows are not read; everybody else's are, and theirs of later sheets."""
    asked(config, answered, RESPONDENT)
    before = scores(answered)
    result = bring(config, answered, tmp_path)
    assert (result.forgotten, result.new, result.removed) == (3, 0, 0)
    assert scores(answered) == before
    result = bring(config, answered, tmp_path, ANSWERS + "5;04.03.2026;K-17;A;8;5;Wieder da\n")
    assert (result.forgotten, result.new, result.new_comments) == (3, 2, 1)


def test_a_single_answer_sheet_can_be_forgotten(config, answered):
    """By the id that the survey tool gave it."""
    done = asked(config, answered, Request(survey="Mandanten", answer="2"), with_scores=True)
    assert (done.posts, done.answers) == ({"Mandanten": 1}, 2)
    assert {row["segment"] for row in scores(answered)} == {"A"}


def test_an_import_under_way_does_not_bring_them_back(config, answered, tmp_path, monkeypatch):
    """Who is forgotten between reading the file and storing it stays forgotten."""
    from sentiment.surveys import importing

    real = importing._apply

    def late(*arguments, **options):
        assert rows(answered, "SELECT count(*) AS n FROM temp.staged_answers")[0]["n"] == 2
        real(*arguments, **options)

    finish = importing.Reader.finish

    def forgotten_meanwhile(self, *arguments):
        finish(self, *arguments)
        asked(config, answered, RESPONDENT)

    monkeypatch.setattr(importing, "_apply", late)
    monkeypatch.setattr(importing.Reader, "finish", forgotten_meanwhile)
    before = scores(answered)
    bring(config, answered, tmp_path)
    assert scores(answered) == before
    assert b"Alles gut gelaufen" not in on_disk(config)


# After a restore


def test_after_a_restore_the_erasures_are_repeated(config, answered, tmp_path):
    """The backup from before brings everything back; one command forgets it again."""
    backup(config, tmp_path / "before.db")
    asked(config, answered, EVA_AT_THE_FORUM)
    asked(config, answered, RESPONDENT)
    wanted = scores(answered)
    (tmp_path / "restored").mkdir()
    restored = settings(tmp_path / "restored")
    (tmp_path / "before.db").rename(restored.database_path)
    with open_database(restored) as db:
        dry = forget_as_in(restored, db, config.database_path, dry_run=True)
        assert rows(db, "SELECT * FROM forgotten") == []
        done = forget_as_in(restored, db, config.database_path)
        assert dry.posts == done.posts == {"Mandanten": 2, "forum": 3}
        assert scores(db) == wanted
        assert rows(db, "SELECT * FROM forgotten") == rows(answered, "SELECT * FROM forgotten")
    after = on_disk(restored)
    assert b"Zwetschgenwasser" not in after
    assert b"gelauntes" not in after


def test_an_older_database_learns_to_forget(tmp_path, monkeypatch):
    """A file of the first version is brought up with its rows, and forgets like any other."""
    monkeypatch.setattr(database, "STEPS", (database.m001_tables,))
    old = database.Migrations("sentiment")
    old()(database.m001_tables)
    monkeypatch.setattr(database, "migrations", old)
    config = settings(tmp_path)
    with open_database(config) as db:
        assert rows(db, "SELECT 1 FROM sqlite_master WHERE name = 'forgotten'") == []
        with transaction(db):
            db.execute(
                "INSERT INTO posts (source_id, external_id, title, text, author, posted_at, day, "
                "collected_at, content_hash) VALUES (1, 'eva/1', '', 'alt', ?, "
                "'2026-03-02T10:00:00+00:00', '2026-03-02', '2026-03-02T10:00:00+00:00', '')",
                [hide("forum")("Eva")],
            )
    monkeypatch.undo()
    with open_database(config) as db:
        assert asked(config, db, EVA_AT_THE_FORUM).posts == {"forum": 1}
        assert store_page(db, 1, page(POSTS[0]), hide("forum"), config.zone).new == 0

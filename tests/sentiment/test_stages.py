"""Match, score and roll up on a real database: each is resumable, each rebuilds what is missing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sentiment import database, pipeline
from sentiment.config import Source
from sentiment.database import rows
from sentiment.match import match
from sentiment.pipeline import process
from sentiment.purge import purge
from sentiment.rollup import rollup
from sentiment.score import model_key, pending, score
from sentiment.status import status
from sentiment.store import store_page
from tests.sentiment.firm import WordClassifier, firm, page, post

ZONE = ZoneInfo("Europe/Berlin")
BOTH = "Kanzlei Ahornhof: Steuerberatung sehr gut, im Arbeitsrecht schlecht."
RESULTS = ("mentions", "scores", "emotions", "daily_sentiment")


def store(db, *posts, source=1):
    store_page(db, source, page(*posts), lambda name: f"hidden {name}", ZONE)


def snapshot(db):
    """Every derived row, without ids and times of processing."""
    return {
        "mentions": rows(
            db,
            "SELECT p.external_id, m.company_id, m.service_id, m.spans, m.snippet, m.model "
            "FROM mentions m JOIN posts p ON p.id = m.post_id ORDER BY 1, 2, 3",
        ),
        "scored": rows(
            db,
            "SELECT p.external_id, s.company, s.service, s.polarity, s.valence, s.emotion, s.joy "
            "FROM scored_mentions s JOIN posts p ON p.id = s.post_id ORDER BY 1, 2, 3",
        ),
        "daily": rows(db, "SELECT * FROM daily_sentiment ORDER BY 1, 2, 3, 4, 5"),
        "posts": rows(db, "SELECT external_id, language, duplicate_of FROM posts ORDER BY 1"),
    }


@pytest.fixture
def worked(config, db, classifier):
    """A handful of posts, all the way through."""
    store(
        db,
        post("both", BOTH, author="a"),
        post("homonym", "Der Ahorn im Hof blüht."),
        post("rival", "Birkenberg & Söhne macht Arbeitsrecht gut.", author="b"),
        post("praise", "Ahornhof? Kanzlei Ahornhof ist gut.", author="c", rating=5),
    )
    store(db, post("own", "Kündigungsschutzklage: gut gelaufen!", author="d"), source=2)
    process(config, db, lambda: classifier)
    return db


def test_a_new_model_says_how_far_it_is(config, worked):
    """Old scores stay until theirs is done; what is left and how long it takes is told."""
    assert status(config, worked)["rescoring"] is None
    mentions = database.count(worked, "SELECT count(*) FROM mentions")
    score(worked, WordClassifier("2"), limit=2)
    again = status(config, worked)["rescoring"]
    assert (again["done"], again["left"]) == (2, mentions - 2)
    assert again["minutes"] >= 0
    assert database.count(worked, "SELECT count(*) FROM scored_mentions") == mentions
    score(worked, WordClassifier("2"))
    assert status(config, worked)["rescoring"] is None


class Nuanced(WordClassifier):
    """Knows finer emotions, too."""

    def classify(self, passages):
        finer = {"joy": 0.6, "relief": 0.9, "gratitude": 0.4, "neutral": 0.8}
        return [replace(said, finer=finer) for said in super().classify(passages)]


def test_finer_emotions_stand_beside_the_six(config, db):
    """Present ones are kept, strongest first; they never take the place of one of the six."""
    store(db, post("1", "Kanzlei Ahornhof: Steuerberatung gut."))
    for _ in range(2):
        process(config, db, Nuanced)
        said = "SELECT emotion, finer_emotions FROM scored_mentions WHERE service IS NOT NULL"
        assert rows(db, said) == [{"emotion": "joy", "finer_emotions": "relief, joy"}]
        db.execute("DELETE FROM scores")
        assert rows(db, "SELECT * FROM finer_emotions") == []


def test_one_post_gives_each_service_its_own_score(worked):
    """A text that praises one service and damns another gives two different scores."""
    found = rows(
        worked,
        "SELECT service, polarity FROM scored_mentions m JOIN posts p ON p.id = m.post_id "
        "WHERE external_id = 'both' ORDER BY service",
    )
    assert found == [
        {"service": "Arbeitsrecht", "polarity": "negative"},
        {"service": "Steuerberatung", "polarity": "positive"},
    ]


def test_only_posts_about_a_company_count(worked):
    """Homonyms do not count, competitors do, and an own source's posts need name nobody."""
    found = rows(
        worked,
        "SELECT external_id, company, service FROM scored_mentions m "
        "JOIN posts p ON p.id = m.post_id ORDER BY 1, 3",
    )
    assert [(r["external_id"], r["company"], r["service"]) for r in found] == [
        ("both", "Kanzlei Ahornhof", "Arbeitsrecht"),
        ("both", "Kanzlei Ahornhof", "Steuerberatung"),
        ("own", "Kanzlei Ahornhof", "Arbeitsrecht"),
        ("praise", "Kanzlei Ahornhof", None),
        ("rival", "Birkenberg & Söhne", "Arbeitsrecht"),
    ]


@pytest.mark.parametrize("table", RESULTS)
def test_what_is_deleted_is_rebuilt(worked, config, classifier, table):
    """Deleting any one stage's result rows and running again rebuilds them exactly."""
    before = snapshot(worked)
    worked.execute(f"DELETE FROM {table}")
    process(config, worked, lambda: classifier)
    assert snapshot(worked) == before


def test_deleted_posts_are_collected_again(worked):
    """Deleting posts resets their source's cursor and the figures they stood in."""
    worked.execute("UPDATE sources SET cursor = '{}'")
    worked.execute("DELETE FROM posts WHERE source_id = 1")
    rollup(worked)
    cursors = rows(worked, "SELECT cursor FROM sources ORDER BY id")
    assert cursors == [{"cursor": None}, {"cursor": "{}"}]
    left = rows(worked, "SELECT DISTINCT source_id FROM daily_sentiment")
    assert left == [{"source_id": 2}]
    assert database.count(worked, "SELECT count(*) FROM scores") == 1


def test_a_stage_with_nothing_to_do_does_nothing(worked, config, classifier):
    """A second run changes no row and asks the classifier nothing."""
    before, seen = snapshot(worked), len(classifier.seen)
    done = process(config, worked, lambda: classifier)
    assert (done.matched, done.scored, done.rolled_up) == (0, 0, 0)
    assert snapshot(worked) == before
    assert len(classifier.seen) == seen


def test_a_stop_between_stages_loses_nothing(config, db, classifier):
    """Whatever was not done when the worker stopped is done on the next start."""
    store(db, post("both", BOTH))
    match(config, db)
    score(db, classifier, stopping=lambda: True)
    assert len(pending(db, model_key(classifier))) == 2
    process(config, db, lambda: classifier)
    assert pending(db, model_key(classifier)) == []
    assert database.count(db, "SELECT count(*) FROM daily_sentiment") == 2


def test_a_new_service_is_found_in_old_posts_and_keeps_other_scores(worked, tmp_path, classifier):
    """A changed portfolio reads all posts again; scores of unchanged mentions are kept."""
    services = [{"name": "Arbeitsrecht", "aliases": ["Kündigungsschutz*"]}, {"name": "Ahorn"}]
    changed = firm(tmp_path, services=services)
    with database.open_database(changed) as db:
        kept = rows(db, "SELECT id FROM mentions WHERE service_id = 1 ORDER BY id")
        seen = len(classifier.seen)
        process(changed, db, lambda: classifier)
        still = rows(db, "SELECT id FROM mentions WHERE service_id = 1 ORDER BY id")
        names = rows(db, "SELECT DISTINCT service FROM scored_mentions ORDER BY 1")
    assert still == kept
    assert [row["service"] for row in names] == [None, "Arbeitsrecht"]
    # the one snippet that is now longer, since the service beside it is gone
    assert [passage.text for passage in classifier.seen[seen:]] == [BOTH]


def test_a_new_model_scores_again_and_keeps_the_old_scores(worked, config):
    """Re-scoring with a new model keeps the old scores; the new ones count."""
    before = database.count(worked, "SELECT count(*) FROM scores")
    process(config, worked, lambda: WordClassifier("2"))
    assert database.count(worked, "SELECT count(*) FROM scores") == 2 * before
    assert rows(worked, "SELECT DISTINCT model FROM scored_mentions") == [{"model": "words@2"}]
    assert database.count(worked, "SELECT count(*) FROM model_changes") == before


def test_while_a_new_model_scores_the_old_scores_count(worked):
    """Figures do not shrink while a new model works through the backlog."""
    before = rows(worked, "SELECT service, authors FROM service_daily ORDER BY 1, 2")
    score(worked, WordClassifier("2"), stopping=lambda: True)
    rollup(worked)
    assert rows(worked, "SELECT service, authors FROM service_daily ORDER BY 1, 2") == before


def test_an_edited_post_is_scored_anew(worked, config, classifier):
    """A text that changed its mind changes the score and the day's figures."""
    store(worked, post("praise", "Kanzlei Ahornhof ist schlecht.", author="c"))
    process(config, worked, lambda: classifier)
    found = rows(
        worked,
        "SELECT polarity FROM scored_mentions m JOIN posts p ON p.id = m.post_id "
        "WHERE external_id = 'praise'",
    )
    assert found == [{"polarity": "negative"}]
    daily = rows(worked, "SELECT positive, negative FROM daily_sentiment WHERE service_id IS NULL")
    assert daily == [{"positive": 0, "negative": 1}]


def test_an_author_counts_once_per_service_and_day(config, db, classifier):
    """Five complaints of one person on a day are one vote, five mentions; the next day, another."""
    complaint = "Kanzlei Ahornhof, Arbeitsrecht: schlecht."
    store(
        db,
        *(post(f"a{n}", complaint, author="loud") for n in range(5)),
        post("b", "Kanzlei Ahornhof, Arbeitsrecht: gut.", author="quiet"),
        post("c", complaint, author="loud", at="2026-03-03T10:00"),
    )
    process(config, db, lambda: classifier)
    daily = rows(
        db,
        "SELECT day, raw_mentions, mentions, authors, positive, negative, net_sentiment "
        "FROM service_daily ORDER BY day",
    )
    assert [tuple(row.values()) for row in daily] == [
        ("2026-03-02", 6, 6, 2, 1, 1, 0.0),
        ("2026-03-03", 1, 1, 1, 0, 1, -100.0),
    ]


def test_nameless_authors_are_different_people(config, db, classifier):
    """Posts without an author are a vote each."""
    store(db, *(post(str(n), "Kanzlei Ahornhof: Arbeitsrecht gut.") for n in range(3)))
    process(config, db, lambda: classifier)
    assert rows(db, "SELECT authors FROM service_daily") == [{"authors": 3}]


def test_a_copy_is_visible_but_no_vote(config, db, classifier):
    """Syndicated texts count once; the raw count shows them."""
    text = "Kanzlei Ahornhof: im Arbeitsrecht schlecht beraten, niemand hat sich je gemeldet."
    store(db, post("a", text, author="x"), post("b", text, author="y"))
    process(config, db, lambda: classifier)
    daily = rows(db, "SELECT raw_mentions, mentions, authors FROM service_daily")
    assert daily == [{"raw_mentions": 2, "mentions": 1, "authors": 1}]


def test_an_author_with_two_languages_is_one_vote(config, db, classifier):
    """Whoever writes in German and English on one day is still one person."""
    store(
        db,
        post("de", "Ich war bei Kanzlei Ahornhof wegen Arbeitsrecht und es war gut.", author="x"),
        post(
            "en",
            "I went to Kanzlei Ahornhof with an employment case, Arbeitsrecht, it was gut.",
            author="x",
            at="2026-03-02T12:00",
        ),
    )
    process(config, db, lambda: classifier)
    daily = rows(db, "SELECT language, mentions, authors FROM daily_sentiment")
    assert daily == [{"language": "de", "mentions": 2, "authors": 1}]


def test_a_model_without_targets_reads_the_snippet(config, db, classifier):
    """A model that cannot read targets is given what is said about the service, and no more."""
    classifier.reads_targets = False
    store(db, post("both", BOTH))
    process(config, db, lambda: classifier)
    assert sorted(passage.text for passage in classifier.seen) == sorted(
        row["snippet"] for row in rows(db, "SELECT snippet FROM mentions")
    )


def test_erased_texts_leave_the_figures_as_they_were(worked, tmp_path, config):
    """Purging erases texts, links and pseudonyms; scores and daily figures stay."""
    before = rows(worked, "SELECT * FROM service_daily ORDER BY 1, 2, 3")
    authors = {row["author"] for row in rows(worked, "SELECT author FROM posts")}
    with database.open_database(firm(tmp_path, privacy={"keep_texts": "1d"})) as db:
        assert purge(firm(tmp_path, privacy={"keep_texts": "1d"}), db) == 5
        rollup(db)
    assert rows(worked, "SELECT * FROM service_daily ORDER BY 1, 2, 3") == before
    assert rows(worked, "SELECT DISTINCT text, title, url FROM posts") == [
        {"text": "", "title": "", "url": None}
    ]
    assert rows(worked, "SELECT DISTINCT snippet FROM mentions") == [{"snippet": ""}]
    assert not authors & {row["author"] for row in rows(worked, "SELECT author FROM posts")} - {
        None
    }
    assert rows(worked, "SELECT reason, posts FROM erasures") == [
        {"reason": "retention", "posts": 5}
    ]


def test_an_old_post_is_read_before_its_text_is_erased(tmp_path, classifier):
    """A first reading brings old posts, and retention looks before they are matched or scored."""
    config = firm(tmp_path, privacy={"keep_texts": "1d"})
    with database.open_database(config) as db:
        store(db, post("1", BOTH))
        assert purge(config, db) == 0
        match(config, db)
        assert purge(config, db) == 0
        process(config, db, lambda: classifier)
        assert purge(config, db) == 1
        assert len(rows(db, "SELECT * FROM service_daily")) == 2


@pytest.mark.parametrize("read", [False, True])
def test_an_old_text_does_not_wait_for_its_score_for_ever(tmp_path, classifier, read):
    """A month after it was collected it goes unread or unscored, and no figure knows it."""
    config = firm(tmp_path, privacy={"keep_texts": "1d"})
    with database.open_database(config) as db:
        store(db, post("1", BOTH))
        if read:
            match(config, db)
        collected = database.timestamp(datetime.now(UTC) - timedelta(days=31))
        db.execute("UPDATE posts SET collected_at = ?", [collected])
        assert purge(config, db) == 1
        process(config, db, lambda: classifier)
        assert classifier.seen == []
        assert rows(db, "SELECT text FROM posts") == [{"text": ""}]
        assert rows(db, "SELECT * FROM mentions") == []
        assert rows(db, "SELECT * FROM service_daily") == []


def test_a_changed_text_is_not_scored_at_the_places_of_the_former_one(worked, config, classifier):
    """Whoever scores before matching leaves what was edited for later."""
    classifier.seen.clear()
    store(worked, post("both", "Oje. Kanzlei Ahornhof: Steuerberatung gut."))
    score(worked, classifier)
    assert classifier.seen == []
    process(config, worked, lambda: classifier)
    (passage,) = classifier.seen
    assert passage.text[slice(*passage.spans[0])] == "Steuerberatung"


def test_new_posts_do_not_wait_for_a_backlog(config, db, classifier, monkeypatch):
    """While a long backlog is worked off, new posts are matched and scored between its passes."""
    monkeypatch.setattr(pipeline, "PASS", 10)
    store(db, *(post(f"old{n}", f"Kanzlei Ahornhof: Arbeitsrecht gut {n}") for n in range(35)))

    class Visited(WordClassifier):
        """While it reads its first batch, a new post comes in."""

        def classify(self, passages):
            if not self.seen:
                with database.open_database(config) as other:
                    new = post("new", "Kanzlei Ahornhof: Arbeitsrecht neu", at="2026-03-09T10:00")
                    store(other, new)
            return super().classify(passages)

    reader = Visited()
    done = process(config, db, lambda: reader)
    assert (done.matched, done.scored) == (36, 36)
    assert "neu" in " ".join(passage.text for passage in reader.seen[10:20])


@pytest.fixture
def imported(config, db):
    """Posts about the company and about a competitor, from sources that config.toml has not."""
    for name, company in (("old reviews", None), ("their reviews", "Birkenberg & Söhne")):
        about = {"company": company} if company else {}
        database.add_source(
            db,
            config,
            Source.model_validate(
                {"name": name, "kind": "file", "scope": "own", "path": "x.csv", **about}
            ),
        )
    store(db, post("ours", "Arbeitsrecht gut"), source=3)
    store(db, post("theirs", "Arbeitsrecht schlecht"), source=4)
    match(config, db)
    return db


def about(db):
    return rows(
        db,
        "SELECT p.external_id, c.name FROM mentions m JOIN posts p ON p.id = m.post_id "
        "JOIN companies c ON c.id = m.company_id ORDER BY 1",
    )


def test_posts_about_the_company_stay_so_under_its_new_name(imported, tmp_path):
    """An imported file was about the company, whatever it is called now."""
    renamed = firm(tmp_path, company={"name": "Neumann & Partner"})
    with database.open_database(renamed) as db:
        match(renamed, db)
        assert about(db)[0] == {"external_id": "ours", "name": "Neumann & Partner"}


def test_posts_about_a_competitor_that_is_gone_are_about_nobody(imported, tmp_path):
    """Matching goes on when a competitor is taken out of the configuration."""
    alone = firm(tmp_path, competitors=[])
    with database.open_database(alone) as db:
        match(alone, db)
        assert about(db) == [{"external_id": "ours", "name": "Kanzlei Ahornhof"}]


def test_stars_without_words_are_kept_and_never_scored(config, db, classifier):
    """At a source of one's own too: the rating stands beside the post, and no sentiment is made up."""
    store(db, post("stars", "", rating=2, author="a"), post("words", "Gut!", author="b"), source=2)
    process(config, db, lambda: classifier)
    found = rows(db, "SELECT external_id, text, rating, matched_by IS NOT NULL AS done FROM posts")
    assert found[0] == {"external_id": "stars", "text": "", "rating": 2.0, "done": 1}
    assert [row["external_id"] for row in rows(
        db, "SELECT p.external_id FROM mentions m JOIN posts p ON p.id = m.post_id")] == ["words"]  # fmt: skip
    assert [passage.text for passage in classifier.seen] == ["Gut!"]


def test_words_that_come_later_are_read(config, db, classifier):
    """Who gave stars first and wrote then is heard; who takes the words back is not any more."""
    for words, mentions in (("", 0), ("Leider schlecht", 1), ("", 0)):
        store(db, post("1", words, rating=2, author="a"), source=2)
        process(config, db, lambda: classifier)
        assert database.count(db, "SELECT count(*) FROM mentions") == mentions
        votes = database.count(db, "SELECT ifnull(sum(authors), 0) FROM daily_sentiment")
        assert votes == mentions

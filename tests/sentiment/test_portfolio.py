"""Linting a portfolio, and trying out a changed one on the stored posts."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

import sentiment
from sentiment.config import Term, load
from sentiment.database import DatabaseError, open_database, open_existing, rows
from sentiment.match import match
from sentiment.pipeline import process
from sentiment.portfolio.findings import finding
from sentiment.portfolio.lint import lint
from sentiment.portfolio.sentences import PLURALS, SENTENCES
from sentiment.portfolio.trial import trial
from sentiment.store import store_page
from tests.sentiment.firm import WordClassifier, firm, page, post

NOW = datetime.now(UTC)


def term(name, *aliases, **rules):
    return {"name": name, "aliases": list(aliases), **rules}


def found(folder, *services, db=None, **changes):
    """(level, rule, about, said) of each finding, all of which have been told in German, too."""
    if services:
        changes["services"] = list(services)
    findings = lint(firm(folder, **changes), db)
    for one in findings:
        told_in_german(one)
    return [tuple(one.as_dict().values()) for one in findings]


def gaps(text):
    """The names of the values that a sentence is made with."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def told_in_german(one):
    """Its values are those that its sentence asks for, and nothing English is left in it."""
    assert set(one.values) == gaps(SENTENCES[one.code][1])
    assert re.match("(Leistung|Unternehmen) „.+“$", one.about("de"))
    said = one.said("de")
    assert said.endswith(".")
    assert not re.search(r"[{}”]|\b(the|of|posts|days|letters)\b", said)
    assert said.count("„") == said.count("“")


def rules(findings):
    return [(level, rule) for level, rule, _, _ in findings]


def test_nothing_is_wrong_with_a_sound_portfolio(tmp_path):
    """The law firm of the tests, and the one of the example."""
    assert found(tmp_path) == []


WORDING = [
    (
        "an alias that two services have",
        {"services": [term("Arbeitsrecht", "Kündigung"), term("Mietrecht", "Kündigung")]},
        ("error", "two-services", "Mietrecht"),
    ),
    (
        "another spelling of another service's alias",
        {"services": [term("Arbeitsrecht", "Kuendigung"), term("Mietrecht", "Kündigung")]},
        ("error", "two-services", "Kündigung"),
    ),
    (
        "a competitor with the company's name",
        {"competitors": [term("Nord", "Kanzlei Ahornhof")]},
        ("error", "two-companies", "Nord"),
    ),
    (
        "a competitor's name within an alias of ours",
        {"competitors": [term("Ahorn")], "company": term("Kanzlei Ahornhof", "Ahorn Recht")},
        ("warning", "name-in-name", "“Ahorn” (of competitor “Ahorn”) is part of “Ahorn Recht”"),
    ),
    (
        "our name within a competitor's",
        {"competitors": [term("Kanzlei Ahornhof Nord")]},
        ("warning", "name-in-name", "count as yours"),
    ),
    (
        "a company that is called as a service is",
        {"company": term("Kanzlei Ahornhof", "Arbeitsrecht")},
        ("error", "service-is-company", "never taken for the service"),
    ),
    (
        "an alias of two letters",
        {"services": [term("Personal", "HR")]},
        ("warning", "short", "only 2 letters"),
    ),
    (
        "a company's name of three letters",
        {"company": term("Kanzlei Ahornhof", "AHO")},
        ("warning", "short", "only 3 letters"),
    ),
    (
        "a wildcard behind two letters",
        {"services": [term("Steuern", "St*")]},
        ("warning", "short", "every word with “St”"),
    ),
    (
        "an umlaut written out beside the umlaut",
        {"services": [term("Arbeitsrecht", "Kündigung", "Kuendigung")]},
        ("hint", "superfluous", "“Kuendigung” is superfluous: “Kündigung”"),
    ),
    (
        "an umlaut beside the umlaut written out",
        {"services": [term("Arbeitsrecht", "Kuendigung", "Kündigung")]},
        ("hint", "superfluous", "“Kuendigung” is superfluous: “Kündigung”"),
    ),
    (
        "a compound of the name",
        {"services": [term("Arbeitsrecht", "Arbeitsrechtskanzlei")]},
        ("hint", "superfluous", "“Arbeitsrechtskanzlei” is superfluous"),
    ),
    (
        "a rule that every alias breaks",
        {"services": [term("Steuer", none_of=["Steuer*"])]},
        ("error", "none-of", "nothing is ever found"),
    ),
    (
        "a rule that one alias breaks",
        {"services": [term("Erbrecht", "Testament", none_of=["Testament*"])]},
        ("error", "none-of", "“Testament” never counts"),
    ),
    (
        "rules that exclude one another",
        {"services": [term("Erbrecht", all_of=["Streit"], none_of=["Streit*"])]},
        ("error", "rules", "all_of asks for “Streit”"),
    ),
    (
        "an alias without any word",
        {"services": [term("Erbrecht", "_")]},
        ("error", "finds-nothing", "not even itself"),
    ),
]


@pytest.mark.parametrize(
    ("changes", "said"), [case[1:] for case in WORDING], ids=[case[0] for case in WORDING]
)
def test_what_trips_people_is_told_with_its_remedy(tmp_path, changes, said):
    """One finding a case, and no other."""
    (finding,) = found(tmp_path, **changes)
    assert finding[:2] == said[:2]
    assert said[2] in finding[2] + finding[3]
    assert finding[3].endswith(".")


FINE = [
    ("a longer alias of one of two", [term("Steuer"), term("Steuerberatung")]),
    ("plurals that the singular does not find", [term("Anwalt", "Anwälte")]),
    ("short ones behind a rule", [term("Personal", "HR", any_of=["Personal*"])]),
    ("an alias that keeps a place from another service", [
        term("Steuer", "Steuerprüfung"), term("Prüfung"),
    ]),
    ("a rule against a homonym", [term("Steuer", none_of=["Steuerrad"])]),
]  # fmt: skip


@pytest.mark.parametrize("services", [case[1] for case in FINE], ids=[case[0] for case in FINE])
def test_what_is_meant_so_is_not_told(tmp_path, services):
    """A finding must be worth reading."""
    assert found(tmp_path, *services) == []


# In both languages


@pytest.mark.parametrize("code", SENTENCES)
def test_every_finding_has_both_languages(code):
    """With the same values; German ones address the reader."""
    english, german = SENTENCES[code]
    assert gaps(english) == gaps(german)
    assert english != german
    assert re.search(r"\w+en Sie\b|\bSie können\b", german)


@pytest.mark.parametrize("forms", PLURALS.values(), ids=PLURALS)
def test_one_is_not_told_as_several(forms):
    """In either language."""
    for one, several in forms:
        assert one != several.format(n=1)
        assert "2" in several.format(n=2)


def test_every_sentence_is_said():
    """None is left behind by a rule that is gone."""
    folder = Path(sentiment.__file__).parent / "portfolio"
    program = "".join((folder / name).read_text("utf-8") for name in ("wording.py", "measured.py"))
    assert [code for code in SENTENCES if f'"{code}"' not in program] == []


@pytest.mark.parametrize(
    ("code", "values", "english", "german"),
    [
        ("short", {"alias": "X", "letters": 1}, "“X” has only 1 letter and",
         "„X“ hat nur einen Buchstaben und"),
        ("short", {"alias": "HR", "letters": 2}, "“HR” has only 2 letters and",
         "„HR“ hat nur 2 Buchstaben und"),
        ("long-silent", {"day": "2026-04-05", "posts": 1234, "days": 90},
         "not named since 2026-04-05, in 1,234 posts about you of the last 90 days. ",
         "Zuletzt am 5.4.2026 genannt; keiner der 1.234 Beiträge über Sie aus den letzten 90 Tagen nennt die Leistung. "),
        ("long-silent", {"day": "2026-04-05", "posts": 20, "days": 1},
         "not named since 2026-04-05, in 20 posts about you of the last day. ",
         "Zuletzt am 5.4.2026 genannt; keiner der 20 Beiträge über Sie vom letzten Tag nennt "),
        ("doubtful-name", {"posts": 1000, "alias": "Linde", "share": 0.954},
         "1,000 posts count only because “Linde” stands in them, and 95 % of",
         "1.000 Beiträge zählen nur, weil „Linde“ darin steht, und 95 % davon"),
        ("two-services", {"alias": "A", "other": "B", "there": "a"},
         "“A” belongs to “B” as well (there as “a”): a post",
         "„A“ gehört auch zu „B“ (dort als „a“): Ein Beitrag"),
        ("two-services", {"alias": "A", "other": "B", "there": ""},
         "“A” belongs to “B” as well: a post", "„A“ gehört auch zu „B“: Ein Beitrag"),
        ("rules-take-all", {"lost": 28, "held": 30, "rule": "none_of", "written": "Haus", "times": 20},
         "posts that hold one of its aliases, none_of “Haus” alone 20. Narrow",
         "einer der Aliasse steht, none_of „Haus“ allein 20. Fassen Sie"),
        ("rules-take-all", {"lost": 28, "held": 30, "rule": "any_of", "written": "", "times": 20},
         "posts that hold one of its aliases, any_of alone 20. Narrow",
         "einer der Aliasse steht, any_of allein 20. Fassen Sie"),
    ],
)  # fmt: skip
def test_findings_are_written_as_the_language_writes(code, values, english, german):
    """Numbers, days, plurals and quotation marks."""
    one = finding("warning", code, Term(name="Steuer"), name=False, **values)
    assert english in one.said("en")
    assert german in one.said("de")
    assert (one.about("en"), one.about("de")) == ('service "Steuer"', "Leistung „Steuer“")


# With the stored posts


def write(db, *texts, at=NOW, prefix="p"):
    posts = [
        post(f"{prefix}{number}", text, at=f"{at:%Y-%m-%dT%H:%M}")
        for number, text in enumerate(texts)
    ]
    store_page(db, 1, page(*posts), str, ZoneInfo("Europe/Berlin"))


def texts(number, pattern):
    """So many different texts."""
    return [pattern.format(f"Nummer {index} von vielen") for index in range(number)]


def test_a_service_that_nobody_names_is_told(tmp_path, db):
    """After a hundred posts about the company; not before."""
    write(db, *texts(99, "Kanzlei Ahornhof: Steuerberatung gut, {}"))
    assert found(tmp_path, db=db) == []
    write(db, "Kanzlei Ahornhof: Steuerberatung gut, noch einer", prefix="q")
    ((level, rule, about, said),) = found(tmp_path, db=db)
    assert (level, rule, about) == ("warning", "never-named", 'service "Arbeitsrecht"')
    assert "none of 100 posts" in said


def test_a_service_that_nobody_names_any_more_is_told(tmp_path, db):
    """While the company is still spoken of."""
    write(db, "Kanzlei Ahornhof: Arbeitsrecht gut", at=NOW - timedelta(days=100), prefix="old")
    write(db, *texts(20, "Kanzlei Ahornhof: Steuerberatung gut, {}"))
    ((_, rule, about, said),) = found(tmp_path, db=db)
    assert (rule, about) == ("long-silent", 'service "Arbeitsrecht"')
    assert said.startswith("not named since ")
    config = firm(tmp_path)
    assert [one.rule for one in lint(config, db, days=200)] == []


def test_an_everyday_word_is_told(tmp_path, db):
    """As frequent in posts about nobody as in posts about the company."""
    services = [term("Steuerberatung", "Termin"), term("Arbeitsrecht")]
    write(db, *texts(30, "Morgen ein Termin beim Friseur, {}"), prefix="a")
    write(db, *texts(40, "Heute ist schönes Wetter, {}"), prefix="b")
    write(db, *texts(10, "Kanzlei Ahornhof: Termin gut, {}"), prefix="c")
    write(db, *texts(20, "Kanzlei Ahornhof: Arbeitsrecht gut, {}"), prefix="d")
    ((level, rule, about, said),) = found(tmp_path, *services, db=db)
    assert (level, rule, about) == ("warning", "common-word", 'service "Steuerberatung"')
    assert "“Termin” stands in 43 % of the posts about nobody you know, and in 33 %" in said


def test_the_word_a_source_is_searched_by_is_no_everyday_word(tmp_path, db):
    """Nearly all its posts hold it, which says nothing of other posts."""
    write(db, *texts(60, "Arbeitsrecht ist ein weites Feld, {}"), prefix="a")
    write(db, *texts(20, "Kanzlei Ahornhof: Arbeitsrecht gut, {}"), prefix="b")
    write(db, "Kanzlei Ahornhof: Steuerberatung gut", prefix="c")
    assert found(tmp_path, db=db) == []


def test_a_company_alias_that_means_something_else_is_told(tmp_path, db):
    """Posts that count by it alone and name no service."""
    write(db, *texts(30, "Die Linde blüht im Garten, {}"), prefix="a")
    write(db, *texts(5, "Kanzlei Ahornhof: Steuerberatung und Arbeitsrecht gut, {}"), prefix="b")
    company = term("Kanzlei Ahornhof", "Linde")
    ((_, rule, about, said),) = found(tmp_path, company=company, db=db)
    assert (rule, about) == ("doubtful-name", 'company "Kanzlei Ahornhof"')
    assert "30 posts count only because “Linde” stands in them, and 100 %" in said


@pytest.mark.parametrize(("kept", "level"), [(0, "error"), (2, "warning"), (10, None)])
def test_a_rule_that_takes_nearly_everything_away_is_told(tmp_path, db, kept, level):
    """All of it is an error, nine in ten a warning."""
    services = [term("Steuerberatung", none_of=["Kanzlei"]), term("Arbeitsrecht")]
    taken = texts(28, "Kanzlei Ahornhof: Steuerberatung und Arbeitsrecht gut, {}")
    write(db, *taken, prefix="a")
    write(db, *texts(kept, "@ahornhof Steuerberatung und Arbeitsrecht gut, {}"), prefix="b")
    findings = found(tmp_path, *services, db=db)
    assert [one[0] for one in findings] == ([level] if level else [])
    if level:
        assert f"take away 28 of the {28 + kept} posts" in findings[0][3]
        assert "none_of “Kanzlei” alone 28" in findings[0][3]


# The dry run


@pytest.fixture
def worked(config, db):
    """Three posts about the firm, one about a competitor, one about nobody; matched."""
    store_page(
        db,
        1,
        page(
            post("1", "Kanzlei Ahornhof: Arbeitsrecht gut."),
            post("2", "Kanzlei Ahornhof: Meine Abfindung war gut."),
            post("3", "Kanzlei Ahornhof: Kündigungsschutzklage schlecht."),
            post("4", "Birkenberg & Söhne: Arbeitsrecht gut."),
            post("5", "Der Ahorn im Hof blüht."),
        ),
        str,
        config.zone,
    )
    process(config, db, WordClassifier)
    return db


def changes(tried):
    """(company, service) to (before, after, gained, lost, reworded), where anything changes."""
    return {
        (one.company, one.service): (one.before, one.after, one.gained, one.lost, one.reworded)
        for one in tried.changes
        if one.gained or one.lost or one.reworded
    }


def test_an_unchanged_portfolio_changes_nothing(config, worked):
    """What the trial finds is what the worker stored."""
    tried = trial(config, worked)
    assert changes(tried) == {}
    assert (tried.posts, tried.unread) == (5, 0)
    assert [(one.service, one.before, one.after) for one in tried.changes[:2]] == [
        (None, 1, 1), ("Arbeitsrecht", 2, 2),
    ]  # fmt: skip


def test_a_changed_portfolio_shows_what_it_gains_and_loses(tmp_path, worked):
    """By service and company, with the words of some posts."""
    services = [term("Arbeitsrecht", "Abfindung*"), term("Prozesse", "Kündigungsschutz*")]
    tried = trial(firm(tmp_path, services=services), worked)
    own = "Kanzlei Ahornhof"
    assert changes(tried) == {
        (own, None): (1, 0, 0, 1, 0),
        (own, "Arbeitsrecht"): (2, 2, 1, 1, 0),
        (own, "Prozesse"): (0, 1, 1, 0, 0),
    }
    by_service = {one.service: one for one in tried.changes if one.company == own}
    assert by_service["Arbeitsrecht"].gained_examples == [
        "Kanzlei Ahornhof: Meine Abfindung war gut."
    ]
    assert by_service["Arbeitsrecht"].lost_examples == [
        "Kanzlei Ahornhof: Kündigungsschutzklage schlecht."
    ]


def test_the_worker_then_finds_what_the_trial_said(tmp_path, worked):
    """Restarted with the changed file, it stores those mentions and no others."""
    config = firm(
        tmp_path,
        services=[term("Arbeitsrecht", "Abfindung*"), term("Prozesse", "Kündigungsschutz*")],
        competitors=[],
    )
    said = {(one.company, one.service): one.after for one in trial(config, worked).changes}
    with open_database(config) as db:
        match(config, db)
        stored = rows(
            db,
            "SELECT c.name AS company, v.name AS service, count(*) AS n FROM mentions m "
            "JOIN companies c ON c.id = m.company_id LEFT JOIN services v ON v.id = m.service_id "
            "GROUP BY 1, 2",
        )
    assert {(row["company"], row["service"]): row["n"] for row in stored} == {
        key: n for key, n in said.items() if n
    }


def test_a_trial_writes_nothing(tmp_path, config, worked):
    """Not even the names of new services."""
    before = config.database_path.read_bytes()
    with open_existing(config.database_path, read_only=True) as db:
        trial(firm(tmp_path, services=[term("Neues")]), db)
        lint(firm(tmp_path, services=[term("Neues")]), db)
    assert config.database_path.read_bytes() == before
    assert "Neues" not in [row["name"] for row in rows(worked, "SELECT name FROM services")]


def test_posts_that_nobody_has_read_yet_are_left_out(config, worked):
    """They would look like gains."""
    store_page(worked, 1, page(post("6", "Kanzlei Ahornhof: Arbeitsrecht")), str, config.zone)
    tried = trial(config, worked)
    assert (tried.posts, tried.unread) == (5, 1)
    assert changes(tried) == {}


def test_so_many_examples_are_shown_the_newest_first(tmp_path, worked):
    """Different ones."""
    tried = trial(firm(tmp_path, services=[term("Mietrecht")]), worked, examples=1)
    lost = [one.lost_examples for one in tried.changes if one.service == "Arbeitsrecht"]
    assert lost[0] == ["Kanzlei Ahornhof: Kündigungsschutzklage schlecht."]


def test_without_a_database_a_trial_says_so(tmp_path):
    """And makes none."""
    with pytest.raises(DatabaseError), open_existing(tmp_path / "none.db", read_only=True):
        pass


def test_a_trial_of_a_few_thousand_posts_takes_seconds(config, db):
    """Streaming: its time grows with the posts, not faster."""
    lines = texts(2000, "Kanzlei Ahornhof: Arbeitsrecht {}")
    for start in range(0, 2000, 500):
        write(db, *lines[start : start + 500], prefix=f"{start}-")
    db.execute("UPDATE posts SET matched_by = 'r'")
    started = time.process_time()
    assert trial(config, db).posts == 2000
    assert time.process_time() - started < 5


@pytest.mark.parametrize("file", ["example.toml", "sample/config.toml"])
def test_our_own_examples_are_sound(file):
    """What we show to people trips nobody."""
    assert lint(load(Path(sentiment.__file__).parent / file), None) == []

"""The report: figures a person can hand on, and nothing that a post could do to its reader."""

import html.parser
import json
import re
from datetime import UTC, datetime

import pytest

from sentiment.cli import app
from sentiment.database import rows, today
from sentiment.phrases import Driver
from sentiment.report import report
from sentiment.report.compose import Heading, Paragraph, Quote, Say, Table, _drivers
from sentiment.report.gather import gather, latest_month
from sentiment.report.render import html_page, markdown, terminal
from tests.sentiment import voices
from tests.sentiment.test_survey_views import answer, nps, votes

HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) `a` | *b* \x1b[31m \" ' &"


@pytest.fixture
def march(db):
    """Employment law falls in public and in the survey; a hostile post says why."""
    for month, public, survey in (("2026-02", (80, 20), (30, 2)), ("2026-03", (15, 85), (10, 20))):
        votes(db, *public, month)
        nps(db, month, *survey)
        votes(db, 50, 50, month, service=2)
    for segment, n in (("A", 7), ("B", 3)):
        for _ in range(n):
            answer(db, "csat", 4, service=2, segment=segment)
    for number, text in enumerate((HOSTILE, "Seit Wochen ruft niemand zurück.", HOSTILE), start=1):
        db.execute(
            "INSERT INTO posts (id, source_id, external_id, url, author, title, text, posted_at, "
            "day, collected_at, content_hash) VALUES (?, 1, ?, ?, ?, '', 't', '2026-03-05', "
            "'2026-03-05', '2026-03-05', '')",
            [number, str(number), "javascript:alert(1)" if number == 1 else "https://x.example/1",
             "same" if number != 2 else "other"],
        )  # fmt: skip
        db.execute(
            "INSERT INTO mentions (id, post_id, company_id, service_id, spans, snippet) "
            "VALUES (?, ?, 1, 1, '[]', ?)", [number, number, text],
        )  # fmt: skip
        db.execute(
            "INSERT INTO scores VALUES (?, 'm', 'negative', 0.9, 0.1, 0, -0.9, '')", [number]
        )
        db.execute("UPDATE mentions SET model = 'm' WHERE id = ?", [number])
    return db


def test_the_report_says_what_changed_beyond_chance_and_shows_posts(config, march):
    """Only Arbeitsrecht; one post an author."""
    found = gather(config, march, "2026-03")
    assert [(row["service"], row["metric"]) for row in found.changes] == [
        ("Arbeitsrecht", "net_sentiment"), ("Arbeitsrecht", "nps"),
    ]  # fmt: skip
    assert len(found.posts["Arbeitsrecht"]) == 2
    text = report(config, march, month="2026-03", form="markdown", language="en")
    assert "Down by more than chance: Arbeitsrecht (Sentiment, NPS)." in text
    assert "Sentiment fell from +60 to −70: −130" in text
    assert "Arbeitsrecht: Both fall" in text


def test_figures_that_move_alike_share_a_sentence(config, march):
    """One verdict on a service, with the numbers of each figure."""
    for month, value in (("2026-02", 5), ("2026-03", 2)):
        for _ in range(20):
            answer(march, "csat", value, month)
    text = report(config, march, month="2026-03", form="terminal", language="de")
    line = " ".join(text.split("Arbeitsrecht: Beide fallen")[1].split())
    assert line.startswith("(öffentlich −130 [")
    assert "CSAT −3,00 [" in line
    assert "NPS −121 [" in line
    assert text.count("Beide fallen") == 1


def test_the_change_is_what_a_reader_gets_by_subtracting(config, march):
    """From +87.5, shown as +88, to −33.3, shown as −33: −121."""
    text = report(config, march, month="2026-03", form="markdown", language="en")
    found = re.search(r"NPS fell from (\S+) to (\S+): (\S+) .* with 32 and 30 answers", text)
    before, after, change = (int(part.replace("−", "-")) for part in found.groups())
    assert after - before == change


def test_a_month_that_is_not_over_says_so(config, db):
    """Whoever reads on should not compare it with whole months."""
    month = today(config.zone).isoformat()[:7]
    for _ in range(5):
        answer(db, "nps", 9, month, day=f"{month}-01")
    assert "Der Monat läuft noch" in report(config, db, form="markdown")
    for _ in range(5):
        answer(db, "nps", 9, "2026-01")
    assert "läuft noch" not in report(config, db, form="markdown", month="2026-01")


def test_alerts_are_those_of_the_month_and_say_when_they_were_over(config, march):
    """In German, too; not what fired before or after."""
    march.execute(
        "INSERT INTO alerts (id, rule, company_id, service_id, state, since_at) "
        "VALUES (1, 'threshold', 1, 1, 'ok', '')"
    )
    why = json.dumps({"reason": {"code": "below", "net": -40.0, "below": -20.0}})
    for before, state, at in (
        ("pending", "firing", "2026-03-05"), ("firing", "firing", "2026-03-12"),
        ("firing", "resolved", "2026-04-02"), ("pending", "firing", "2026-05-01"),
    ):  # fmt: skip
        march.execute(
            "INSERT INTO alert_transitions (alert_id, from_state, to_state, reason, happened_at, "
            "detail) VALUES (1, ?, ?, 'because', ?, ?)",
            [before, state, f"{at}T10:00:00+00:00", why],
        )
    told = {
        month: report(config, march, month=month, form="markdown")
        for month in ("2026-02", "2026-03", "2026-04", "2026-05", "2026-06")
    }
    assert "Alarme" not in told["2026-02"]
    sentence = "Arbeitsrecht, 05.03.2026 bis 02.04.2026: Die Netto-Stimmung −40 liegt unter −20."
    assert sentence in told["2026-03"]
    assert sentence in told["2026-04"]
    assert sentence not in told["2026-05"]
    assert "Arbeitsrecht, seit 01.05.2026: Die Netto-Stimmung" in told["2026-06"]


def test_german_and_english_write_numbers_dates_and_months_their_own_way():
    """1.234,5 and 1,234.5; a proper minus; no minus before a zero."""
    de, en = Say("de"), Say("en")
    assert (de.number(1234.5, 1), en.number(1234.5, 1)) == ("1.234,5", "1,234.5")
    assert (de.number(-3.2, 1, sign=True), en.number(3, sign=True)) == ("−3,2", "+3")
    assert de.number(-0.2, sign=True) == "0"
    assert de.number(None) == "–"
    assert (de.month("2026-03"), en.month("2026-03")) == ("März 2026", "March 2026")
    assert de.day("2026-03-05") == "05.03.2026"


def test_both_languages_have_the_same_phrases_with_the_same_gaps():
    """None is forgotten in a translation."""
    de, en = Say("de").words, Say("en").words
    gaps = {key: sorted(re.findall(r"{(\w+)}", text)) for key, text in de.items()}
    assert gaps == {key: sorted(re.findall(r"{(\w+)}", text)) for key, text in en.items()}


def test_the_report_says_which_phrases_set_a_changed_service_apart(config, march):
    """With how many people of either side say them; hostile words are words."""
    for number in range(24):
        sour = number % 2
        text = f"Ort {chr(97 + number)}x: " + ("nie erreichbar <b>" if sour else "freundlich")
        at = datetime(2026, 3, 10, 12, tzinfo=UTC)
        mention = voices.say(march, at, -1 if sour else 1, author=f"someone{number}")
        march.execute("UPDATE mentions SET snippet = ? WHERE id = ?", [text, mention])
    text = report(config, march, month="2026-03", form="markdown", language="en")
    assert "said by 12 of 14 negative and 0 of 12 positive voices" in text
    assert "(90 days up to the month's end): “nie erreichbar”" in text
    text = report(config, march, month="2026-03", form="html", language="de")
    assert "„freundlich“ (bei 12 von 12 positiven und 0 von 14 negativen Stimmen)" in text
    text = report(config, march, month="2026-03", form="terminal", language="de")
    assert "Häufiger in negativen als in positiven Erwähnungen" in text


def test_what_may_be_chance_is_said_to_be():
    """Never as if it were sure."""
    faint = Driver("negative", "Hotline", 5, 5, 42, 0, 33, 1.2, -0.1, 3.0, 1.7, 1)
    clear = Driver("negative", "Portal", 11, 11, 42, 1, 33, 1.2, 0.2, 2.9, 2.3, 2)
    [both] = _drivers([clear, faint], Say("de"))
    assert (
        both.text.index("Portal")
        < both.text.index("Vielleicht aus Zufall")
        < both.text.index("Hotline")
    )
    [alone] = _drivers([faint], Say("en"))
    assert "perhaps by chance" in alone.text
    assert list(_drivers([], Say("de"))) == []


class Seen(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]
        assert not [name for name, _ in attrs if name.startswith("on")]


def test_the_page_has_no_script_and_loads_nothing(config, march):
    """Hostile posts are text; only web addresses become links; a policy forbids the rest."""
    page = report(config, march, month="2026-03", form="html")
    seen = Seen()
    seen.feed(page)
    assert not seen.tags & {"script", "img", "iframe", "link", "object", "form"}
    assert set(seen.links) == {"https://x.example/1"}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "default-src 'none'" in page
    assert '<html lang="de">' in page


def test_hostile_words_stay_words_in_markdown_and_on_the_terminal():
    """No link, no column, no colour that the author of a post chose."""
    blocks = [Heading("t", 1), Quote(HOSTILE, "w", None), Table(["a"], [[HOSTILE]]),
              Paragraph("# not a title")]  # fmt: skip
    text = markdown(blocks, "en")
    assert r"\<script\>" in text
    assert r"\[x\](javascript" in text
    assert r"\# not a title" in text
    assert all(
        line.count("|") - line.count(r"\|") == 2 for line in text.splitlines() if line[:1] == "|"
    )
    assert "\x1b" not in terminal(blocks, "en")
    assert "<script>" not in html_page(blocks, "en")


def test_figures_that_are_hidden_are_said_to_be(config, march):
    """Class B has three people, and so A is not shown either."""
    text = report(config, march, month="2026-03", form="markdown", language="en")
    assert "| Steuerberatung | CSAT | not shown, n 7 | not shown, n 3 |" in text


def test_an_empty_database_and_an_empty_month_have_a_report_too(config, db):
    """It says that there is nothing."""
    assert re.fullmatch(r"\d{4}-\d\d", latest_month(db))
    for form in ("terminal", "markdown", "html"):
        assert "Zu diesem Monat gibt es keine Werte." in report(config, db, form=form)


def test_the_last_month_with_figures_is_the_default(config, march):
    """Whatever the date is."""
    assert latest_month(march) == "2026-03"
    assert rows(march, "SELECT count(*) AS n FROM service_scorecard")[0]["n"] == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "pdf"], "terminal, markdown, html"),
        (["--language", "fr"], "de, en"),
        (["--month", "March"], "2026-03"),
    ],
)
def test_wrong_usage_names_the_choices(arguments, said):
    """Exit status 2."""
    from typer.testing import CliRunner

    done = CliRunner().invoke(app, ["report", *arguments])
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())

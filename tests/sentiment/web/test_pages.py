"""Pages that only show: sources, portfolio; all of them in both languages, empty and broken."""

import socket

import pytest

from sentiment.config import Term, Web
from sentiment.database import rows
from sentiment.web.phrases import PHRASES
from sentiment.web.server import serve
from sentiment.web.spreadsheets import Harmless, harmless
from tests.sentiment.web.conftest import say, tell

PAGES = ("/", "/service?name=Arbeitsrecht", "/posts", "/alerts", "/sources", "/portfolio")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("full", [False, True])
def test_every_page_stands_in_both_languages(visitor, config, db, path, full):
    """With nothing in the database and with posts; the whole text is another."""
    if full:
        tell(config, db, [say(n, f"Steuerberatung gut {n}") for n in range(6)])
    join = "&" if "?" in path else "?"
    german, english = (visitor.get(f"{path}{join}_lang={code}") for code in ("de", "en"))
    assert (german.status_code, english.status_code) == (200, 200)
    assert '<html lang="de">' in german.text
    assert '<html lang="en">' in english.text
    assert "Main navigation" not in german.text
    assert "Hauptnavigation" not in english.text


def test_a_port_that_is_taken_is_a_sentence(config, tmp_path):
    """Which one, and what to do; nothing is started."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        taken = config.model_copy(update={"web": Web(port=port)})
        with pytest.raises(
            OSError, match=rf"port {port} \([^(]*\): end what uses it, or set another"
        ):
            serve(taken, tmp_path / "config.toml")


def test_phrases_have_the_same_gaps_in_both_languages():
    """What one language says of the facts, the other says, too."""
    import string

    for key, (german, english) in PHRASES.items():
        gaps = [{name for _, name, _, _ in string.Formatter().parse(text) if name}
                for text in (german, english)]  # fmt: skip
        assert gaps[0] == gaps[1], key


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("error_count = 3, last_error = 'the server is down'", "3 attempts in a row have failed"),
        ("disabled = 1, last_error = 'no such feed'", "An error that no retry can mend"),
        ("last_success_at = '2026-01-01T00:00:00+00:00'", "See whether the worker runs"),
        ("last_success_at = NULL", "has never been read to its end"),
        ("problems = '[\"row 3 has no date\"]'", "row 3 has no date"),
        ("quota = '80 of 300 requests left'", "80 of 300 requests left"),
        ("recheck_error = 'access was refused'", "access was refused"),
        ("active = 0", "No longer read"),
    ],
)
def test_sources_say_what_is_wrong_and_what_to_do(visitor, db, change, said):
    """Each state in words, with the error as it was stored."""
    db.execute(f"UPDATE sources SET {change} WHERE name = 'forum'")
    assert said in visitor.said("/sources")
    for row in rows(db, "SELECT last_error FROM sources WHERE last_error IS NOT NULL"):
        assert row["last_error"] in visitor.said("/sources")


def test_sources_say_what_is_wrong_in_german(visitor, db):
    """The error and what was left out; the database keeps both in English."""
    db.execute(
        "UPDATE sources SET error_count = 2, last_error = "
        "'forum.example/feed does not exist (404): check the address', "
        "problems = '[\"a.csv line 7: no text\"]' WHERE name = 'forum'"
    )
    said = visitor.said("/sources?_lang=de")
    assert "forum.example/feed gibt es nicht (404): Prüfen Sie die Adresse" in said
    assert "a.csv Zeile 7: kein Text" in said


def test_the_portfolio_shows_rules_shares_and_silence(visitor, config, db):
    """What is looked for, what is found, and what nobody ever mentions."""
    tell(config, db, [say(n, f"Steuererklärung gut {n}") for n in range(3)])
    tell(config, db, [say(9, "Birkenberg & Söhne: Steuererklärung gut")], source=1)
    said = visitor.said("/portfolio")
    assert "Steuererklärung" in said
    assert "75 %" in said.replace("\u00a0", " ").replace("75%", "75 %")
    assert "competitors: 1" in said
    assert "Arbeitsrecht never mentioned" in said
    assert "Steuerberatung never mentioned" not in said
    assert "The surveys have had no customer class yet." in said


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "Warnung Leistung „Personal“: „HR“ hat nur 2 Buchstaben und wird auch anderes"),
        ("en", 'warning service "Personal": “HR” has only 2 letters and will mean other things'),
    ],
)
def test_the_portfolio_says_what_stands_out_in_the_readers_language(
    visitor, config, language, said
):
    """All of it."""
    config.services.append(Term(name="Personal", aliases=["HR"]))
    page = visitor.said(f"/portfolio?_lang={language}")
    assert said in page
    assert ("Write it out" in page, "Schreiben Sie es aus" in page) == (
        language == "en", language == "de",
    )  # fmt: skip


def test_a_service_that_left_the_portfolio_is_still_named(visitor, db):
    """Its posts stay, and a link leads to them."""
    db.execute("INSERT INTO services (name, active) VALUES ('Erbrecht', 0)")
    assert "No longer in the portfolio" in visitor.said("/portfolio")
    assert visitor.get("/posts?service=Erbrecht&period=365d").status_code == 200


def test_an_error_says_nothing_of_what_is_inside(visitor, monkeypatch):
    """A sentence; what went wrong is in the log."""
    from sentiment.web.pages import sources

    def fail(*_):
        raise RuntimeError("Wortlaut eines Beitrags")

    monkeypatch.setattr(sources, "gather", fail)
    answer = visitor.get("/sources")
    assert answer.status_code == 500
    assert "Wortlaut" not in answer.text
    assert "RuntimeError" not in answer.text


def test_what_is_not_there_fills_no_log(visitor, capfd):
    """Datasette by itself would print all local variables, texts among them."""
    assert visitor.get("/nothing-here").status_code == 404
    assert visitor.get("/post?id=77").status_code == 404
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("cell", "shown"), [
    ("=1", "'=1"), ("-0.5", "-0.5"), ("+1e-7", "+1e-7"), ("-", "'-"), ("@a", "'@a"), ("a=1", "a=1"),
    ("", ""), ("+49 30 1", "'+49 30 1"), ("  =1", "'  =1"), ("-1\n+2", "'-1\n+2"),
])  # fmt: skip
def test_cells_are_harmless(cell, shown):
    """An apostrophe before whatever a spreadsheet might compute, and before nothing else."""
    assert harmless(cell) == shown


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_csv_is_harmless_however_it_is_cut(size):
    """Pieces of any size; line breaks and quotes within cells."""
    text = 'a,b\r\n"=1,""x""\n=2",-3\r\n"\r\n\r\n",ä\r\n=last,"@"'
    maker = Harmless()
    done = "".join(maker.feed(text[at : at + size]) for at in range(0, len(text), size))
    done += maker.rest()
    assert done == 'a,b\r\n"\'=1,""x""\n=2",-3\r\n"\'\r\n\r\n",ä\r\n\'=last,\'@\r\n'

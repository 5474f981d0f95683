"""Snippets: what is said about one of the things a text is about."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.snippets import sentences, snippet

TAX, LAW = r"Steuerberatung|tax advice", r"Arbeitsrecht|labour law"


def both(text: str, limit: int = 300) -> tuple[str, str]:
    """What the text says about tax advice and about labour law."""
    tax, law = ([m.span() for m in re.finditer(name, text)] for name in (TAX, LAW))
    return snippet(text, tax, law, limit), snippet(text, law, tax, limit)


@pytest.mark.parametrize(
    ("text", "tax", "law"),
    [
        ("Die Steuerberatung war top, aber im Arbeitsrecht hat sich niemand gemeldet.",
         "Die Steuerberatung war top", "aber im Arbeitsrecht hat sich niemand gemeldet."),
        ("Die Steuerberatung war top aber im Arbeitsrecht hat sich niemand gemeldet.",
         "Die Steuerberatung war top", "aber im Arbeitsrecht hat sich niemand gemeldet."),
        ("Während die Steuerberatung glänzt, ist das Arbeitsrecht ein Trauerspiel.",
         "Während die Steuerberatung glänzt", "ist das Arbeitsrecht ein Trauerspiel."),
        ("Im Arbeitsrecht Weltklasse, dafür schläft die Steuerberatung; schade.",
         "dafür schläft die Steuerberatung; schade.", "Im Arbeitsrecht Weltklasse"),
        ("Steuerberatung: immer gern – Arbeitsrecht: nie wieder!",
         "Steuerberatung: immer gern", "Arbeitsrecht: nie wieder!"),
        ("Steuerberatung super und Arbeitsrecht mies", "Steuerberatung super", "Arbeitsrecht mies"),
        ("The tax advice was great, but labour law never called back.",
         "The tax advice was great", "but labour law never called back."),
        ("The tax advice is excellent whereas labour law is a mess.",
         "The tax advice is excellent", "whereas labour law is a mess."),
        # What is said of both stays whole.
        ("Steuerberatung und Arbeitsrecht sind top.",
         "Steuerberatung und Arbeitsrecht sind top.", "Steuerberatung und Arbeitsrecht sind top."),
        ("In der Steuerberatung und im Arbeitsrecht bin ich zufrieden.",
         "In der Steuerberatung und im Arbeitsrecht bin ich zufrieden.",
         "In der Steuerberatung und im Arbeitsrecht bin ich zufrieden."),
        ("War für Steuerberatung und Arbeitsrecht dort, prima.",
         "War für Steuerberatung und Arbeitsrecht dort, prima.",
         "War für Steuerberatung und Arbeitsrecht dort, prima."),
        ("Nicht nur die Steuerberatung, sondern auch das Arbeitsrecht ist mies.",
         "Nicht nur die Steuerberatung, sondern auch das Arbeitsrecht ist mies.",
         "Nicht nur die Steuerberatung, sondern auch das Arbeitsrecht ist mies."),
        ("Ich mag die Steuerberatung und hasse das Arbeitsrecht.",
         "Ich mag die Steuerberatung", "hasse das Arbeitsrecht."),
        # Sentences apart.
        ("Die Steuerberatung ist gut. Das Arbeitsrecht nicht.",
         "Die Steuerberatung ist gut.", "Das Arbeitsrecht nicht."),
        ("Hallo zusammen. Die Steuerberatung ist gut. Sie ruft zurück. Das Arbeitsrecht nicht.",
         "Die Steuerberatung ist gut. Sie ruft zurück.", "Das Arbeitsrecht nicht."),
        ("Tolle Steuerberatung! Nie wieder woanders! Gestern regnete es den ganzen Tag lang. Arbeitsrecht naja.",
         "Tolle Steuerberatung! Nie wieder woanders!", "Arbeitsrecht naja."),
        # An abbreviation does not end a sentence.
        ("Frau Dr. Abt von der Steuerberatung war z. B. am 3. Mai da. Im Arbeitsrecht niemand.",
         "Frau Dr. Abt von der Steuerberatung war z. B. am 3. Mai da.", "Im Arbeitsrecht niemand."),
        # Places far apart are joined, white space is one space.
        ("Die Steuerberatung\n hilft.\n\nIm Arbeitsrecht wartet man ewig auf Antwort.\n\nDanke,  Steuerberatung!",
         "Die Steuerberatung hilft. … Danke, Steuerberatung!",
         "Im Arbeitsrecht wartet man ewig auf Antwort."),
    ],
)  # fmt: skip
def test_each_service_gets_what_is_said_about_it(text, tax, law):
    """Praise of one service and blame of another end up in different snippets."""
    assert both(text) == (tax, law)


def test_what_is_said_of_several_is_cut_from_what_is_said_of_a_third():
    """Coordinated services stay together; the clause about another one goes."""
    text = (
        "Die Beratung im Arbeits- und Mietrecht war toll, nur die Kosten und Gebühren waren hoch."
    )
    first, second, third = (
        [(text.index(w), text.index(w) + len(w))] for w in ("Arbeits", "Mietrecht", "Kosten")
    )
    said = "Die Beratung im Arbeits- und Mietrecht war toll"
    assert snippet(text, first, second + third) == said
    assert snippet(text, second, first + third) == said
    assert snippet(text, third, first + second) == "nur die Kosten und Gebühren waren hoch."


def test_a_short_text_about_one_thing_is_taken_as_a_whole():
    """Where a text speaks of nothing else, all of it is about the service."""
    text = "Ich war bei der Steuerberatung.  Wir warteten ewig. Keiner kam."
    assert (
        snippet(text, [(16, 30)])
        == "Ich war bei der Steuerberatung. Wir warteten ewig. Keiner kam."
    )


def test_without_a_place_the_beginning_is_taken():
    """A company that is not named: the post from its beginning, cut at a word."""
    assert snippet("Alles bestens, gerne wieder", (), limit=15) == "Alles bestens…"
    assert snippet("Alles\n bestens", ()) == "Alles bestens"


def test_a_long_sentence_is_cut_around_its_place():
    """The place stays in the snippet where its sentence is longer than the limit."""
    text = "wort " * 100 + "Steuerberatung " + "wort " * 100
    said = snippet(text, [(500, 514)], limit=100)
    assert "Steuerberatung" in said
    assert said.startswith("…wort ")
    assert said.endswith("wort…")
    assert len(said) <= 100


def test_as_many_sentences_as_fit_are_taken():
    """Whole sentences in order, none cut, where not all fit."""
    text = "Steuerberatung top. " * 50
    spans = [match.span() for match in re.finditer("Steuerberatung", text)]
    assert snippet(text, spans, limit=60) == " ".join(["Steuerberatung top."] * 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Eins. Zwei! Drei? Vier", 4),
        ("Am 3. Mai um 14.30 Uhr ging es los.", 1),
        ("Die Fa. Abt GmbH & Co. KG hat ca. 3,5 Mio. Euro, d. h. viel.", 1),
        ("Er sagte: „Nein.“ Dann ging er.", 2),
        ("Toll!Aber teuer", 2),
        ("Super 😊 Aber teuer", 2),
        ("so ein 😊 lächeln", 1),
        ("Das kostet z. B. Geld, usw. usf. und so.", 1),
        ("Erste Zeile\nZweite Zeile", 2),
        ("- eins\n- zwei", 2),
        ("Ein Absatz\n\nnoch einer", 2),
        ("Dieser Brief ist hart umbrochen, wie es früher einmal die\nRegel war.", 1),
        ("Wow... echt jetzt", 1),
        ("Wow... Echt jetzt", 2),
        ("See e.g. Mr. Abt, he knows. Ask him.", 2),
        ("www.example.org ist da. Schön.", 2),
        ("", 0),
    ],
)
def test_sentences(text, expected):
    """German and English sentences, with abbreviations, dates, emoji and bare line ends."""
    assert len(sentences(text)) == expected, [text[a:b] for a, b in sentences(text)]


@settings(max_examples=200, deadline=None)
@given(st.text() | st.text(alphabet="aA.! \n,;und–😊3"))
def test_sentences_cover_the_text(text):
    """Sentences follow each other without gap or overlap."""
    spans = sentences(text)
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(start < end for start, end in spans)


@st.composite
def placed(draw):
    pieces = st.sampled_from(
        [" ", ". ", ", aber ", " und ", "top", "der", "\n\n", "; ", " – ", "Nie", "X" * 60]
    )
    text = "".join(draw(st.lists(pieces | st.text(max_size=3), max_size=30)))
    edge = st.integers(0, max(0, len(text) - 1))
    spans = draw(st.lists(edge, max_size=5, unique=True)) if text else []
    others = draw(st.lists(edge, max_size=5)) if text else []
    return text, [(at, at + 1) for at in spans], [(at, at + 1) for at in others]


@settings(max_examples=300, deadline=None)
@given(placed(), st.integers(1, 120))
def test_snippets_keep_their_limit(case, limit):
    """For any text: at most `limit` characters, single spaces, nothing that is not in the text."""
    text, spans, others = case
    said = snippet(text, spans, others, limit)
    assert len(said) <= limit
    assert said == " ".join(said.split())
    rest = " ".join(text.split())
    for piece in re.split(r" … |…", said):
        assert piece in rest or piece in text or "…" in text


@pytest.mark.parametrize(
    "text",
    ["Steuerberatung " * 30_000, "Steuerberatung, aber " * 20_000, "x " * 200_000, " " * 400_000,
     "Steuerberatung. " * 30_000, "a, " * 150_000, "z\n" * 200_000, "!" * 400_000],
)  # fmt: skip
def test_time_is_linear(text):
    """Nearly half a megabyte of the worst takes no more than a moment."""
    places = [match.span() for match in re.finditer("Steuerberatung", text)] or [(0, 1)]
    start = time.process_time()
    snippet(text, places[::2], places[1::2] or [(len(text) - 1, len(text))])
    assert time.process_time() - start < 3

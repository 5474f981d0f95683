"""What is an answer, and which words of a comment are about people."""

import time

import pytest

from sentiment.surveys.answers import read_answer, scale
from sentiment.surveys.people import without_people


@pytest.mark.parametrize(
    ("cell", "on", "value"),
    [
        ("4", "1-5", 4),
        (4, "1-5", 4),
        (4.0, "1-5", 4),
        (" 4,5 ", "1-5", 4.5),
        ("4.5", "1-5", 4.5),
        ("0", "0-10", 0),
        ("10 - äußerst wahrscheinlich", "0-10", 10),
        ("5 = sehr zufrieden", "1-5", 5),
        ("4 von 5", "1-5", 4),
        ("4/5", "1-5", 4),
        ("3 Sterne", "1-5", 3),
        ("★★★★☆", "1-5", 4),
        ("🙂", "smileys", 4),
        (":-(", "smileys", 2),
        ("1", "grades", 6),
        ("2+", "grades", 5.3),
        ("2,5", "grades", 4.5),
        ("sehr gut", "grades", 6),
        ("ungenügend", "grades", 1),
    ],
)
def test_answers_are_numbers_of_the_scale_with_the_good_end_on_top(cell, on, value):
    """Whatever a tool or a person writes for it."""
    assert read_answer(cell, scale(on)) == (pytest.approx(value), "", False)


@pytest.mark.parametrize(
    "cell", [None, "", "  ", "weiß nicht", "WEISS NICHT", "k.A.", "n/a", "99", -99, "Blank",
             "don't know", "keine Angabe", "trifft nicht zu", "prefer not to say"],
)  # fmt: skip
def test_usual_ways_of_giving_no_answer_are_none_and_not_off(cell):
    """They are expected."""
    value, _, off = read_answer(cell, scale("0-10"))
    assert (value, off) == (None, False)


@pytest.mark.parametrize(
    "cell", ["11", "-1", "abc", "4/10", "=1+1", "#N/A", "5e3", "١", "1 2", "1e400", True]
)
def test_anything_else_is_no_answer_and_off(cell):
    """It is listed, and never counted."""
    value, reason, off = read_answer(cell, scale("0-5"))
    assert (value, off) == (None, True)
    assert reason


def test_a_declared_code_is_no_answer_even_on_the_scale():
    """Where 0 means "never used", it is no zero."""
    assert read_answer("0", scale("0-10"), no_answer=frozenset({"0"})).value is None


def test_a_usual_code_that_lies_on_the_scale_is_an_answer():
    """On a scale up to 100, 99 is a good answer."""
    assert read_answer("99", scale("0-100")).value == 99


def test_labels_come_before_numbers_and_reversing_turns_the_scale():
    """Labels name the number as printed; a reversed scale has its good end below."""
    labels = {"voll und ganz": 1.0}
    assert read_answer("Voll  und ganz", scale("1-5", reverse=True), labels).value == 5
    assert read_answer("2", scale("1-5", reverse=True)).value == 4


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Frau Dr. Müller-Lüdenscheidt war toll, Herr Schmidt auch.",
         "Frau Dr. […] war toll, Herr […] auch."),
        ("Mail an erika@example.org oder erika (at) example.org!", "Mail an […] oder […]!"),
        ("Ruft an: 0171 1234567 oder +49 30 123456-0", "Ruft an: […] oder […]"),
        ("Konto DE89 3704 0044 0532 0130 00 bitte", "Konto […] bitte"),
        ("Alles bestens. Viele Grüße, Erika Muster", "Alles bestens. Viele Grüße, […]"),
        ("Thanks to Mrs Smith", "Thanks to Mrs […]"),
        ("Mein Name ist Hase", "Mein Name ist […]"),
        ("Danke, Erika! Musters Anwalt", "Danke, […]! […] Anwalt"),
        ("Der Anwalt kam 2 Tage zu spät, 1.500 Euro weg", "Der Anwalt kam 2 Tage zu spät, 1.500 Euro weg"),
        ("Am 12.03.2026 um 14:30 Uhr", "Am 12.03.2026 um 14:30 Uhr"),
    ],
)  # fmt: skip
def test_people_are_dropped_from_comments(text, left):
    """Names that are told apart by what stands before them or elsewhere in the row."""
    assert without_people(text, ["Erika Muster", "x"]) == left


def test_a_comment_without_end_costs_no_time():
    """Somebody who answers with one word of 20,000 letters does not hold up the import."""
    began = time.process_time()
    assert without_people("a" * 20_000) == "a" * 20_000
    assert time.process_time() - began < 1

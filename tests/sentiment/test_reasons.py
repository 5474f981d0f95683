"""Why an alert changed its state, in both languages."""

import json
import re
from pathlib import Path
from string import Formatter

import pytest

import sentiment
from sentiment.reasons import SENTENCES, reason_text, why

VALUES = {
    "names": ["Forum", "Blog"], "n": 12, "authors": 20, "days": 14, "before": 0.31, "after": -0.25,
    "since": "2026-04-14", "net": -12.4, "below": 60.0, "usual": 3.5, "emotion": "anger",
    "answers": 30, "metric": "NPS A", "error": "r/x is private", "free": 0.4,
}  # fmt: skip


def row(reason):
    return {"reason": str(reason), "detail": json.dumps({"reason": reason.stored()})}


@pytest.mark.parametrize("code", SENTENCES)
def test_every_reason_is_told_in_both_languages(code):
    """With the same values, none left out, none unknown."""
    english, german = SENTENCES[code]
    used = [{name.removesuffix("_dative") for _, name, _, _ in Formatter().parse(text) if name}
            for text in (english, german)]  # fmt: skip
    assert used[0] == used[1] <= set(VALUES)
    stored = row(why(code, **{name: VALUES[name] for name in used[0]}))
    assert reason_text(stored, "en") == stored["reason"]
    assert reason_text(stored, "de") != reason_text(stored, "en")


def test_every_reason_that_is_given_has_words_and_every_word_is_given():
    """No code in the program without a sentence, no sentence without a use."""
    given = set()
    for path in Path(sentiment.__file__).parent.glob("*.py"):
        given |= set(re.findall(r"\bwhy\(\s*\"([a-z ]+)\"", path.read_text("utf-8")))
    endings = {"recovered", "usual", "unheard"}  # of an episode
    assert given | endings == set(SENTENCES)


@pytest.mark.parametrize(
    ("reason", "english", "german"),
    [
        (
            why("fell", before=0.31, after=-0.25, since="2026-04-14"),
            "valence fell from +0.31 to -0.25 since 14 April 2026",
            "Die Valenz fiel von +0,31 auf -0,25 seit dem 14.4.2026",
        ),
        (
            why("many", authors=60, days=1, usual=6.5),
            "60 authors in a day, usually 6.5",
            "60 Stimmen in einem Tag, üblich sind 6,5",
        ),
        (
            why("many", authors=60, days=2, usual=6.5),
            "60 authors in 2 days, usually 6.5",
            "60 Stimmen in 2 Tagen, üblich sind 6,5",
        ),
        (
            why("silent", n=9, error="no route to host"),
            "not read for 9 hours: no route to host",
            "Seit 9 Stunden nicht gelesen: no route to host",
        ),
        (
            why("disabled", error=None),
            "disabled after an error that no retry can mend",
            "Abgeschaltet nach einem Fehler, den kein neuer Versuch behebt",
        ),
        (
            why("risen", emotion="anger", after=43.6, before=20.1),
            "anger in 44 % of the posts, usually 20 %",
            "Wut in 44 % der Beiträge, üblich sind 20 %",
        ),
    ],
)
def test_numbers_and_days_are_written_as_the_language_writes_them(reason, english, german):
    """Decimal commas, dates and plurals."""
    assert reason_text(row(reason), "en") == english
    assert reason_text(row(reason), "de") == german


def test_what_was_written_before_reasons_had_codes_stays_as_it_was():
    """Rows of an older version are shown in English."""
    assert reason_text({"reason": "it stayed quiet", "detail": "{}"}, "de") == "it stayed quiet"

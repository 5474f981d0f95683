"""Near-identical texts: what counts as a copy and what does not."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.duplicates import SKETCH, same, sketch

ARTICLE = (
    "Die Kanzlei Lindenhof eröffnet im Herbst einen zweiten Standort am Hafen. Dort sollen vierzig "
    "Fachleute für Steuerberatung und Arbeitsrecht arbeiten, teilte die Leitung am Montag mit."
)


@pytest.mark.parametrize(
    ("copy", "is_same"),
    [
        (ARTICLE, True),
        (ARTICLE.upper(), True),
        (f"RT @stadtnews: {ARTICLE}", True),
        (f"{ARTICLE} https://example.org/a?b=c via @stadtnews", True),
        (ARTICLE.replace(" ", "\n").replace(",", " –") + " 👏👏 #", True),
        ("Update: " + ARTICLE.replace("Montag", "Dienstag"), True),
        (ARTICLE.replace("vierzig", "").replace("Hafen", "Markt").replace("Herbst", "Mai"), False),
        ("Die Kanzlei Nord schließt im Herbst ihren zweiten Standort am Hafen.", False),
        ("", False),
    ],
)
def test_copies_are_the_same(copy, is_same):
    """Links, handles, case, emoji and a word here and there do not make another text."""
    assert same(ARTICLE, copy) is is_same
    assert bool(set(sketch(ARTICLE)) & set(sketch(copy))) or not is_same


@pytest.mark.parametrize(
    "text",
    ["Super Service, gerne wieder", "Danke! 👍", "", "1 2 3 4 5 6 7", "@a @b @c @d @e @f @g @h"],
)
def test_stock_phrases_are_never_copies(text):
    """What many people write of their own accord has no sketch and equals nothing."""
    assert sketch(text) == ()
    assert not same(text, text)


def test_sketches_are_the_same_in_every_process():
    """Hash seeds do not matter: sketches are stored and compared later."""
    code = f"from sentiment.duplicates import sketch; print(sketch({ARTICLE!r}))"
    for seed in ("1", "2"):
        printed = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path)), "PYTHONUTF8": "1"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert printed.stdout.strip() == str(sketch(ARTICLE))


words = st.lists(
    st.sampled_from(
        ["die", "der", "Kanzlei", "Steuer", "ist", "nicht", "gut", "Ärger", "am", "Hafen"]
    ),
    max_size=14,
)


@settings(max_examples=200, deadline=None)
@given(words.map(" ".join) | st.text(), words.map(" ".join) | st.text())
def test_same_is_symmetric_and_sketches_fit_the_database(a, b):
    """Order does not matter; a text with a sketch equals itself; values are 64-bit signed."""
    assert same(a, b) == same(b, a)
    assert same(a, a) == bool(sketch(a))
    assert len(sketch(a)) <= SKETCH
    assert list(sketch(a)) == sorted(set(sketch(a)))
    assert all(-(2**63) <= value < 2**63 for value in sketch(a))

"""Posts as they are shown: the words that mean the service marked, nothing hidden, nothing turned."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.web.posts import AROUND, link, parts, plain

TEXT = st.text(max_size=60)


def test_the_words_that_mean_the_service_are_marked():
    """In their place, once each."""
    found = parts("Gutes Arbeitsrecht, gutes Team.", [[6, 18]])
    assert found == [("Gutes ", False), ("Arbeitsrecht", True), (", gutes Team.", False)]


@given(TEXT, st.lists(st.tuples(st.integers(-5, 70), st.integers(-5, 70)), max_size=4))
def test_marks_never_change_the_text(text, spans):
    """Whatever the spans: the pieces together are the text."""
    assert "".join(piece for piece, _ in parts(text, [list(s) for s in spans])) == plain(text)


def test_of_a_long_post_the_words_around_are_shown():
    """A megabyte is not sent to a phone."""
    text = "a " * 500_000 + "Arbeitsrecht" + " b" * 500_000
    found = parts(text, [[1_000_000, 1_000_012]])
    assert sum(len(piece) for piece, _ in found) < 2 * AROUND + 50
    assert ("Arbeitsrecht", True) in found
    assert found[0][0].startswith("…")


def test_characters_that_turn_or_hide_are_left_out():
    """Right-to-left overrides, zero-width and control characters."""
    assert plain("gut\u202e\u0000\u200b\ufeff\x1b[31m") == "gut[31m"
    assert plain("Zeile\nZeile\tTab") == "Zeile\nZeile\tTab"


def test_a_word_of_a_megabyte_can_be_broken():
    """It gets places where a line may end, and keeps its letters."""
    shown = plain("x" * 1_000_000)
    assert shown.replace("\u200b", "") == "x" * 1_000_000
    assert max(map(len, shown.split("\u200b"))) <= 60


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "vbscript:x", "//x.example",
        "http://", "https://[", "file:///etc/passwd", "", None,
    ],
)  # fmt: skip
def test_only_addresses_of_pages_become_links(url):
    """Everything else is no link."""
    assert link(url) is None
    assert link("https://forum.example/t/1?a=b") == "https://forum.example/t/1?a=b"

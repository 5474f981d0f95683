import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text import MAX_CHARACTERS, clean, excerpt, framed, runs, tokens_of, window


@pytest.mark.parametrize(
    ("length", "places", "size", "expected", "because"),
    [
        (5, [(1, 2)], 10, (0, 5), "a short text is shown whole"),
        (100, [], 10, (0, 10), "without a target it is the beginning"),
        (100, [(50, 52)], 10, (46, 56), "one place stands in the middle"),
        (100, [(1, 2)], 10, (0, 10), "near the start the window ends there"),
        (100, [(98, 99)], 10, (90, 100), "near the end likewise"),
        (100, [(10, 12), (50, 52), (55, 57)], 10, (48, 58), "two neighbours beat one far away"),
        (100, [(10, 12), (50, 52)], 10, (6, 16), "of places alike the first is shown"),
        (100, [(20, 60)], 10, (20, 30), "of a place too large, its beginning"),
    ],
)
def test_a_window_shows_most_of_the_places(length, places, size, expected, because):
    """Of a long text the stretch is read that shows most of the target's places."""
    assert window(length, places, size) == expected, because


@given(
    st.integers(1, 300),
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 40)), max_size=6),
    st.integers(1, 50),
)
def test_a_window_lies_inside_the_text(length, places, size):
    """Whatever is asked, a window is inside the text and no larger than allowed."""
    inside = [(a, min(a + n, length)) for a, n in places if a < length]
    start, end = window(length, inside, size)
    assert 0 <= start < end <= length
    assert end - start <= size or end - start == length <= size


def test_cleaning_keeps_every_character_in_its_place():
    """NULs and lone surrogates become spaces, one for one; emoji stay."""
    assert clean("a\0b\ud83dc😀") == "a b c😀"


def test_a_text_that_shouts_is_read_as_if_it_did_not():
    assert clean("DIE KANZLEI IST EINE ZUMUTUNG!") == "Die Kanzlei Ist Eine Zumutung!"


@pytest.mark.parametrize("text", ["Die AOK zahlt NIE", "DHL, DPD", "Nie WIEDER diese Kanzlei!!"])
def test_a_few_capitals_stay(text):
    assert clean(text) == text


@given(st.text())
def test_however_it_shouts_every_character_keeps_its_place(text):
    assert len(clean(text)) == len(text)
    assert clean(clean(text)) == clean(text)


def test_an_excerpt_moves_the_spans_with_the_text():
    """Leading space goes, and the span still covers its word."""
    text, spans = excerpt("  \n gute Kanzlei ", [(9, 16)])
    assert [text[a:b] for a, b in spans] == ["Kanzlei"]


def test_a_huge_text_is_cut_round_its_target():
    """Of a megabyte only the surroundings of the target are tokenised."""
    text = "x " * 300_000 + "Kanzlei" + " y" * 300_000
    at = text.index("Kanzlei")
    cut, spans = excerpt(text, [(at, at + 7)])
    assert len(cut) <= MAX_CHARACTERS
    assert [cut[a:b] for a, b in spans] == ["Kanzlei"]


def test_a_token_does_not_own_the_space_before_it():
    """A span that ends with a space does not reach into the next word's token."""
    text = "Die Kanzlei war gut"
    offsets = [(0, 3), (3, 7), (7, 11), (11, 15), (15, 19)]  # ▁Die ▁Kan zlei ▁war ▁gut
    assert tokens_of(text, offsets, [(4, 11)]) == [1, 2]
    assert tokens_of(text, offsets, [(4, 12)]) == [1, 2]
    assert tokens_of(text, offsets, [(3, 4)]) == []


def test_two_places_of_one_target_are_both_read():
    """A service named twice has the tokens of both places."""
    text = "App hin, App her"
    offsets = [(0, 3), (3, 7), (7, 8), (8, 12), (12, 16)]
    assert tokens_of(text, offsets, [(0, 3), (9, 12)]) == [0, 3]


def test_framing_puts_boundaries_round_the_window_and_moves_the_targets():
    """Token ids are cut round the target and its indices count from the first boundary."""
    ids, (target,) = framed(list(range(10, 110)), [[50, 51]], 12, (0, 2))
    assert (ids[0], ids[-1], len(ids)) == (0, 2, 12)
    assert [ids[i] for i in target] == [60, 61]


def test_neighbouring_indices_join_to_one_place():
    """1, 2, 3 and 7 are two places."""
    assert runs([1, 2, 3, 7]) == [(1, 4), (7, 8)]

import pytest

from models.classifier import ModelError
from models.mapping import map_labels


@pytest.mark.parametrize(
    "names",
    [
        ["negative", "neutral", "positive"],
        ["NEG", "NEU", "POS"],
        ["Negative", "Mixed", "Very_Positive"],
    ],
)
def test_plain_names_need_no_mapping(names):
    """Names that are ours, or nearly, are understood."""
    assert map_labels(names, None, "m") == ["negative", "neutral", "positive"]


def test_stars_are_understood():
    """One and two stars are negative, three neutral, four and five positive."""
    names = ["1 star", "2 stars", "3 stars", "4 stars", "5 stars"]
    assert map_labels(names, None, "m") == ["negative"] * 2 + ["neutral"] + ["positive"] * 2


def test_what_the_user_says_goes_first():
    """A mapping overrules a plain name."""
    given = {"positive": "negative", "negative": "positive"}
    assert map_labels(["negative", "positive"], given, "m") == ["positive", "negative"]


@pytest.mark.parametrize(
    ("names", "given", "said"),
    [
        (["LABEL_0", "LABEL_1"], None, "'LABEL_0', 'LABEL_1'; map each to one of 'negative'"),
        (["negative", "positive", "sarcasm"], None, "'sarcasm'"),
        (["negative", "positive"], {"LABEL_7": "neutral"}, "has no label 'LABEL_7'"),
        (["negative", "positive"], {"positive": "great"}, "'great'; choices are 'negative'"),
        (["joy", "anger", "love"], None, "a polarity model is needed"),
        (["negative", "neutral"], None, "no label that means positive"),
    ],
)
def test_a_label_that_means_nothing_is_an_error_that_names_it(names, given, said):
    """The message holds the label and the way out."""
    with pytest.raises(ModelError) as error:
        map_labels(names, given, "m")
    assert said in str(error.value)


def test_a_label_can_be_ignored():
    """A label mapped to `ignore` does not count."""
    names = ["negative", "positive", "sarcasm"]
    assert map_labels(names, {"sarcasm": "ignore"}, "m")[2] == "ignore"

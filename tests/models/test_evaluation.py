"""Figures agree with scikit-learn's definitions, worked out by hand, and intervals hold the truth."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from models.classifier import Passage, Prediction
from models.evaluation import metrics, picture
from models.evaluation.report import Labelled, compare, report

LABELS = ("negative", "neutral", "positive")


def said(polarity, sure=0.8, **emotions):
    rest = (1 - sure) / 2
    values = {name: sure if name == polarity else rest for name in LABELS}
    return Prediction(**values, emotions=emotions)


def labelled(polarity, text="text", **values):
    return Labelled(Passage(text), polarity, **values)


def test_figures_are_those_worked_out_by_hand():
    """Three negatives, one of them taken for neutral; one positive; no class that never occurs."""
    people = [labelled(p, str(i)) for i, p in enumerate(["negative"] * 3 + ["positive"])]
    model = [said(p) for p in ("negative", "negative", "neutral", "positive")]
    found = report("m", people, model)
    assert found["n"] == 4
    assert found["micro_f1"] == 0.75
    assert found["macro_f1"] == pytest.approx((0.8 + 0 + 1) / 3, abs=1e-4)
    assert found["per_class"]["negative"] == {"precision": 1, "recall": 0.6667, "f1": 0.8, "n": 3}
    assert found["confusion"]["negative"] == {"negative": 2, "neutral": 1, "positive": 0}
    assert found["calibration_error"] == pytest.approx(0.05)  # 0.8 sure, right in 0.75


def test_a_class_that_never_occurs_is_no_part_of_the_mean():
    """Without neutral ones among labels or answers, macro-F1 is that of the two others."""
    people = [labelled("negative", "a"), labelled("positive", "b")]
    assert report("m", people, [said("negative"), said("positive")])["macro_f1"] == 1.0


def test_auc_counts_ties_as_half():
    """One right pair and one tie of two."""
    found = metrics.auc(np.array([True, False, False]), np.array([0.5, 0.5, 0.1]))
    assert found == pytest.approx(0.75)


def test_calibration_error_is_the_gap_between_sureness_and_truth():
    """Always 90 % sure and right half the time: off by 40 points."""
    probability = np.tile([0.9, 0.1, 0.0], (10, 1))
    truth = np.array([0] * 5 + [1] * 5)
    assert metrics.calibration_error(truth, probability) == pytest.approx(0.4)


def test_languages_and_emotions_have_figures_of_their_own():
    """A reading counts for its language; one without labels of emotions counts for none of them."""
    people = [
        labelled("negative", "a", language="de", emotions=frozenset({"anger"})),
        labelled("positive", "b", language="en"),
        labelled(None, "c", language="en", emotions=frozenset()),
    ]
    model = [said("negative", anger=0.9), said("negative"), said("neutral", joy=0.7)]
    found = report("m", people, model)
    assert found["n"] == 2
    assert found["languages"]["de"]["macro_f1"] == 1
    assert found["languages"]["en"] | {"n": 1, "macro_f1": 0} == found["languages"]["en"]
    assert found["emotions"]["n"] == 2
    assert found["emotions"]["per_emotion"]["anger"]["recall"] == 1
    assert found["emotions"]["per_emotion"]["joy"]["precision"] == 0


def test_nine_in_ten_intervals_or_more_hold_the_true_value():
    """Accuracy of a coin that is right in 70 % of 200 throws, many times over."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(60):
        right = rng.random(200) < 0.7
        low, high = metrics.interval(
            metrics.draws(np.arange(200), 200), lambda i, right=right: float(right[i].mean())
        )
        inside += low <= 0.7 <= high
    assert inside >= 54


def test_readings_of_one_text_are_drawn_together():
    """Ten texts with ten readings each leave the uncertainty of ten texts, not of a hundred."""
    truth = np.repeat(np.arange(10) % 2, 10)
    groups = np.repeat(np.arange(10), 10)

    def width(groups):
        low, high = metrics.interval(metrics.draws(groups), lambda i: float(truth[i].mean()))
        return high - low

    assert width(groups) > 2 * width(np.arange(100))


def test_mcnemar_is_the_binomial_test_of_what_only_one_got_right():
    """Nine against one of ten: p = 2 (1 + 10) / 1024; none against none: 1."""
    first = np.array([True] * 9 + [False] + [True] * 50)
    second = np.array([False] * 9 + [True] + [True] * 50)
    assert metrics.mcnemar(first, second) == pytest.approx(22 / 1024)
    assert metrics.mcnemar(first, first) == 1


def test_two_models_are_compared_on_the_same_labels():
    """The better one is so many points better, and which of them was right alone is counted."""
    people = [labelled(LABELS[i % 3], str(i)) for i in range(30)]
    good = [said(one.polarity) for one in people]
    bad = [said("neutral")] * 30
    found = compare(people, good, bad)
    assert found["difference"] == pytest.approx(1 - 0.5 / 3, abs=1e-3)
    assert 0 < found["difference_low"] <= found["difference"] <= found["difference_high"]
    assert (found["only_first"], found["only_second"]) == (20, 0)
    assert found["p_value"] < 0.001


def test_adjusted_shares_find_the_mix_that_was_drawn():
    """Probabilities made for even odds, texts that are mostly neutral: the mix is found again."""
    rng = np.random.default_rng(0)
    true = np.array([0.15, 0.8, 0.05])
    truth = rng.choice(3, size=5000, p=true)
    logits = rng.normal(size=(5000, 3))
    logits[np.arange(5000), truth] += 1.5
    odds = np.exp(1.5 * logits)  # the likelihoods of three normal variables, one of them shifted
    probability = odds / odds.sum(1, keepdims=True)
    counted = metrics.counted_shares(probability)
    adjusted = metrics.adjusted_shares(probability, np.full(3, 1 / 3))
    assert np.abs(adjusted - true).max() < 0.02
    assert np.abs(counted - true).max() > 0.1


def test_the_picture_is_sound_and_says_whose_figures_it_shows():
    """Well-formed SVG without anything from elsewhere, names escaped."""
    people = [labelled(LABELS[i % 3], str(i), language="de") for i in range(9)]
    model = [said(LABELS[(i + i // 4) % 3]) for i in range(9)]
    found = report("<b>&", people, model)
    found["against"] = report("other", people, model)
    drawn = picture.svg(found)
    root = ET.fromstring(drawn)  # noqa: S314 - our own
    words = [node.text for node in root.iter() if node.text]
    assert "<b>&" in words
    assert "other" in words
    assert "9 labelled readings" in words
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
    assert drawn in picture.page(found)

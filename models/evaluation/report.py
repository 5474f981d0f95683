"""What is said about one model, or about two on the same labels, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models.evaluation.metrics import (
    Counts,
    adjusted_shares,
    calibration_error,
    confusion,
    counted_shares,
    draws,
    interval,
    mcnemar,
    multi_f1,
    reliability,
)
from models.labels import EKMAN, POLARITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.classifier import Passage, Prediction
    from models.evaluation.metrics import Bools, Floats, Ints, Metric

DIGITS = 4


@dataclass(frozen=True, slots=True)
class Labelled:
    """A passage and what people said it means.

    Args:
        passage: the text, and where in it the target stands.
        polarity: one of `POLARITIES`; None where nobody said.
        emotions: those of `EKMAN` that are present; None where nobody said.
        language: of the text, where it is known.
        snippet: what a model reads that knows nothing of targets; the whole text if empty.

    """

    passage: Passage
    polarity: str | None
    emotions: frozenset[str] | None = None
    language: str | None = None
    snippet: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """Readings with a polarity: truth (n,), probabilities (n, 3), the text each is from (n,)."""

    truth: Ints
    probability: Floats
    texts: Ints

    @property
    def chosen(self) -> Ints:
        """The most probable polarity of each reading."""
        found: Ints = self.probability.argmax(1)
        return found

    def where(self, kept: Bools) -> Judged:
        """Some of the readings."""
        return Judged(self.truth[kept], self.probability[kept], self.texts[kept])


def report(
    model: str, labelled: Sequence[Labelled], predictions: Sequence[Prediction]
) -> dict[str, Any]:
    """All figures of a model, as fractions of 1.

    Keys: model; n; macro_f1, micro_f1 and calibration_error, each with _low and _high (95 %);
    per_class: polarity → precision, recall, f1, n; confusion: truth → choice → count; calibration:
    bins of like certainty; shares: polarity → true, counted, adjusted; languages: language → n,
    macro_f1, micro_f1 with intervals; emotions, where there are labels: n, macro_f1 with its
    interval, per_emotion.
    """
    judged = polarity_of(labelled, predictions)
    said: dict[str, Any] = {"model": model, "n": len(judged.truth)}
    if len(judged.truth):
        said |= _overall(judged) | _details(judged)
    said["languages"] = _by_language(labelled, judged)
    said["emotions"] = _emotions(labelled, predictions)
    rounded: dict[str, Any] = _rounded(said)
    return rounded


def compare(
    labelled: Sequence[Labelled], first: Sequence[Prediction], second: Sequence[Prediction]
) -> dict[str, Any]:
    """The first model against the second on the same readings.

    Keys: difference of macro-F1 with its 95 % interval over the same resamples; only_first,
    only_second: readings that only one of them got right; p_value of McNemar's exact test.
    """
    one, other = polarity_of(labelled, first), polarity_of(labelled, second)

    def difference(i: Ints) -> float:
        parts = [confusion(j.truth[i], j.chosen[i]).macro_f1 for j in (one, other)]
        return parts[0] - parts[1]

    low, high = interval(draws(one.texts), difference)
    right, others = one.chosen == one.truth, other.chosen == other.truth
    rounded: dict[str, Any] = _rounded(
        {
            "difference": difference(np.arange(len(one.truth))),
            "difference_low": low,
            "difference_high": high,
            "only_first": int((right & ~others).sum()),
            "only_second": int((others & ~right).sum()),
            "p_value": mcnemar(right, others),
        }
    )
    return rounded


def polarity_of(labelled: Sequence[Labelled], predictions: Sequence[Prediction]) -> Judged:
    """The readings that have a polarity."""
    kept = [i for i, one in enumerate(labelled) if one.polarity is not None]
    numbers = {text: i for i, text in enumerate(dict.fromkeys(x.passage.text for x in labelled))}
    probability = [(p.negative, p.neutral, p.positive) for p in (predictions[i] for i in kept)]
    return Judged(
        np.array([POLARITIES.index(labelled[i].polarity or "") for i in kept], dtype=np.int64),
        np.array(probability, dtype=np.float64).reshape(-1, len(POLARITIES)),
        np.array([numbers[labelled[i].passage.text] for i in kept], dtype=np.int64),
    )


def _overall(judged: Judged) -> dict[str, float]:
    """Figures with their intervals."""
    measures: dict[str, Metric] = {
        "macro_f1": lambda i: confusion(judged.truth[i], judged.chosen[i]).macro_f1,
        "micro_f1": lambda i: confusion(judged.truth[i], judged.chosen[i]).micro_f1,
        "calibration_error": lambda i: calibration_error(judged.truth[i], judged.probability[i]),
    }
    resampled = draws(judged.texts)
    everything = np.arange(len(judged.truth))
    said: dict[str, float] = {}
    for name, measure in measures.items():
        low, high = interval(resampled, measure)
        said |= {name: measure(everything), f"{name}_low": low, f"{name}_high": high}
    return said


def _details(judged: Judged) -> dict[str, Any]:
    counts = confusion(judged.truth, judged.chosen)
    true = np.bincount(judged.truth, minlength=len(POLARITIES)) / len(judged.truth)
    even = np.full(len(POLARITIES), 1 / len(POLARITIES))
    shares = {
        "true": true,
        "counted": counted_shares(judged.probability),
        "adjusted": adjusted_shares(judged.probability, even),
    }
    return {
        "per_class": _per_class(counts, POLARITIES),
        "confusion": {
            truth: {choice: int(counts.table[i, j]) for j, choice in enumerate(POLARITIES)}
            for i, truth in enumerate(POLARITIES)
        },
        "calibration": [
            {"n": b.n, "sure": b.sure, "right": b.right}
            for b in reliability(judged.truth, judged.probability)
        ],
        "shares": {
            polarity: {name: float(share[i]) for name, share in shares.items()}
            for i, polarity in enumerate(POLARITIES)
        },
    }


def _per_class(counts: Counts, names: Sequence[str]) -> dict[str, dict[str, float]]:
    return {
        name: {
            "precision": float(counts.precision[i]),
            "recall": float(counts.recall[i]),
            "f1": float(counts.f1[i]),
            "n": int(counts.table[i].sum()),
        }
        for i, name in enumerate(names)
    }


def _by_language(labelled: Sequence[Labelled], judged: Judged) -> dict[str, dict[str, float]]:
    """Figures of each language that is named; languages nobody named are left out."""
    languages = np.array([x.language or "" for x in labelled if x.polarity is not None])
    found = {}
    for language in sorted(set(languages) - {""}):
        part = judged.where(languages == language)
        figures = _overall(part)
        keys = [key for key in figures if not key.startswith("calibration")]
        found[str(language)] = {"n": len(part.truth), **{key: figures[key] for key in keys}}
    return found


def _emotions(
    labelled: Sequence[Labelled], predictions: Sequence[Prediction]
) -> dict[str, Any] | None:
    """Figures of the emotions on the readings that have labels of them."""
    kept = [i for i, one in enumerate(labelled) if one.emotions is not None]
    if not kept:
        return None
    truth = np.array([[name in (labelled[i].emotions or ()) for name in EKMAN] for i in kept])
    chosen = np.array([[predictions[i].emotions.get(e, 0.0) >= 0.5 for e in EKMAN] for i in kept])
    numbers = {text: i for i, text in enumerate(dict.fromkeys(x.passage.text for x in labelled))}
    texts = np.array([numbers[labelled[i].passage.text] for i in kept])
    low, high = interval(draws(texts), lambda i: multi_f1(truth[i], chosen[i]))
    per_emotion = {
        name: _per_class(confusion(truth[:, k].astype(int), chosen[:, k].astype(int), 2), "ny")["y"]
        for k, name in enumerate(EKMAN)
    }
    return {
        "n": len(kept),
        "macro_f1": multi_f1(truth, chosen),
        "macro_f1_low": low,
        "macro_f1_high": high,
        "per_emotion": per_emotion,
    }


def _rounded(value: Any) -> Any:
    """The same data with its fractions rounded."""
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return value

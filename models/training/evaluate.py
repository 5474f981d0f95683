"""Measures a model on the shared labelled sets: `python -m models.training.evaluate --data DIR`.

Every figure comes with the 95 % interval of 1,000 bootstrap resamples of the texts. Test splits
of goemotions, goemotions_de and MobASA and all of the evaluation-only sets were never trained on;
`mams`, `brighter_de` are dev splits, of which brighter_de also set thresholds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import classifier
from models.classifier import Classifier, Passage, Prediction
from models.labels import EKMAN, POLARITIES
from models.training.data import Record, records
from models.training.network import FINER

Metric = Callable[[NDArray[np.int64]], float]
"""A figure of the texts at some indices."""

RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value with its 95 % interval, and the number of readings behind it."""

    set: str
    metric: str
    value: float
    low: float
    high: float
    n: int


# ---- metrics


def macro_f1(truth: NDArray[np.int64], chosen: NDArray[np.int64], classes: int = 3) -> float:
    """Mean F1 of the classes."""
    table = np.bincount(truth * classes + chosen, minlength=classes**2).reshape(classes, classes)
    return float(np.mean(2 * table.diagonal() / np.maximum(table.sum(0) + table.sum(1), 1)))


def multi_f1(truth: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> float:
    """Mean F1 of yes-or-no labels, (texts, labels) each."""
    hits = 2 * (truth & chosen).sum(0)
    return float(np.mean(hits / np.maximum(truth.sum(0) + chosen.sum(0), 1)))


def auc(truth: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Area under the ROC curve: how often a positive one scores higher than a negative one."""
    _, rank = np.unique(score, return_inverse=True)
    counts = np.bincount(rank)
    middle = np.cumsum(counts) - (counts - 1) / 2  # mean rank of equals, from 1
    yes = int(truth.sum())
    no = len(truth) - yes
    return float((middle[rank][truth].sum() - yes * (yes + 1) / 2) / max(1, yes * no))


def calibration_error(
    truth: NDArray[np.int64], probability: NDArray[np.float64], bins: int = 10
) -> float:
    """Expected calibration error of the chosen class (Guo et al. 2017), in equal bins."""
    sure, right = probability.max(1), probability.argmax(1) == truth
    bucket = np.minimum((sure * bins).astype(int), bins - 1)
    weights = np.bincount(bucket, minlength=bins)
    gap = np.bincount(bucket, sure - right, minlength=bins)
    return float(np.abs(gap).sum() / weights.sum())


def figure(name: str, metric: str, groups: NDArray[np.int64], measure: Metric) -> Figure:
    """Measure, and resample whole texts (readings of one text share a group) for the interval."""
    rng = np.random.default_rng(0)
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    values = []
    for _ in range(RESAMPLES):
        drawn = rng.integers(len(members), size=len(members))
        values.append(measure(np.concatenate([members[i] for i in drawn])))
    low, high = np.quantile(values, [0.025, 0.975])
    value = measure(np.arange(len(groups)))
    return Figure(name, metric, value, float(low), float(high), len(groups))


# ---- sets


def probabilities(found: Sequence[Prediction]) -> NDArray[np.float64]:
    """(readings, 3) in the order of `POLARITIES`."""
    return np.array([(f.negative, f.neutral, f.positive) for f in found])


def polarity_figures(
    name: str, model: Classifier, read: Sequence[tuple[Passage, str, int]]
) -> list[Figure]:
    """Figures of a three-way polarity set, from (passage, polarity, text number)."""
    scores = probabilities(model.classify([passage for passage, _, _ in read]))
    truth = np.array([POLARITIES.index(label) for _, label, _ in read])
    groups = np.array([text for _, _, text in read])
    chosen = scores.argmax(1)
    measures: dict[str, Metric] = {
        "accuracy": lambda i: float(np.mean(truth[i] == chosen[i])),
        "macro-F1": lambda i: macro_f1(truth[i], chosen[i]),
        "recall of negatives": lambda i: float(
            np.sum((truth[i] == 0) & (chosen[i] == 0)) / max(1, np.sum(truth[i] == 0))
        ),
        "calibration error": lambda i: calibration_error(truth[i], scores[i]),
        "bias of the negative share": lambda i: float(
            np.mean(chosen[i] == 0) - np.mean(truth[i] == 0)
        ),
    }
    return [figure(name, metric, groups, measure) for metric, measure in measures.items()]


def whole_texts(found: Sequence[Record]) -> list[tuple[Passage, str, int]]:
    """Texts with one polarity each."""
    return [(Passage(r["text"]), r["labels"]["sentiment"], i) for i, r in enumerate(found)]


def targets(found: Sequence[Record]) -> list[tuple[Passage, str, int]]:
    """A reading for each aspect that has a place."""
    return [
        (Passage(r["text"], ((a["from"], a["to"]),)), a["polarity"], i)
        for i, r in enumerate(found)
        for a in r["labels"]["aspects"]
        if a.get("from") is not None and a["polarity"] in POLARITIES
    ]


def spliced_figures(name: str, model: Classifier, found: Sequence[Record]) -> list[Figure]:
    """Which of two opposite polarities each target has: by valence, and of each pair both."""
    read = targets(found)
    valence = np.array([p.valence for p in model.classify([passage for passage, _, _ in read])])
    right = (valence > 0) == np.array([label == "positive" for _, label, _ in read])
    groups = np.array([text for _, _, text in read])
    both = np.array([right[groups == text].all() for text in np.unique(groups)])
    return [
        figure(name, "two-way accuracy", groups, lambda i: float(right[i].mean())),
        figure(name, "both targets right", np.unique(groups), lambda i: float(both[i].mean())),
    ]


def emotion_figures(
    name: str, model: Classifier, found: Sequence[Record], key: str, labels: tuple[str, ...]
) -> list[Figure]:
    """Macro-F1 of emotions at the shipped thresholds."""
    read = model.classify([Passage(r["text"]) for r in found])
    said = [p.emotions if labels == EKMAN else p.finer for p in read]
    chosen = np.array([[s.get(label, 0.0) >= 0.5 for label in labels] for s in said])
    truth = np.array([[label in r["labels"][key] for label in labels] for r in found])
    metric = f"macro-F1 of {len(labels)} emotions"
    groups = np.arange(len(found))
    return [figure(name, metric, groups, lambda i: multi_f1(truth[i], chosen[i]))]


def praise_figures(name: str, model: Classifier, found: Sequence[Record]) -> list[Figure]:
    """ROC AUC of p(positive) for praise."""
    score = probabilities(model.classify([Passage(r["text"]) for r in found]))[:, 2]
    truth = np.array([r["labels"]["candy"] for r in found])
    groups = np.arange(len(found))
    return [figure(name, "ROC AUC", groups, lambda i: auc(truth[i], score[i]))]


def star_figures(name: str, model: Classifier, found: Sequence[Record]) -> list[Figure]:
    """Balanced accuracy of 1-2 against 4-5 stars by the sign of valence, on title and text."""
    found = [r for r in found if r["labels"]["stars"] != 3]
    passages = [Passage(f"{r.get('title') or ''}. {r['text']}") for r in found]
    good = np.array([p.valence > 0 for p in model.classify(passages)])
    truth = np.array([r["labels"]["stars"] > 3 for r in found])

    def balanced(i: NDArray[np.int64]) -> float:
        parts = [good[i][truth[i] == side] == side for side in (True, False)]
        return float(np.mean([part.mean() if len(part) else 0.0 for part in parts]))

    return [figure(name, "balanced accuracy", np.arange(len(found)), balanced)]


def evaluate(model: Classifier, data: Path, most: int) -> list[Figure]:
    """All figures; of a set with more than `most` texts, those of the first so many."""

    def read(name: str, language: str | None = None) -> list[Record]:
        found = records(data / f"{name}.jsonl.gz")
        return [r for r in found if language in (None, r["lang"])][:most]

    return [
        *polarity_figures("UMSAB German dev", model, whole_texts(read("umsab/dev", "de"))),
        *polarity_figures("UMSAB English dev", model, whole_texts(read("umsab/dev", "en"))),
        *polarity_figures("GermEval 2017 syn", model, whole_texts(read("germeval2017/test_syn"))),
        *spliced_figures("spliced_de", model, read("spliced_de/dev")),
        *polarity_figures("MobASA test, targets", model, targets(read("mobasa/test"))),
        *polarity_figures("MobASA test, tweets", model, whole_texts(read("mobasa/test"))),
        *polarity_figures("MAMS dev, targets", model, targets(read("mams/atsa_dev"))),
        *emotion_figures("BRIGHTER German dev", model, read("brighter_de/dev"), "emotions", EKMAN),
        *emotion_figures("GoEmotions test", model, read("goemotions/test"), "ekman", EKMAN),
        *emotion_figures("GoEmotions test", model, read("goemotions/test"), "emotions", FINER),
        *emotion_figures(
            "GoEmotions German test", model, read("goemotions_de/test"), "ekman", EKMAN
        ),
        *praise_figures("flausch_de", model, read("flausch_de/train")),
        *star_figures("insurer's stars", model, read("reviews_oerag_de/stream")),
        *star_figures("app's stars", model, read("reviews_app_de/stream")),
    ]


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table, in per cent."""
    lines = ["| set | n | figure | value | 95 % |", "|---|---|---|---|---|"]
    lines += [
        f"| {f.set} | {f.n:,} | {f.metric} | {100 * f.value:.1f} "
        f"| {100 * f.low:.1f} to {100 * f.high:.1f} |"
        for f in figures
    ]
    return "\n".join(lines)


def main() -> None:
    """Evaluate and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled sets")
    parser.add_argument("--model", default="bundled", help="bundled, a folder or a hub id")
    parser.add_argument("--bundle", type=Path, help="folder of another bundle to measure")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument("--most", type=int, default=6000, help="texts of a set to read at most")
    options = parser.parse_args()
    if options.bundle:
        from models.inference import load_bundled

        model: Classifier = load_bundled(options.bundle)
    else:
        model = classifier.load(options.model)
    figures = evaluate(model, options.data, options.most)
    print(table(figures))
    if options.json:
        said = {
            "model": model.name,
            "revision": model.revision,
            "figures": [
                {"set": f.set, "metric": f.metric, "n": f.n}
                | {k: round(getattr(f, k), 4) for k in ("value", "low", "high")}
                for f in figures
            ],
        }
        options.json.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

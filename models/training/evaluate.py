"""Measures a model on the shared labelled sets: `python -m models.training.evaluate --data DIR`.

With `--card` it writes what it measured into the model card and figures.json beside it (`make
evaluate`). Every figure comes with the 95 % interval of 1,000 bootstrap resamples of the texts (100
for adjusted shares). Test splits of goemotions, goemotions_de and MobASA and all of the
evaluation-only sets were never trained on; `mams`, `brighter_de` are dev splits, of which
brighter_de also set thresholds.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models import classifier
from models.classifier import Classifier, Passage, Prediction
from models.evaluation import behaviour
from models.evaluation.metrics import (
    RESAMPLES,
    Bools,
    Floats,
    Ints,
    Metric,
    adjusted_shares,
    auc,
    calibration_error,
    draws,
    interval,
    macro_f1,
    multi_f1,
)
from models.labels import EKMAN, POLARITIES
from models.training.data import Record, records
from models.training.network import FINER

if TYPE_CHECKING:
    from collections.abc import Sequence


FEW = 500
"""Sets with fewer texts are too small to tell how good thresholds fitted elsewhere are."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value with its 95 % interval, and the number of readings behind it."""

    set: str
    metric: str
    value: float
    low: float
    high: float
    n: int


# ---- figures


def figure(
    name: str, metric: str, groups: Ints, measure: Metric, resamples: int = RESAMPLES
) -> Figure:
    """Measure, and resample whole texts (readings of one text share a group) for the interval."""
    low, high = interval(draws(groups, resamples), measure)
    value = measure(np.arange(len(groups)))
    return Figure(name, metric, round(value, 4), round(low, 4), round(high, 4), len(groups))


# ---- sets


def probabilities(found: Sequence[Prediction]) -> Floats:
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
    }
    return [
        *(figure(name, metric, groups, measure) for metric, measure in measures.items()),
        *share_figures(name, truth, scores, groups),
    ]


def share_figures(name: str, truth: Ints, scores: Floats, groups: Ints) -> list[Figure]:
    """By how much shares of negative and positive are off: as counted, and adjusted by EM."""
    even = np.full(len(POLARITIES), 1 / len(POLARITIES))
    found = []
    for k, polarity in ((0, "negative"), (2, "positive")):

        def counted(i: Ints, k: int = k) -> float:
            return float(np.mean(scores[i].argmax(1) == k) - np.mean(truth[i] == k))

        def adjusted(i: Ints, k: int = k) -> float:
            return float(adjusted_shares(scores[i], even, 100)[k] - np.mean(truth[i] == k))

        found.append(figure(name, f"bias of the {polarity} share", groups, counted))
        found.append(figure(name, f"the same, adjusted ({polarity})", groups, adjusted, 100))
    return found


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
    figures = [figure(name, metric, groups, lambda i: multi_f1(truth[i], chosen[i]))]
    if len(found) <= FEW:
        scores = np.array([[s.get(label, 0.0) for label in labels] for s in said])
        fitted = cross_fitted(truth, scores)
        more = f"{metric}, one cross-fitted threshold"
        figures.append(figure(name, more, groups, lambda i: multi_f1(truth[i], fitted[i])))
    return figures


def cross_fitted(truth: Bools, scores: Floats, folds: int = 5) -> Bools:
    """Labels chosen by one threshold for all of them, which each fold has from the others."""
    chosen = np.zeros_like(truth)
    steps = np.arange(0.02, 1, 0.02)
    for fold in range(folds):
        here = np.arange(len(truth)) % folds == fold
        best = max(steps, key=lambda at: multi_f1(truth[~here], scores[~here] >= at))
        chosen[here] = scores[here] >= best
    return chosen


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

    def balanced(i: Ints) -> float:
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


# ---- goals


@dataclass(frozen=True, slots=True)
class Goal:
    """What the project asks of some figures (several: "a / b") and what others reach there."""

    what: str
    floor: str
    goal: str
    others: str
    figures: tuple[tuple[str, str], ...]


UNSEEN = ("UMSAB German dev", "UMSAB English dev", "GermEval 2017 syn")
EKMAN_F1, FINER_F1 = "macro-F1 of 6 emotions", "macro-F1 of 28 emotions"
GOALS = (
    Goal("UMSAB German dev, macro-F1", "73", "78", "XLM-R base 72.8, XLM-T 77.3 (test)",
         (("UMSAB German dev", "macro-F1"),)),
    Goal("UMSAB English dev, macro-F1", "68", "73", "XLM-T 70.6, VADER 56.0 (test)",
         (("UMSAB English dev", "macro-F1"),)),
    Goal("GermEval 2017 synchronic, micro / macro / recall of negatives", "70 / 54 / 60",
         "80 / 66 / 75", "german-sentiment-bert 75.4 / 51.4 (own split, trained on it)",
         tuple(("GermEval 2017 syn", m) for m in ("accuracy", "macro-F1", "recall of negatives"))),
    Goal("spliced_de, two-way accuracy", "80", "94", "study 69.4; ignoring targets 50",
         (("spliced_de", "two-way accuracy"),)),
    Goal("MobASA test targets, accuracy / macro-F1", "88 / 78", "93 / 85",
         "study 88.4 / 78.6 (see EXPERIMENTS.md)",
         tuple(("MobASA test, targets", m) for m in ("accuracy", "macro-F1"))),
    Goal("MAMS ATSA dev, accuracy", "81", "86", "CapsNet-BERT 83.4 (test)",
         (("MAMS dev, targets", "accuracy"),)),
    Goal("BRIGHTER German dev, macro-F1, one cross-fitted threshold", "56", "70", "study 54.9",
         (("BRIGHTER German dev", f"{EKMAN_F1}, one cross-fitted threshold"),)),
    Goal("GoEmotions test in German, Ekman macro-F1", "52", "62", "study 44.2",
         (("GoEmotions German test", EKMAN_F1),)),
    Goal("flausch_de, ROC AUC", "87", "95", "study 85.9", (("flausch_de", "ROC AUC"),)),
    Goal("GoEmotions test, 28 labels / Ekman, macro-F1", "49 / 62.4", "54 / 67",
         "BERT-base 50.3 / 62.4",
         (("GoEmotions test", FINER_F1), ("GoEmotions test", EKMAN_F1))),
    Goal("stars, balanced accuracy, insurer / app", "91 / 79", "97 / 88", "study 91.9 / 80.0",
         (("insurer's stars", "balanced accuracy"), ("app's stars", "balanced accuracy"))),
    Goal("calibration error, sets not trained on (UMSAB de / en / GermEval)", "6", "3", "study 5",
         tuple((name, "calibration error") for name in UNSEEN)),
    Goal("bias of the negative share, the same", "6", "3", "study 6 to 12",
         tuple((name, "bias of the negative share") for name in UNSEEN)),
)  # fmt: skip


def goals_table(figures: Sequence[Figure]) -> str:
    """The figures beside what the project asks of them, in per cent."""
    by_name = {(f.set, f.metric): f.value for f in figures}
    lines = ["| set | floor | goal | others | this model |", "|---|---|---|---|---|"]
    for goal in GOALS:
        values = " / ".join(f"{100 * by_name[name]:.1f}" for name in goal.figures)
        lines.append(f"| {goal.what} | {goal.floor} | {goal.goal} | {goal.others} | {values} |")
    return "\n".join(lines)


# ---- behaviour


def behaves(model: Classifier) -> dict[str, Any]:
    """What `figures.json` says of the behaviour tests."""
    return {
        "revision": model.revision,
        "failures": [asdict(f) for f in behaviour.failures(model)],
        "moved": [asdict(m) for m in behaviour.moved(model)],
    }


def behaviour_tables(now: dict[str, Any], before: dict[str, Any] | None) -> str:
    """Failure rates beside those of the model before, and how far swapped words move valence."""
    failed = {(f["capability"], f["language"]): f for f in (before or {}).get("failures", [])}
    lines = ["| capability | language | readings | before | this model |", "|---|---|---|---|---|"]
    for f in now["failures"]:
        old = failed.get((f["capability"], f["language"]))
        was = f"{100 * old['failed'] / old['n']:.0f}" if old else "–"
        rate = f"{100 * f['failed'] / f['n']:.0f}"
        lines.append(f"| {f['capability']} | {f['language']} | {f['n']} | {was} | {rate} |")
    moved = {m["what"]: m["mean"] for m in (before or {}).get("moved", [])}
    lines += [
        "",
        "| swapped | pairs | before | this model | largest | in |",
        "|---|---|---|---|---|---|",
    ]
    for m in now["moved"]:
        was = f"{moved[m['what']]:.3f}" if m["what"] in moved else "–"
        said = f"{m['mean']:.3f} | {m['largest']:.2f} | {m['case']}"
        lines.append(f"| {m['what']} | {m['n']} | {was} | {said} |")
    return "\n".join(lines)


# ---- the card


def written(card: str, name: str, content: str) -> str:
    """The card with what stands between `<!-- name -->` and `<!-- end -->` replaced."""
    start, end = f"<!-- {name} -->\n", "<!-- end -->"
    before, found, rest = card.partition(start)
    if not found:
        raise ValueError(f"the card has no line <!-- {name} -->")
    return f"{before}{start}{content}\n{end}{rest.partition(end)[2]}"


def main() -> None:
    """Evaluate, print the tables, and write them where asked."""
    options = arguments()
    model = load(options.bundle) if options.bundle else classifier.load(options.model)
    figures = evaluate(model, options.data, options.most)
    now = behaves(model)
    before = behaves(load(options.before)) if options.before else None
    print(table(figures), behaviour_tables(now, before), sep="\n\n")
    if not options.card:
        return
    file = options.card.with_name("figures.json")
    if before is None and file.exists():  # measured before: that model's, or this one's before
        known = json.loads(file.read_text(encoding="utf-8"))
        same = known["revision"] == model.revision
        before = known.get("before") if same else known.get("behaviour")
    said = {
        "model": model.name,
        "revision": model.revision,
        "figures": [asdict(f) for f in figures],
        "behaviour": now,
        "before": before,
    }
    file.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    card = options.card.read_text(encoding="utf-8")
    card = written(card, "figures", table(figures))
    card = written(card, "goals", goals_table(figures))
    card = written(card, "behaviour", behaviour_tables(now, before))
    options.card.write_text(card, encoding="utf-8")


def load(folder: Path) -> Classifier:
    """A bundle."""
    from models.inference import load_bundled

    return load_bundled(folder)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled sets")
    parser.add_argument("--model", default="bundled", help="bundled, a folder or a hub id")
    parser.add_argument("--bundle", type=Path, help="folder of another bundle to measure")
    parser.add_argument("--before", type=Path, help="folder of the bundle before, for behaviour")
    parser.add_argument("--card", type=Path, help="model card to write the tables into")
    parser.add_argument("--most", type=int, default=6000, help="texts of a set to read at most")
    return parser.parse_args()


if __name__ == "__main__":
    main()

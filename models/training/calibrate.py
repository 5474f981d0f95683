# ruff: noqa: TID253
"""Makes the outputs mean what they say, on dev sets alone: temperatures, thresholds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from models.labels import EKMAN, POLARITIES
from models.training import posts
from models.training.data import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.training.data import Reading

EMOTION_SETS = ("goemotions", "goemotions_de", "brighter_de")
FINER_SETS = ("goemotions", "goemotions_de")
MADE = ("clauses", "spliced", "lines", "long", "posts", *posts.KINDS)
"""Posts that were made or written for training: surer to be read than anybody's."""
FEWEST = 100
"""A set with fewer labelled readings says nothing about a temperature."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """See `bundle.Manifest`."""

    polarity_temperature: float
    emotion_temperature: float
    emotion_thresholds: list[float]
    finer_thresholds: list[float]


@dataclass(frozen=True, slots=True)
class Predicted:
    """Logits of polarity (readings, 3) and emotions (readings, 6 + 28), and the readings."""

    polarity: Tensor
    emotion: Tensor
    readings: list[Reading]


def calibrate(dev: dict[str, Predicted]) -> Calibration:
    """Fit on the dev sets, each weighing the same."""
    logits, wanted, weights = [], [], []
    emotions: list[tuple[Tensor, Tensor]] = []
    finer: list[tuple[Tensor, Tensor]] = []
    for name, found_in in dev.items():
        polarity, emotion, readings = found_in.polarity, found_in.emotion, found_in.readings
        labels = torch.tensor([reading.polarity for reading in readings])
        known = labels != UNKNOWN
        implied = name.startswith(("brighter", "xed"))
        labelled = int(known.sum()) >= FEWEST and not implied
        if labelled:
            print(name, report(polarity[known], labels[known]), flush=True)
        if labelled and not name.startswith(MADE):
            logits.append(polarity[known])
            wanted.append(labels[known])
            weights.append(torch.full((int(known.sum()),), 1 / int(known.sum())))
        if name in EMOTION_SETS:
            truth = torch.tensor([reading.emotions for reading in readings])
            emotions.append((emotion[:, : len(EKMAN)], truth))
        if name in FINER_SETS:
            truth = torch.tensor([reading.finer for reading in readings])
            finer.append((emotion[:, len(EKMAN) :], truth))
    found = thresholds(emotions)
    return Calibration(
        polarity_temperature=polarity_temperature(
            torch.cat(logits), torch.cat(wanted), torch.cat(weights)
        ),
        emotion_temperature=emotion_temperature(emotions, torch.tensor(found)),
        emotion_thresholds=found,
        finer_thresholds=thresholds(finer),
    )


def report(logits: Tensor, wanted: Tensor) -> str:
    """Accuracy and macro-F1, for the log."""
    chosen = logits.argmax(1)
    scores = [f1(chosen == k, wanted == k) for k in range(len(POLARITIES))]
    right = (chosen == wanted).float().mean()
    return f"accuracy {right:.3f}, macro-F1 {sum(scores) / len(scores):.3f}, n {len(wanted)}"


def f1(chosen: Tensor, wanted: Tensor) -> float:
    """F1 of a yes-or-no label."""
    hits = int((chosen & wanted).sum())
    return 2 * hits / max(1, int(chosen.sum()) + int(wanted.sum()))


def polarity_temperature(logits: Tensor, wanted: Tensor, weights: Tensor) -> float:
    """The temperature of least cross-entropy (Guo et al. 2017)."""

    def cost(temperature: float) -> float:
        each = F.cross_entropy(logits / temperature, wanted, reduction="none")
        return float((each * weights).sum())

    return min(hundredths(0.3, 3.5, 0.02), key=cost)


def thresholds(sets: Sequence[tuple[Tensor, Tensor]]) -> list[float]:
    """For each label the logit of best F1, averaged over the sets and smoothed.

    A set weighs as the root of its number of texts, as its F1 is the surer the more there are. It
    is logits (readings, labels) and truth of the same shape, -1 where it is not known.
    """

    def quality(at: float, label: int) -> float:
        scores = []
        for logits, truth in sets:
            known = truth[:, label] != UNKNOWN
            score = f1(logits[known, label] >= at, truth[known, label] == 1)
            scores.append(math.sqrt(len(truth)) * score)
        return sum(scores)

    grid = hundredths(-3, 4, 0.1)
    found = []
    for label in range(sets[0][0].shape[1]):
        qualities = [quality(at, label) for at in grid]
        found.append(max(zip(smoothed(qualities), grid, strict=True), key=itemgetter(0))[1])
    return found


HILL = (1, 2, 3, 2, 1)
"""Weights of neighbours: the middle of a hill holds on other texts, its highest stone may not."""


def smoothed(values: Sequence[float]) -> list[float]:
    """Each value with its neighbours; the ends stand for what lies beyond."""
    reach = len(HILL) // 2
    padded = [values[0]] * reach + list(values) + [values[-1]] * reach
    return [
        sum(w * v for w, v in zip(HILL, padded[i:], strict=False)) / sum(HILL)
        for i in range(len(values))
    ]


def hundredths(start: float, end: float, step: float) -> list[float]:
    """Numbers from start to end, rounded."""
    return [round(start + step * k, 2) for k in range(round((end - start) / step) + 1)]


def emotion_temperature(sets: Sequence[tuple[Tensor, Tensor]], at: Tensor) -> float:
    """The temperature of least cross-entropy round the thresholds."""
    logits = torch.cat([logits for logits, _ in sets]) - at
    truth = torch.cat([truth for _, truth in sets])
    known = truth != UNKNOWN

    def cost(temperature: float) -> float:
        return float(
            F.binary_cross_entropy_with_logits(logits[known] / temperature, truth[known].float())
        )

    return min(hundredths(0.3, 3.3, 0.05), key=cost)

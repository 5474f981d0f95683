"""Figures of a classifier against labels, and how much of them may be chance.

Labels are indices, probabilities rows that add up to 1. Intervals are 95 % percentile intervals of
a bootstrap (Efron 1979) that draws whole texts, because readings of one text are no independent
evidence. Two models are compared on the same draws, and by McNemar's exact test (1947) of those
readings that only one of them got right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Metric = Callable[[Ints], float]
"""A figure of the readings at some indices."""

RESAMPLES = 1000
INTERVAL = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Counts:
    """How often the classes were taken for each other: rows are the truth, columns the choice."""

    table: Ints

    @property
    def present(self) -> Bools:
        """Classes that occur, as truth or as choice; the others take no part in means."""
        return np.asarray((self.table.sum(0) + self.table.sum(1)) > 0)

    @property
    def precision(self) -> Floats:
        """Share of right ones among those chosen, for each class; 0 where none was."""
        return np.asarray(self.table.diagonal() / np.maximum(self.table.sum(0), 1))

    @property
    def recall(self) -> Floats:
        """Share of those found, for each class; 0 where there is none."""
        return np.asarray(self.table.diagonal() / np.maximum(self.table.sum(1), 1))

    @property
    def f1(self) -> Floats:
        """Harmonic mean of both, for each class."""
        both = self.table.sum(0) + self.table.sum(1)
        return np.asarray(2 * self.table.diagonal() / np.maximum(both, 1))

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that occur."""
        return float(self.f1[self.present].mean()) if self.present.any() else 0.0

    @property
    def micro_f1(self) -> float:
        """F1 of all readings together, which is accuracy where each has one label."""
        return float(self.table.trace() / max(1, self.table.sum()))


def confusion(truth: Ints, chosen: Ints, classes: int = 3) -> Counts:
    """Count pairs of truth and choice."""
    flat = np.bincount(truth * classes + chosen, minlength=classes**2)
    return Counts(flat.reshape(classes, classes))


def macro_f1(truth: Ints, chosen: Ints, classes: int = 3) -> float:
    """Mean F1 of the classes that occur."""
    return confusion(truth, chosen, classes).macro_f1


def multi_f1(truth: Bools, chosen: Bools) -> float:
    """Mean F1 of yes-or-no labels, (readings, labels) each."""
    hits = 2 * (truth & chosen).sum(0)
    return float(np.mean(hits / np.maximum(truth.sum(0) + chosen.sum(0), 1)))


def auc(truth: Bools, score: Floats) -> float:
    """Area under the ROC curve: how often a positive one scores higher than a negative one."""
    _, rank = np.unique(score, return_inverse=True)
    counts = np.bincount(rank)
    middle = np.cumsum(counts) - (counts - 1) / 2  # mean rank of equals, from 1
    yes = int(truth.sum())
    no = len(truth) - yes
    return float((middle[rank][truth].sum() - yes * (yes + 1) / 2) / max(1, yes * no))


@dataclass(frozen=True, slots=True)
class Bin:
    """Readings of like certainty: how many, how sure the model was, how often it was right."""

    n: int
    sure: float
    right: float


def reliability(truth: Ints, probability: Floats, bins: int = 10) -> list[Bin]:
    """Bins of equal width by the probability of the chosen class; empty ones are left out."""
    sure, right = probability.max(1), probability.argmax(1) == truth
    bucket = np.minimum((sure * bins).astype(int), bins - 1)
    found = []
    for k in np.unique(bucket):
        here = bucket == k
        found.append(Bin(int(here.sum()), float(sure[here].mean()), float(right[here].mean())))
    return found


def calibration_error(truth: Ints, probability: Floats) -> float:
    """Expected calibration error of the chosen class (Guo et al. 2017)."""
    bins = reliability(truth, probability)
    return sum(b.n * abs(b.sure - b.right) for b in bins) / max(1, len(truth))


# ---- shares


def counted_shares(probability: Floats) -> Floats:
    """The share of each class among the choices."""
    counts = np.bincount(probability.argmax(1), minlength=probability.shape[1])
    return counts / max(1, len(probability))


def adjusted_shares(probability: Floats, prior: Floats, rounds: int = 1000) -> Floats:
    """The shares under which the probabilities agree with themselves, by expectation maximisation.

    For texts whose mix of classes is not the one that the probabilities were made for (Saerens,
    Latinne, Decaestecker 2002, "Adjusting the outputs of a classifier to new a priori
    probabilities"). Needs calibrated probabilities and some hundred texts.

    Args:
        probability: (readings, classes).
        prior: (classes,) shares that the probabilities stand for.
        rounds: most iterations; it stops where the shares no longer move.

    """
    shares = prior.astype(np.float64)
    for _ in range(rounds):
        weighted = probability * (shares / prior)
        moved = (weighted / weighted.sum(1, keepdims=True)).mean(0)
        if np.abs(moved - shares).max() < 1e-6:
            return np.asarray(moved)
        shares = moved
    return shares


# ---- chance


def draws(groups: Ints, resamples: int = RESAMPLES) -> list[Ints]:
    """Indices of readings for each resample of whole texts; groups: the text of each reading."""
    rng = np.random.default_rng(0)
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    alone = len(members) == len(groups)
    found = []
    for _ in range(resamples):
        drawn = rng.integers(len(members), size=len(members))
        found.append(order[drawn] if alone else np.concatenate([members[i] for i in drawn]))
    return found


def interval(resampled: list[Ints], measure: Metric) -> tuple[float, float]:
    """The 95 % interval of a figure over the resamples."""
    low, high = np.quantile([measure(indices) for indices in resampled], INTERVAL)
    return float(low), float(high)


def mcnemar(first: Bools, second: Bools) -> float:
    """Two-sided exact p of McNemar's test: both models are right equally often.

    Both take (readings,) of whether a model was right.
    """
    only_first = int((first & ~second).sum())
    only_second = int((second & ~first).sum())
    n, k = only_first + only_second, min(only_first, only_second)
    tail = sum(comb(n, i) for i in range(k + 1))
    return float(min(1, 2 * tail / 2**n))

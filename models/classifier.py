"""What the rest of the program knows of a model: passages in, predictions out.

Importing this module is cheap: torch and transformers are first touched inside `load`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from models.labels import EKMAN, POLARITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ModelError(Exception):
    """A model cannot be used; the message says why and what to do about it."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A text and the places in it that mean the target.

    Args:
        text: the text as written; any string is allowed.
        spans: places of the target as code point offsets `[start, end)` into `text`.
            Without any, the whole text is the target.

    """

    text: str
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model reads out of a passage.

    Args:
        negative: probability that the passage speaks badly of its target.
        neutral: probability that it speaks neither badly nor well.
        positive: probability that it speaks well; the three add up to 1.
        emotions: Ekman name to probability, shifted so that 0.5 is the decision threshold. They
            need not add up to 1, none need reach 0.5, and a model without emotions leaves it empty.
        finer: the model's own, finer emotion labels in the same way, where it has any.

    """

    negative: float
    neutral: float
    positive: float
    emotions: dict[str, float]
    finer: dict[str, float] = field(default_factory=dict)

    @property
    def polarity(self) -> str:
        """The most probable of `POLARITIES`."""
        return max(POLARITIES, key=lambda name: getattr(self, name))

    @property
    def valence(self) -> float:
        """p(positive) - p(negative), in -1...1."""
        return self.positive - self.negative

    @property
    def emotion(self) -> str | None:
        """The strongest emotion that reaches its threshold, if any does."""
        strongest = max(self.emotions, key=lambda name: self.emotions[name], default=None)
        if strongest is None or self.emotions[strongest] < 0.5:
            return None
        return strongest


NOTHING_SAID = Prediction(0.0, 1.0, 0.0, dict.fromkeys(EKMAN, 0.0))
"""The answer to a text without a visible character."""


class Classifier(Protocol):
    """A model that reads passages.

    `name` and `revision` identify the weights. Where `reads_targets` is false the model scores
    whole texts only, and the caller passes the part of a post that is about the target.
    """

    name: str
    revision: str
    reads_targets: bool

    def classify(self, passages: Sequence[Passage]) -> list[Prediction]:
        """Read the passages; answers come in the same order, one for each."""
        ...


def load(
    model: str = "bundled",
    *,
    revision: str | None = None,
    labels: Mapping[str, str] | None = None,
    threads: int | None = None,
) -> Classifier:
    """Load a model.

    Args:
        model: `bundled` for the one in this package, which never touches the network; a directory
            that `python -m models.training` wrote; else a local directory or a hub id of a
            Hugging Face sequence-classification model. Whether its
            labels exclude each other is read from `problem_type` in its config; without one,
            several labels do.
        revision: branch, tag or commit of a hub id.
        labels: the model's label names to ours (`POLARITIES`, `EKMAN`), e.g.
            `{"1 star": "negative", "LABEL_2": "positive"}`. Several of its labels may mean one of
            ours. Needed only where the model's own names are not plain enough.
        threads: how many CPU threads to compute with; torch's choice when None.

    Raises:
        ModelError: the model is missing, unreadable, has labels that mean nothing here, or does
            not say polarity.

    """
    from models import bundle, inference

    if model == "bundled":
        return inference.load_bundled(threads=threads)
    if bundle.holds(Path(model)):
        return inference.load_bundled(Path(model), threads=threads)
    return inference.load_hugging_face(model, revision=revision, labels=labels, threads=threads)

"""The labelled sets in one form, and only those whose licence lets a shipped model learn from them.

Every training text is compared with every text kept for evaluation and dropped when they are
nearly the same, for tweets travel between sets.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.evaluation import behaviour
from models.labels import EKMAN, POLARITIES
from models.training.network import FINER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from models.text import Place

Record = dict[str, Any]

UNKNOWN = -1
NO_EMOTIONS = (UNKNOWN,) * len(EKMAN)
NO_FINER = (UNKNOWN,) * len(FINER)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is to be read from a text about one target.

    Args:
        spans: the target's places in characters; none: the whole text.
        polarity: index into `POLARITIES`, or -1.
        emotions: 1, 0 or -1 (not labelled) for each of `EKMAN`.
        finer: the same for GoEmotions' labels.
        weight: how much its polarity counts.

    """

    spans: tuple[Place, ...] = ()
    polarity: int = UNKNOWN
    emotions: tuple[int, ...] = NO_EMOTIONS
    finer: tuple[int, ...] = NO_FINER
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Example:
    """A text, the set it is from, and its readings."""

    text: str
    source: str
    readings: tuple[Reading, ...]


Sets = dict[str, list[Example]]
"""Examples by the name of the set they are from."""


def records(path: Path) -> list[Record]:
    """The records of a gzip'ed JSON lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


# ---- from each set's own labels to readings


def goemotions(record: Record, source: str) -> Example:
    """Polarity follows GoEmotions' sentiment groups where they agree; surprise has none."""
    labels = record["labels"]
    emotions, groups = set(labels["emotions"]), set(labels["sentiment_group"])
    polarity = UNKNOWN  # and half as sure: nobody was asked for it
    if groups == {"neutral"} or emotions <= {"curiosity", "confusion", "realization"}:
        polarity = 1
    elif "positive" in groups and groups <= {"positive", "ambiguous"}:
        polarity = 2
    elif "negative" in groups and groups <= {"negative", "ambiguous"}:
        polarity = 0
    finer = one_hot(emotions, FINER)
    reading = Reading((), polarity, one_hot(labels["ekman"], EKMAN), finer, 0.5)
    return Example(record["text"], source, (reading,))


def emotional(record: Record, source: str) -> Example:
    """BRIGHTER and XED: emotions, and the polarity they imply where they are of one kind."""
    labels = set(record["labels"]["emotions"])
    known = labels & set(EKMAN)
    bad = known - {"joy", "surprise"}
    polarity = UNKNOWN
    if "joy" in known and not bad:
        polarity = 2
    elif bad and "joy" not in known:
        polarity = 0
    elif not known and (not labels or labels == {"neutral"}):
        polarity = 1
    emotions = list(one_hot(known, EKMAN))
    if source == "brighter_en":  # has no disgust
        emotions[EKMAN.index("disgust")] = UNKNOWN
    weight = 0.5 if source.startswith("brighter") else 0.3
    return Example(record["text"], source, (Reading((), polarity, tuple(emotions), weight=weight),))


def tweet(record: Record, source: str) -> Example:
    """SB10k: one polarity a tweet."""
    polarity = POLARITIES.index(record["labels"]["sentiment"])
    return Example(record["text"], source, (Reading((), polarity),))


def aspects(record: Record, source: str) -> Example:
    """MobASA and MAMS: a polarity for each target that has a place, and MobASA's for the whole."""
    labels = record["labels"]
    readings = [
        Reading(((aspect["from"], aspect["to"]),), POLARITIES.index(aspect["polarity"]))
        for aspect in labels["aspects"]
        if aspect.get("from") is not None and aspect["polarity"] in POLARITIES
    ]
    whole = labels.get("sentiment", labels.get("sentiment_from_aspects"))
    if whole in POLARITIES:  # an irrelevant tweet is neutral: nothing is said about the company
        readings.append(Reading((), POLARITIES.index(whole)))
    return Example(record["text"], source, tuple(dict.fromkeys(readings)))


def one_hot(names: Iterable[str], labels: tuple[str, ...]) -> tuple[int, ...]:
    """1 where a label is among the names, else 0."""
    return tuple(int(label in set(names)) for label in labels)


# ---- which files are for what

READERS: dict[str, Callable[[Record, str], Example]] = {
    "goemotions": goemotions,
    "goemotions_de": goemotions,
    "xed_en": emotional,
    "xed_de": emotional,
    "brighter_de": emotional,
    "brighter_en": emotional,
    "mobasa": aspects,
    "mams": aspects,
    "sb10k": tweet,
}

TRAIN = (
    ("goemotions", "train"),
    ("goemotions_de", "dev"),
    ("xed_en", "train"),
    ("xed_de", "train"),
    ("brighter_de", "train"),
    ("brighter_en", "train"),
    ("mobasa", "train"),
    ("mobasa", "dev"),
    ("mams", "atsa_train"),
    ("sb10k", "train"),
    ("sb10k", "test"),
)
DEV = (
    ("goemotions", "dev"),
    ("brighter_de", "dev"),
    ("brighter_en", "dev"),
    ("mams", "atsa_dev"),
    ("sb10k", "dev"),
    ("xed_de", "dev"),
)
SPLIT = {("mobasa", "dev"): 4, ("goemotions_de", "dev"): 7}
"""Of these one text in so many is kept for dev."""

EVALUATION = (
    "umsab/dev", "umsab/test*", "germeval2017/*", "mobasa/test", "spliced_de/*",
    "goemotions/test", "goemotions_de/test", "xed_??/test", "brighter_en/test", "deisear/*",
    "enisear/*", "flausch_de/*", "potts/*", "reviews_*/stream", "airline_stream/*",
    "tweeteval_*/*", "semeval14_absa/*", "sentihood/*",
)  # fmt: skip
"""Files whose texts no training text may resemble; those that are not there are passed over."""


SHORTEST = 15
"""Texts of fewer letters are in nobody's set more than in another's."""
COMMON = 1000
"""Words that more known texts hold are no clue to a near-duplicate."""


def read(data: Path, written: tuple[Sets, Sets] = ({}, {})) -> tuple[Sets, Sets]:
    """Training and dev examples by set, free of texts that resemble an evaluation text.

    Args:
        data: folder of the labelled sets.
        written: further training and dev sets.

    """
    train: dict[str, list[Example]] = defaultdict(list)
    dev: dict[str, list[Example]] = defaultdict(list)
    for name, split in TRAIN:
        for example in examples(data, name, split):
            kept = (name, split) in SPLIT and fold(example.text, SPLIT[name, split]) == 0
            (dev if kept else train)[name].append(example)
    for name, split in DEV:
        dev[name] += examples(data, name, split)
    for sets, more in zip((train, dev), written, strict=True):
        sets.update(more)
    texts = [r["text"] for path in evaluation_files(data) for r in records(path) if "text" in r]
    texts += [case.passage.text for case in behaviour.cases()]
    known = Resembling([*texts, *(e.text for v in dev.values() for e in v)])
    for name, found in train.items():
        train[name] = [e for e in found if e.readings and e.text not in known]
        print(f"{name}: {len(train[name])} of {len(found)} texts, {len(dev[name])} for dev")
    return dict(train), {name: found for name, found in dev.items() if found}


def examples(data: Path, name: str, split: str) -> Iterator[Example]:
    """The examples of one file."""
    for record in records(data / name / f"{split}.jsonl.gz"):
        yield READERS[name](record, name)


def evaluation_files(data: Path) -> list[Path]:
    """The files of `EVALUATION` that are there."""
    return [path for name in EVALUATION for path in sorted(data.glob(f"{name}.jsonl.gz"))]


def fold(text: str, folds: int) -> int:
    """A number below `folds` that depends on the text's words only."""
    return int(hashlib.sha1(bare(text).encode(), usedforsecurity=False).hexdigest(), 16) % folds


def bare(text: str) -> str:
    """Lower case words without handles and links, as far as they tell texts apart."""
    text = re.sub(r"@\w+|https?\S*|\buser\b", "", text.lower())
    return re.sub(r"\W+", " ", text).strip()


class Resembling:
    """Texts that share their first 25 letters, or more than 0.6 of their words, with known ones.

    Texts under 15 letters are stock phrases ("thank you so much") and resemble none. Only texts
    that share a rare word are compared: one of the four rarest here, of the six rarest there.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        known = {text for text in map(bare, texts) if len(text) >= SHORTEST}
        self.starts = {text[:25] for text in known}
        self.frequency = Counter(word for text in known for word in set(text.split()))
        self.by_word: dict[tuple[str, int], set[frozenset[str]]] = defaultdict(set)
        for text in known:
            words = frozenset(text.split())
            for word in self.rarest(words, 6):
                self.by_word[word, len(words)].add(words)

    def __contains__(self, text: str) -> bool:
        text = bare(text)
        if len(text) < SHORTEST:
            return False
        words = frozenset(text.split())
        sizes = range(int(0.6 * len(words)), int(len(words) / 0.6) + 1)
        return text[:25] in self.starts or any(
            len(words & other) > 0.6 * len(words | other)
            for word in self.rarest(words, 4)
            for size in sizes
            for other in self.by_word.get((word, size), ())
        )

    def rarest(self, words: frozenset[str], count: int) -> list[str]:
        """Of the words in known texts those in fewest of them; very common ones tell nothing."""
        telling = [word for word in words if 0 < self.frequency[word] <= COMMON]
        return sorted(telling, key=lambda word: (self.frequency[word], word))[:count]

# ruff: noqa: TID253
"""The training run: what is learnt from, in which order, and by which losses.

Three things learnt from earlier runs (EXPERIMENTS.md): losses are adjusted by the log prior of the
set a text is from (Menon et al. 2021), so that raw logits stand for even odds; labels are smoothed
against overconfidence; and the model shipped is a blend of a short and a long run, because on posts
unlike those of the training sets polarity gets worse the longer one trains, while targets and
emotions get better.
"""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.labels import EKMAN, POLARITIES
from models.text import boundaries, excerpt, framed, tokens_of
from models.training import compose
from models.training.data import UNKNOWN, Example, Reading
from models.training.network import Batch, Network

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tokenizers import Tokenizer

SHARE = {
    "goemotions": 1.0,
    "goemotions_de": 1.0,
    "xed_en": 0.05,
    "xed_de": 0.6,
    "brighter_de": 1.0,
    "brighter_en": 0.6,
    "mobasa": 1.5,
    "sb10k": 0.5,
    "mams": 1.2,
    "posts_de": 1.4,
    "transport_de": 1.4,
    "reviews_de": 1.4,
    "posts_en": 1.2,
}
"""How often a round sees each text of a set, on average."""
ENGLISH = {"goemotions", "xed_en", "brighter_en", "mams", "posts_en"}
"""Sets in English; the others are German."""
CLAUSES = {"de": 1500, "en": 700}
SPLICED = 1000
LINES = 400
"""How many posts a round puts together."""
LONG = 200
"""How many posts of one mood and several texts, in each language."""
LONG_MOODS = (0.25, 0.6, 0.15)
"""How often their mood is which."""

DEV_SCALE = 0.08
"""How much of that the dev posts are."""

EXPECTED = {
    ("mobasa", False): (0.23, 0.70, 0.07),
    ("mobasa", True): (0.72, 0.13, 0.15),
    ("mams", True): (0.25, 0.45, 0.30),
    ("goemotions", False): (0.44, 0.13, 0.43),
    ("sb10k", False): (0.41, 0.27, 0.32),
    ("goemotions_de", False): (0.37, 0.26, 0.37),
    ("posts_de", False): (0.33, 0.45, 0.22),
    ("posts_de", True): (0.42, 0.26, 0.32),
    ("transport_de", False): (0.23, 0.70, 0.07),
    ("transport_de", True): (0.42, 0.26, 0.32),
    ("reviews_de", False): (0.45, 0.12, 0.43),
    ("reviews_de", True): (0.45, 0.12, 0.43),
    ("posts_en", False): (0.33, 0.45, 0.22),
    ("posts_en", True): (0.42, 0.26, 0.32),
    ("long_de", False): (0.25, 0.6, 0.15),
    ("long_en", False): (0.25, 0.6, 0.15),
}
"""Shares of the polarities that raw logits stand for on texts like those of a set (whole texts,
targets), where they are not even. On posts about services they lie between even odds and the
shares of the set's dev split. Elsewhere they lean towards opinions, because what these sets call
neutral is often a mild opinion; how far was chosen on UMSAB's dev splits.
"""

RATE, HEAD_RATE = 1e-4, 1e-3
SHORT = 0.06
"""Share of the training after which the short run ends; the long one goes on from there."""
BLEND = 0.15
"""Share of the short run (or of the weights that were started from) in the weights shipped."""
SMOOTHING = 0.1
BATCH_TOKENS, BATCH_TEXTS, POOL = 1200, 64, 2500
MAX_TOKENS = 160
EMOTION_WEIGHT, FINER_WEIGHT = 0.6, 0.4
TAUGHT = 0.5
"""What a teacher's opinion of a reading counts, beside 1 for a label."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text's token ids and, for each reading, the indices of its target's tokens."""

    source: str
    ids: list[int]
    targets: list[list[int]]
    readings: tuple[Reading, ...]


# ---- rounds of posts


class Material:
    """Everything a round is made of."""

    def __init__(self, sets: dict[str, list[Example]], banks: Sequence[compose.Bank]) -> None:
        self.sets = sets
        self.banks = banks
        self.swap = {bank.language: compose.Swap(bank) for bank in banks}
        self.opinions = compose.by_polarity(sets.get("mobasa", []), compose.targets_agree)
        short = [
            example
            for name in ("goemotions_de", "sb10k", "goemotions", "brighter_de")
            for example in sets.get(name, [])
            if len(example.text) < 160
        ]
        self.texts = {
            "de": [e for e in short if e.source != "goemotions"],
            "en": [e for e in short if e.source == "goemotions"],
        }
        german = [e for name in ("mobasa", "sb10k") for e in sets.get(name, [])]
        self.moods = {
            "de": compose.by_polarity(german, compose.whole),
            "en": compose.by_polarity(self.texts["en"], compose.whole),
        }

    def round(self, rng: random.Random, share: dict[str, float], scale: float = 1) -> list[Example]:
        """A round of examples: a part of each set, and posts put together for it."""
        made: list[Example] = []
        for name, examples in self.sets.items():
            count = round(share.get(name, 1) * len(examples) * scale)
            drawn = examples * (count // len(examples))
            drawn += rng.sample(examples, count % len(examples))
            swap = self.swap.get("en" if name in ENGLISH else "de")
            made += [swap(example, rng) for example in drawn] if swap else drawn
        for bank in self.banks:
            count = round(CLAUSES[bank.language] * scale)
            made += [compose.from_clauses(bank, rng) for _ in range(count)]
            made += [self.lines(bank, rng) for _ in range(round(LINES * scale / 2))]
            if all(self.moods[bank.language]):
                made += [self.long(bank, rng) for _ in range(round(LONG * scale))]
        if all(self.opinions):
            made += [self.spliced(rng) for _ in range(round(SPLICED * scale))]
        rng.shuffle(made)
        return made

    def spliced(self, rng: random.Random) -> Example:
        """Two MobASA tweets about different targets."""
        one = compose.splice(*compose.opposite(self.opinions, rng), rng)
        return Example(one.text, "spliced", one.readings)

    def lines(self, bank: compose.Bank, rng: random.Random) -> Example:
        """Two labelled texts, each behind a service's name."""
        texts = self.texts[bank.language]
        return compose.labelled_lines(rng.sample(texts, 2), rng.sample(bank.names, 2), rng)

    def long(self, bank: compose.Bank, rng: random.Random) -> Example:
        """Several labelled texts of one mood: a long post is no stronger for being long."""
        sorted_ = self.moods[bank.language]
        polarity = rng.choices(range(len(POLARITIES)), LONG_MOODS)[0]
        texts = rng.choices(sorted_[polarity], k=rng.randint(2, 6))
        return compose.long(texts, polarity, bank.language, rng)


def with_posts(
    sets: dict[str, list[Example]], banks: list[compose.Bank]
) -> dict[str, list[Example]]:
    """The dev sets, and posts put together from clauses and tweets that training never saw."""
    rng = random.Random(0)
    made = Material(sets, banks).round(rng, dict.fromkeys(sets, 0), DEV_SCALE)
    sets = {name: [*found] for name, found in sets.items()}
    for example in made:
        sets.setdefault(example.source.split("_goem")[0], []).append(example)
    return sets


def encode(tokenizer: Tokenizer, examples: Sequence[Example], size: int) -> list[Encoded]:
    """Tokenise; texts longer than `size` tokens are cut round their targets."""
    ends = boundaries(tokenizer)
    cut = []
    for example in examples:
        text, _ = excerpt(example.text, ())
        lead = len(example.text) - len(example.text.lstrip())
        cut.append((text, lead))
    found = tokenizer.encode_batch([text for text, _ in cut], add_special_tokens=False)
    encoded = []
    for example, (text, lead), tokens in zip(examples, cut, found, strict=True):
        spans = [[(a - lead, b - lead) for a, b in r.spans] for r in example.readings]
        targets = [tokens_of(text, tokens.offsets, places) for places in spans]
        ids, targets = framed(tokens.ids, targets, size, ends)
        seen = [(t, r) for t, r in zip(targets, example.readings, strict=True) if t or not r.spans]
        if seen:
            encoded.append(
                Encoded(example.source, ids, [t for t, _ in seen], tuple(r for _, r in seen))
            )
    return encoded


def batches(texts: Sequence[Encoded], rng: random.Random | None) -> Iterator[list[Encoded]]:
    """Batches of texts of like length, at most `BATCH_TOKENS` tokens each with their padding."""
    for i in range(0, len(texts), POOL):
        pool = sorted(texts[i : i + POOL], key=lambda text: len(text.ids))
        cut: list[list[Encoded]] = [[]]
        for text in pool:
            full = len(text.ids) * (len(cut[-1]) + 1) > BATCH_TOKENS or len(cut[-1]) >= BATCH_TEXTS
            if cut[-1] and full:
                cut.append([])
            cut[-1].append(text)
        if rng:
            rng.shuffle(cut)
        yield from cut


def collate(texts: Sequence[Encoded]) -> Batch:
    """Pad the texts and lay out the pooling weights of their readings."""
    length = max(len(text.ids) for text in texts)
    ids = torch.ones(len(texts), length, dtype=torch.long)
    mask = torch.zeros(len(texts), length, dtype=torch.bool)
    rows = [i for i, text in enumerate(texts) for _ in text.readings]
    pool = torch.zeros(len(rows), len(texts) * length)
    reading = 0
    for i, text in enumerate(texts):
        ids[i, : len(text.ids)] = torch.tensor(text.ids)
        mask[i, : len(text.ids)] = True
        for target in text.targets:
            tokens = target or range(len(text.ids))
            pool[reading, [i * length + k for k in tokens]] = 1 / len(tokens)
            reading += 1
    return Batch(ids, mask, torch.tensor(rows), pool, full=bool(mask.all()))


# ---- losses


@dataclass(frozen=True, slots=True)
class Priors:
    """What a set adds to logits: polarity of wholes, of targets (3,), emotions (6 + 28,)."""

    whole: Tensor
    target: Tensor
    emotion: Tensor


def priors(examples: Sequence[Example]) -> dict[str, Priors]:
    """How frequent each label is in each set, in logs."""
    readings: dict[str, list[Reading]] = defaultdict(list)
    for example in examples:
        readings[example.source] += example.readings
    return {source: prior(source, found) for source, found in readings.items()}


def prior(source: str, readings: Sequence[Reading]) -> Priors:
    """The priors of one set against those expected; a label never seen counts once."""
    polarity = []
    for target in (False, True):
        seen = Counter(r.polarity for r in readings if bool(r.spans) == target)
        counts = torch.tensor([seen[k] + 1.0 for k in range(len(POLARITIES))])
        expected = EXPECTED.get((source, target), (1 / 3,) * len(POLARITIES))
        polarity.append((counts / counts.sum()).log() - torch.tensor(expected).log())
    labels = torch.tensor([(*r.emotions, *r.finer) for r in readings])  # (readings, 6 + 28)
    positive = (labels == 1).sum(0) + 1.0
    share = positive / ((labels != UNKNOWN).sum(0) + 2.0)
    emotion = share.logit()
    emotion[: len(EKMAN)] = 0  # those stand for the odds of their set: one threshold fits all sets
    return Priors(polarity[0], polarity[1], emotion)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What readings are trained towards.

    Args:
        polarity: (readings,) indices, -1 where none is known.
        weight: (readings,) how much each polarity counts.
        labels: (readings, 6 + 28) 1, 0 or -1 of the emotions.
        shift: (readings, 3) and (readings, 6 + 28), what their sets add to the logits.

    """

    polarity: Tensor
    weight: Tensor
    labels: Tensor
    shift: tuple[Tensor, Tensor]

    @classmethod
    def of(
        cls, sources: Sequence[str], readings: Sequence[Reading], by_source: dict[str, Priors]
    ) -> Wanted:
        """Lay out readings, each with the set it is from."""
        found = [by_source[source] for source in sources]
        return cls(
            torch.tensor([reading.polarity for reading in readings]),
            torch.tensor([reading.weight for reading in readings]),
            torch.tensor([(*r.emotions, *r.finer) for r in readings], dtype=torch.int8),
            (
                torch.stack(
                    [p.target if r.spans else p.whole for p, r in zip(found, readings, strict=True)]
                ),
                torch.stack([p.emotion for p in found]),
            ),
        )

    def to(self, device: torch.device) -> Wanted:
        """The same on a device."""
        polarity, emotion = self.shift
        return Wanted(
            self.polarity.to(device), self.weight.to(device), self.labels.to(device),
            (polarity.to(device), emotion.to(device)),
        )  # fmt: skip

    def take(self, rows: Tensor) -> Wanted:
        """Some of the readings."""
        polarity, emotion = self.shift
        return Wanted(
            self.polarity[rows], self.weight[rows], self.labels[rows],
            (polarity[rows], emotion[rows]),
        )  # fmt: skip


def loss(
    network: Network,
    texts: Sequence[Encoded],
    by_source: dict[str, Priors],
    teacher: Network | None = None,
) -> tuple[Tensor, list[float]]:
    """The loss of a batch, and its parts: polarity, emotions, finer labels."""
    sources = [text.source for text in texts for _ in text.readings]
    readings = [reading for text in texts for reading in text.readings]
    wanted = Wanted.of(sources, readings, by_source).to(network.device)
    batch = collate(texts)
    logits = network(batch)
    parts = losses(logits, wanted)
    if teacher:
        with torch.no_grad():
            told = teacher.eval()(batch)
        parts = parts + TAUGHT * lessons(logits, told, wanted.shift)
    parts = parts / len(texts)
    return parts.sum(), parts.tolist()


def losses(logits: tuple[Tensor, Tensor], wanted: Wanted) -> Tensor:
    """Sums over the readings of the losses of polarity, emotions, finer labels: (3,).

    Args:
        logits: of polarity (readings, 3) and of emotions (readings, 6 + 28).
        wanted: what they should be.

    """
    polarity, emotion = logits
    each = F.cross_entropy(
        polarity + wanted.shift[0],
        wanted.polarity,
        ignore_index=UNKNOWN,
        reduction="none",
        label_smoothing=SMOOTHING,
    )
    labels = wanted.labels.float()
    errors = F.binary_cross_entropy_with_logits(
        emotion + wanted.shift[1], labels.clamp(0), reduction="none"
    )
    errors = errors * (labels != UNKNOWN)
    return torch.stack(
        [
            (each * wanted.weight * (wanted.polarity != UNKNOWN)).sum(),
            EMOTION_WEIGHT * errors[:, : len(EKMAN)].sum(),
            FINER_WEIGHT * errors[:, len(EKMAN) :].sum(),
        ]
    )


def lessons(
    logits: tuple[Tensor, Tensor], told: tuple[Tensor, Tensor], shift: tuple[Tensor, Tensor]
) -> Tensor:
    """Losses against a teacher's probabilities instead of labels (Hinton et al. 2015): (3,).

    A teacher has an opinion of every reading, of those without a label too. It is heard at the
    odds of the text's set, as the labels are.
    """
    polarity, emotion = (mine + more for mine, more in zip(logits, shift, strict=True))
    sure, shown = (theirs + more for theirs, more in zip(told, shift, strict=True))
    errors = F.binary_cross_entropy_with_logits(emotion, shown.sigmoid(), reduction="none")
    return torch.stack(
        [
            F.cross_entropy(polarity, sure.softmax(-1), reduction="sum"),
            EMOTION_WEIGHT * errors[:, : len(EKMAN)].sum(),
            FINER_WEIGHT * errors[:, len(EKMAN) :].sum(),
        ]
    )


# ---- the run


def rate(progress: float, short: float) -> float:
    """Learning rate as a share of its peak: up and down for the short run, again for the long."""
    for start, end, warm in ((0.0, short, 0.25), (short, 1.0, 0.06)):
        if progress < end:
            done = (progress - start) / (end - start)
            return max(0.02, min(done / warm, (1 - done) / (1 - warm)))
    return 0.02


class Optimiser:
    """AdamW on everything but the embeddings; SparseAdam on the rows of those a batch touches."""

    def __init__(self, network: Network) -> None:
        heads = {id(p) for head in network.heads() for p in head.parameters()}
        dense = [p for name, p in network.named_parameters() if name != "word.weight"]
        body = [p for p in dense if id(p) not in heads]
        groups = [
            {"params": [p for p in body if p.ndim > 1], "lr": RATE, "weight_decay": 0.01},
            {"params": [p for p in body if p.ndim == 1], "lr": RATE, "weight_decay": 0.0},
            {"params": [p for p in dense if id(p) in heads], "lr": HEAD_RATE, "weight_decay": 0.0},
        ]
        self.dense = dense
        self.parts: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(groups, fused=True, betas=(0.9, 0.98)),
            torch.optim.SparseAdam([network.word.weight], lr=RATE, betas=(0.9, 0.98)),
        ]
        self.peaks = [[group["lr"] for group in part.param_groups] for part in self.parts]

    def step(self, share: float) -> None:
        """Move by the gradients, at a share of the peak learning rate, and forget them."""
        nn.utils.clip_grad_norm_(self.dense, 1.0)
        for part, peaks in zip(self.parts, self.peaks, strict=True):
            for group, peak in zip(part.param_groups, peaks, strict=True):
                group["lr"] = peak * share
            part.step()
            part.zero_grad()

    def state(self) -> list[dict[str, Any]]:
        """What a checkpoint holds of it."""
        return [part.state_dict() for part in self.parts]

    def restore(self, state: list[dict[str, Any]]) -> None:
        """Go on from a checkpoint."""
        for part, saved in zip(self.parts, state, strict=True):
            part.load_state_dict(saved)


@dataclass(slots=True)
class Progress:
    """How far a run is."""

    round: int = 0
    batch: int = 0
    tokens: int = 0
    short: dict[str, Tensor] | None = None


def train(
    network: Network,
    material: Material,
    tokenizer: Tokenizer,
    *,
    tokens: int,
    seed: int,
    work: Path,
    trained: bool = False,
    teacher: Network | None = None,
    every: int = 200,
) -> dict[str, Tensor]:
    """Train for a number of tokens and return the blended weights.

    Every so many batches a checkpoint is written to `work`; a run that finds one goes on from it.
    A network that was `trained` before needs no short run: its weights take that one's place.
    A `teacher` with the same vocabulary tells what it thinks of every text.
    """
    by_source = priors(material.round(random.Random(seed), SHARE))
    short = 0.0 if trained else SHORT
    optimiser, at = Optimiser(network), Progress()
    if trained:
        at.short = copied(network)
    path = work / "checkpoint.pt"
    if path.exists():
        at = resume(path, network, optimiser)
    started, seen, step, mean = time.monotonic(), 0, 0, [0.0] * 3
    while at.tokens < tokens:
        rng = random.Random(f"{seed} {at.round}")
        examples = material.round(rng, SHARE)
        planned = list(batches(encode(tokenizer, examples, MAX_TOKENS), rng))
        for texts in planned[at.batch :]:
            network.train()
            total, parts = loss(network, texts, by_source, teacher)
            torch.autograd.backward(total)
            optimiser.step(rate(at.tokens / tokens, short))
            count = sum(len(text.ids) for text in texts)
            at.batch, at.tokens, seen, step = (
                at.batch + 1,
                at.tokens + count,
                seen + count,
                step + 1,
            )
            mean = [0.98 * m + 0.02 * p for m, p in zip(mean, parts, strict=True)]
            if at.short is None and at.tokens >= short * tokens:
                at.short = copied(network)
            if step % 50 == 0:
                speed = seen / (time.monotonic() - started)
                losses = " ".join(f"{m / (1 - 0.98**step):.3f}" for m in mean)
                print(f"{at.tokens / tokens:.1%} {speed:.0f} tokens/s, losses {losses}", flush=True)
            if step % every == 0:
                save(path, network, optimiser, at)
            if at.tokens >= tokens:
                break
        else:
            at.round, at.batch = at.round + 1, 0
    save(path, network, optimiser, at)
    return blend(at.short or network.state_dict(), network.state_dict(), BLEND)


def copied(network: Network) -> dict[str, Tensor]:
    """The weights as they are now."""
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def blend(first: dict[str, Tensor], second: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """A share of the first weights and the rest of the second (Wortsman et al. 2022)."""
    return {name: share * first[name] + (1 - share) * second[name] for name in second}


def save(path: Path, network: Network, optimiser: Optimiser, at: Progress) -> None:
    """Write a checkpoint, all of it or nothing."""
    state = {
        "network": network.state_dict(),
        "optimiser": optimiser.state(),
        "progress": (at.round, at.batch, at.tokens, at.short),
        "random": (random.getstate(), torch.get_rng_state()),
    }
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def resume(path: Path, network: Network, optimiser: Optimiser) -> Progress:
    """Read a checkpoint."""
    state = torch.load(path, weights_only=False, map_location="cpu")
    network.load_state_dict(state["network"])
    optimiser.restore(state["optimiser"])
    random.setstate(state["random"][0])
    torch.set_rng_state(state["random"][1])
    print(f"going on from {path}", flush=True)
    at = Progress(*state["progress"])
    if at.short is not None:
        at.short = {name: tensor.to(network.device) for name, tensor in at.short.items()}
    return at


@torch.no_grad()
def predict(network: Network, texts: Sequence[Encoded]) -> tuple[Tensor, Tensor]:
    """Polarity and emotion logits of all readings, in the order of the texts."""
    network.eval()
    place = {id(text): i for i, text in enumerate(texts)}
    found: dict[int, tuple[Tensor, Tensor]] = {}
    for some in batches(texts, None):
        polarity, emotion = (logits.cpu() for logits in network(collate(some)))
        counts = [len(text.readings) for text in some]
        parts = zip(polarity.split(counts), emotion.split(counts), strict=True)
        for text, part in zip(some, parts, strict=True):
            found[place[id(text)]] = part
    ordered = [found[i] for i in range(len(texts))]
    return torch.cat([p for p, _ in ordered]), torch.cat([e for _, e in ordered])

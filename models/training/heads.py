# ruff: noqa: TID253
"""Trains a bundle's heads anew and leaves its encoder as it is.

    python -m models.training.heads --data DIR --wheels DIR --start models/bundled --out DIR

The encoder reads every text once, with the 8-bit weights as they are shipped; what the heads see of
it is kept, so they can learn for many rounds at the price of one. That is a hundredth of the work
of training all of it, and enough where the encoder tells apart what the heads do not yet ask for.
The polarity head learns no labels here: it keeps its opinion and learns which kind of text
leans how.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models import bundle
from models.classifier import Passage
from models.inference import CHUNK, Bundled, load_bundled
from models.training import compose, data, loop, posts
from models.training.calibrate import Predicted, calibrate
from models.training.data import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from models.training.data import Example, Reading

DECAY, BATCH = 0.01, 512
PASSED = ("xed_en", "xed_de", "brighter_en")
"""Sets that heads learn nothing from that others do not teach better."""
POSTS = 1
"""Rounds of posts put together: they cost nothing to make."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a head is trained.

    Args:
        rounds: how often it goes through everything.
        rate: learning rate at the start.
        share: how often a round sees each reading of a set, where that is not `loop.SHARE`.
        keep: share of the weights it started from in those it ends with.
        lean: what a text's set (the others') adds to its logits. A head that leans learns no
            labels but to say what it said, leant: it moves its lines and tells apart as before. It
            reads the sets of `share` only.
        most: texts of a set that are read to learn leaning.

    """

    rounds: int
    rate: float
    share: dict[str, float] = field(default_factory=dict)
    keep: float = 0.0
    lean: dict[tuple[str, bool], tuple[float, ...]] = field(default_factory=dict)
    most: int = 1600


OTHERS = ("", False)
"""Sets and readings (of targets or not) for which no leaning is given."""
HEADS = {
    "polarity": Recipe(
        8,
        3e-4,
        {
            "mobasa": 1,
            "transport_de": 4,
            "reviews_de": 7,
            "posts_de": 1,
            "posts_en": 1,
            "sb10k": 1,
            "mams": 1,
            "goemotions_de": 1,
            "goemotions": 1,
        },
        # of what mentions a transport company more is a complaint and much less is praise than raw
        # logits stand for; a review that names a flaw may still be praise
        lean={
            ("transport_de", False): (0.33, 0.0, -1.9),
            ("mobasa", False): (0.18, 0.0, -0.57),
            ("reviews_de", False): (-0.4, 0.0, 0.4),
            OTHERS: (0.12, 0.0, 0.0),
        },
    ),
    "emotion": Recipe(
        4, 3e-4, {"goemotions": 1.0, "goemotions_de": 10.0, "brighter_de": 3.0}, keep=0.4
    ),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What the encoder makes of readings: (readings, 2 hidden) whole text beside target."""

    vectors: Tensor
    sources: list[str]
    readings: list[Reading]

    def take(self, indices: Sequence[int]) -> Seen:
        """Some of the readings."""
        return Seen(
            self.vectors[list(indices)],
            [self.sources[i] for i in indices],
            [self.readings[i] for i in indices],
        )


def see(model: Bundled, examples: Sequence[Example]) -> Seen:
    """Read the examples once."""
    found = [(e.source, r, Passage(e.text, r.spans)) for e in examples for r in e.readings]
    passages = [passage for _, _, passage in found]
    parts = [model.vectors(passages[i : i + CHUNK]) for i in range(0, len(passages), CHUNK)]
    return Seen(torch.cat(parts), [s for s, _, _ in found], [r for _, r, _ in found])


class Heads(nn.Module):
    """The heads of `network.Network` by themselves, under the same names."""

    def __init__(self, arrays: dict[str, bundle.Floats]) -> None:
        super().__init__()
        for name in HEADS:
            for layer in (f"{name}_up", name):
                outputs, inputs = arrays[f"{layer}.weight"].shape
                linear = nn.Linear(inputs, outputs)
                linear.weight.data = torch.from_numpy(arrays[f"{layer}.weight"].copy())
                linear.bias.data = torch.from_numpy(arrays[f"{layer}.bias"].copy())
                self.add_module(layer, linear)

    def forward(self, both: Tensor) -> tuple[Tensor, Tensor]:
        """(readings, 2 hidden) to logits of polarity (readings, 3) and emotions (readings, 34)."""
        polarity, emotion = (self.head(name, both) for name in HEADS)
        return polarity, emotion

    def head(self, name: str, both: Tensor) -> Tensor:
        """One head's logits."""
        up, down = self.get_submodule(f"{name}_up"), self.get_submodule(name)
        both = F.dropout(both, 0.1, self.training)
        logits: Tensor = down(F.dropout(F.gelu(up(both)), 0.2, self.training))
        return logits


def chosen(
    name: str, recipe: Recipe, sets: data.Sets, banks: Sequence[compose.Bank], seed: int
) -> list[Example]:
    """What a head learns from: texts of every kind for one that leans, else those with labels."""
    rng = random.Random(seed)
    if recipe.lean:
        drawn = [rng.sample(sets[kind], min(recipe.most, len(sets[kind]))) for kind in recipe.share]
        return [example for found in drawn for example in found]
    examples = [e for kind, found in sets.items() if kind not in PASSED for e in found]
    none = dict.fromkeys(sets, 0.0)
    examples += loop.Material(sets, banks).round(rng, none, POSTS)
    return [e for e in examples if any(max(labels(name, r)) != UNKNOWN for r in e.readings)]


def labels(name: str, reading: Reading) -> tuple[int, ...]:
    """What a head is to say of a reading."""
    return (reading.polarity,) if name == "polarity" else (*reading.emotions, *reading.finer)


def train(heads: Heads, seen: dict[str, Seen], seed: int, recipes: dict[str, Recipe]) -> None:
    """Train one head after the other, each on what was seen for it."""
    before = {name: tensor.clone() for name, tensor in heads.state_dict().items()}
    for name, recipe in recipes.items():
        learn(heads, name, recipe, seen[name], seed=seed)
    after = heads.state_dict()
    for key in after:
        share = next(recipe.keep for name, recipe in recipes.items() if key.startswith(name))
        after[key] = share * before[key] + (1 - share) * after[key]
    heads.load_state_dict(after)
    heads.eval()


def learn(heads: Heads, name: str, recipe: Recipe, seen: Seen, *, seed: int) -> None:
    """Train one head by the losses of `loop` or to lean, at a rate that falls to nothing."""
    rng = random.Random(seed)
    parameters = [p for key, p in heads.named_parameters() if key.startswith(name)]
    optimiser = torch.optim.AdamW(parameters, lr=recipe.rate, weight_decay=DECAY)
    known = torch.tensor([max(labels(name, reading)) != UNKNOWN for reading in seen.readings])
    wanted = loop.Wanted.of(seen.sources, seen.readings, priors(seen))
    told = leant(heads, name, recipe, seen) if recipe.lean else None
    steps = [batch for _ in range(recipe.rounds) for batch in batches(seen, recipe.share, rng)]
    heads.train()
    for step, rows in enumerate(steps):
        batch = rows if told is not None else rows[known[rows]]
        optimiser.param_groups[0]["lr"] = recipe.rate * (1 - step / len(steps))
        optimiser.zero_grad()
        if told is not None:
            cost = F.cross_entropy(heads.head(name, seen.vectors[batch]), told[batch])
        else:
            parts = loop.losses(heads(seen.vectors[batch]), wanted.take(batch)) / len(batch)
            cost = parts[0] if name == "polarity" else parts[1:].sum()
        torch.autograd.backward(cost)
        optimiser.step()


@torch.no_grad()
def leant(heads: Heads, name: str, recipe: Recipe, seen: Seen) -> Tensor:
    """What a head says of readings before it is trained, leaning as each one's set wants it."""
    others = recipe.lean[OTHERS]
    lean = [
        recipe.lean.get((source, bool(reading.spans)), others)
        for source, reading in zip(seen.sources, seen.readings, strict=True)
    ]
    return (heads.eval().head(name, seen.vectors) + torch.tensor(lean)).softmax(-1)


def priors(seen: Seen) -> dict[str, loop.Priors]:
    """What each set adds to its logits."""
    by_set: dict[str, list[Reading]] = defaultdict(list)
    for source, reading in zip(seen.sources, seen.readings, strict=True):
        by_set[source].append(reading)
    return {source: loop.prior(source, found) for source, found in by_set.items()}


def batches(seen: Seen, shares: dict[str, float], rng: random.Random) -> Iterator[Tensor]:
    """A round: each set as often as its share says, in random order."""
    shares = loop.SHARE | shares
    by_set: dict[str, list[int]] = defaultdict(list)
    for i, source in enumerate(seen.sources):
        by_set[source].append(i)
    order: list[int] = []
    for source, members in by_set.items():
        count = round(shares.get(source, 1.0) * len(members))
        order += members * (count // len(members)) + rng.sample(members, count % len(members))
    rng.shuffle(order)
    for start in range(0, len(order), BATCH):
        yield torch.tensor(order[start : start + BATCH])


def predicted(heads: Heads, seen: Seen) -> Predicted:
    """Logits of readings, for calibration."""
    with torch.no_grad():
        polarity, emotion = heads(seen.vectors)
        return Predicted(polarity, emotion, seen.readings)


def main() -> None:
    """Read the data, let the encoder see it, train the heads, calibrate, export."""
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    train_sets, dev_sets = data.read(options.data, posts.read())
    train_banks, dev_banks = compose.banks()
    model = load_bundled(options.start, threads=options.threads)
    _, arrays = bundle.read(options.start)
    heads = Heads(arrays)
    if not options.only_calibrate:
        seen = {
            name: see(model, chosen(name, recipe, train_sets, train_banks, options.seed))
            for name, recipe in HEADS.items()
        }
        train(heads, seen, options.seed, HEADS)
    dev = loop.with_posts(dev_sets, dev_banks)
    fitted = calibrate({name: predicted(heads, see(model, found)) for name, found in dev.items()})
    print(fitted, flush=True)
    arrays |= {name: tensor.numpy() for name, tensor in heads.state_dict().items()}
    tokenizer = (options.start / bundle.TOKENIZER).read_text(encoding="utf-8")
    bundle.write(options.out, replace(model.manifest, **asdict(fitted)), arrays, tokenizer)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training.heads",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled sets")
    parser.add_argument("--wheels", type=Path, required=True, help="folder of the packages")
    parser.add_argument("--start", type=Path, required=True, help="folder of the bundle to read")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the bundle into")
    parser.add_argument(
        "--only-calibrate", action="store_true", help="leave the heads, fit their thresholds"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()

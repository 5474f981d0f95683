# ruff: noqa: TID253
"""Trains a bundle's heads anew and leaves its encoder as it is.

    python -m models.training.heads --data DIR --wheels DIR --start models/bundled --out DIR

The encoder reads every text once, with the 8-bit weights as they are shipped; what the heads see of
it is kept, so they can learn for many rounds at the price of one. That is a hundredth of the work
of training all of it, and enough where the encoder tells apart what the heads do not yet ask for.
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
        rounds: how often it goes through everything; 0: it is only leant.
        rate: learning rate at the start.
        share: how often a round sees each reading of a set, where that is not `loop.SHARE`.
        keep: share of the weights it started from in those it ends with.
        lean: added to its logits in the end.

    """

    rounds: int
    rate: float
    share: dict[str, float] = field(default_factory=dict)
    keep: float = 0.0
    lean: tuple[float, ...] = ()


HEADS = {
    "polarity": Recipe(
        4,
        3e-4,
        {"goemotions": 1.0, "sb10k": 2.0, "mobasa": 2.0},
        keep=0.55,
        # posts about services damn more and praise less than those that are learnt from
        lean=(0.21, 0.0, -0.08),
    ),
    "emotion": Recipe(
        10, 5e-4, {"goemotions": 1.0, "goemotions_de": 5.0, "brighter_de": 3.0}, keep=0.2
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


def train(heads: Heads, seen: Seen, seed: int, recipes: dict[str, Recipe]) -> None:
    """Learn the readings by the losses of `loop`, one head after the other."""
    wanted = loop.Wanted.of(seen.sources, seen.readings, priors(seen))
    before = {name: tensor.clone() for name, tensor in heads.state_dict().items()}
    for name, recipe in recipes.items():
        learn(heads, name, recipe, seen, wanted, seed=seed)
    after = heads.state_dict()
    for key in after:
        share = next(recipe.keep for name, recipe in recipes.items() if key.startswith(name))
        after[key] = share * before[key] + (1 - share) * after[key]
    for name, recipe in recipes.items():
        if recipe.lean:
            after[f"{name}.bias"] += torch.tensor(recipe.lean)
    heads.load_state_dict(after)
    heads.eval()


def teaches(reading: Reading, recipes: dict[str, Recipe]) -> bool:
    """Whether a head that is to be trained finds a label here."""
    labels = {
        "polarity": (reading.polarity,),
        "emotion": (*reading.emotions, *reading.finer),
    }
    return any(
        recipe.rounds and max(labels[name]) != UNKNOWN for name, recipe in recipes.items()
    )


def learn(
    heads: Heads, name: str, recipe: Recipe, seen: Seen, wanted: loop.Wanted, *, seed: int
) -> None:
    """Train one head, at a rate that falls to nothing."""
    rng = random.Random(seed)
    parameters = [p for key, p in heads.named_parameters() if key.startswith(name)]
    optimiser = torch.optim.AdamW(parameters, lr=recipe.rate, weight_decay=DECAY)
    known = (wanted.polarity if name == "polarity" else wanted.labels.amax(1)) != UNKNOWN
    steps = [batch for _ in range(recipe.rounds) for batch in batches(seen, recipe.share, rng)]
    heads.train()
    for step, rows in enumerate(steps):
        batch = rows[known[rows]]
        optimiser.param_groups[0]["lr"] = recipe.rate * (1 - step / len(steps))
        parts = loop.losses(heads(seen.vectors[batch]), wanted.take(batch)) / len(batch)
        optimiser.zero_grad()
        torch.autograd.backward(parts[0] if name == "polarity" else parts[1:].sum())
        optimiser.step()


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
        rng = random.Random(options.seed)
        examples = [e for name, found in train_sets.items() if name not in PASSED for e in found]
        none = dict.fromkeys(train_sets, 0.0)
        examples += loop.Material(train_sets, train_banks).round(rng, none, POSTS)
        examples = [e for e in examples if any(teaches(r, HEADS) for r in e.readings)]
        train(heads, see(model, examples), options.seed, HEADS)
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

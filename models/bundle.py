"""The model on disk: a manifest, a tokenizer and one safetensors file of 8-bit weights.

Matrices are stored as int8 with one scale a row (`weight = scale[row] * int8[row]`), a quarter of
their size in fp32; vectors stay fp32.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from models.classifier import ModelError

Floats = NDArray[np.float32]

BUNDLED = Path(__file__).parent / "bundled"
MANIFEST, TOKENIZER, WEIGHTS = "config.json", "tokenizer.json", "weights.safetensors"
SCALE = ".scale"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `config.json` of a bundle says.

    Args:
        name: the model's name.
        revision: the first twelve hex digits of the SHA-256 of the weights file.
        polarities: labels of the first outputs, in order.
        emotions: labels of the outputs after them.
        finer: labels of the outputs after those (GoEmotions).
        hidden, layers, heads: shape of the encoder.
        max_tokens: longest text read at once, with its two boundary tokens.
        polarity_temperature: polarity logits are divided by it before the softmax.
        emotion_temperature: emotion logits are divided by it before the sigmoid.
        emotion_thresholds: logits from which on an emotion counts as present.
        finer_thresholds: the same for the finer labels.

    """

    name: str
    revision: str
    polarities: list[str]
    emotions: list[str]
    finer: list[str]
    hidden: int
    layers: int
    heads: int
    max_tokens: int
    polarity_temperature: float
    emotion_temperature: float
    emotion_thresholds: list[float]
    finer_thresholds: list[float]


def quantise(matrix: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Round a matrix (rows, columns) to int8 with one scale a row (rows,)."""
    scale = np.maximum(np.abs(matrix).max(axis=1), 1e-9) / 127
    return np.rint(matrix / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def write(directory: Path, manifest: Manifest, arrays: dict[str, Floats], tokenizer: str) -> None:
    """Write a bundle; `manifest.revision` is replaced by the hash of the weights written."""
    directory.mkdir(parents=True, exist_ok=True)
    stored: dict[str, NDArray[np.generic]] = {}
    for name, array in arrays.items():
        if array.ndim == 2:
            stored[name], stored[name + SCALE] = quantise(array)
        else:
            stored[name] = array
    save_file(stored, directory / WEIGHTS)
    (directory / TOKENIZER).write_text(tokenizer, encoding="utf-8")
    said = asdict(manifest) | {"revision": fingerprint(directory / WEIGHTS)}
    text = json.dumps(said, indent=1, ensure_ascii=False)
    (directory / MANIFEST).write_text(text + "\n", encoding="utf-8")


def holds(directory: Path) -> bool:
    """Whether a directory holds a bundle rather than another kind of model."""
    try:
        said = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(said, dict) and "polarity_temperature" in said


def read(directory: Path) -> tuple[Manifest, dict[str, Floats]]:
    """Read a bundle's manifest and its weights as fp32.

    Raises:
        ModelError: a file is missing or damaged.

    """
    for name in (MANIFEST, TOKENIZER, WEIGHTS):
        if not (directory / name).is_file():
            raise ModelError(
                f"{directory} has no {name}: reinstall the package, or train the model "
                "with `python -m models.training`"
            )
    try:
        manifest = Manifest(**json.loads((directory / MANIFEST).read_text(encoding="utf-8")))
        stored = load_file(directory / WEIGHTS)
    except (ValueError, TypeError, SafetensorError) as error:
        raise ModelError(f"{directory} is damaged ({error}): reinstall the package") from error
    return manifest, dequantise(stored)


def dequantise(stored: dict[str, NDArray[np.generic]]) -> dict[str, Floats]:
    """Expand int8 matrices by their scales; everything else stays as it is."""
    arrays: dict[str, Floats] = {}
    for name, array in stored.items():
        if name.endswith(SCALE):
            continue
        wide = array.astype(np.float32)
        scale = stored.get(name + SCALE)
        arrays[name] = wide if scale is None else wide * scale.astype(np.float32)[:, None]
    return arrays


def fingerprint(path: Path) -> str:
    """The first twelve hex digits of a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]

"""Prunes the 250,000 pieces of XLM-R's vocabulary to those German and English text uses.

Kept: special pieces, every piece in the best segmentation of the training texts and of the
commonest words (`wordfreq`, Speer 2022; as written, capitalised, and inside compounds), every
single Latin letter, punctuation mark, symbol and emoji, and the lowest-scored piece, on which the
penalty of an unknown character hangs. Scores stay, so nearly all texts are cut up as before.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from models.training.base import Base

WORDS = {"de": 110_000, "en": 50_000}
SPECIAL = 4
"""Boundary, padding and unknown pieces come first."""


def prune(base: Base, texts: Iterable[str]) -> Base:
    """The same encoder with a vocabulary for these texts and common German and English words."""
    return cut(base, kept(base.tokenizer, [*texts, *common_words()]))


def like(base: Base, other: Base) -> Base:
    """The same encoder with the vocabulary of another that was pruned from it."""
    place = {piece: i for i, (piece, _) in enumerate(base.tokenizer["model"]["vocab"])}
    return cut(base, [place[piece] for piece, _ in other.tokenizer["model"]["vocab"]])


def cut(base: Base, keep: list[int]) -> Base:
    """The same encoder with some of its pieces; ids ascending."""
    pieces = base.tokenizer["model"]["vocab"]
    place = {old: new for new, old in enumerate(keep)}
    arrays = base.arrays | {"word.weight": base.arrays["word.weight"][keep]}
    tokenizer = json.loads(json.dumps(base.tokenizer))
    tokenizer["model"]["vocab"] = [pieces[i] for i in keep]
    tokenizer["model"]["unk_id"] = place[base.tokenizer["model"]["unk_id"]]
    tokenizer["truncation"] = tokenizer["padding"] = None
    for token in tokenizer["added_tokens"]:
        token["id"] = place[token["id"]]
    for token in tokenizer["post_processor"]["special_tokens"].values():
        token["ids"] = [place[i] for i in token["ids"]]
    return replace(base, arrays=arrays, tokenizer=tokenizer)


def common_words() -> Iterator[str]:
    """The commonest words, as they stand in a text and inside a compound."""
    from wordfreq import top_n_list

    for language, count in WORDS.items():
        for word in top_n_list(language, count, wordlist="best"):
            yield from (word, word.capitalize(), "-" + word)


def kept(tokenizer: dict[str, Any], texts: Iterable[str]) -> list[int]:
    """Ids of the pieces to keep, ascending."""
    pieces = tokenizer["model"]["vocab"]
    engine = Tokenizer.from_str(json.dumps(tokenizer))
    engine.no_truncation()
    engine.no_padding()
    used = np.zeros(len(pieces) + 1, bool)
    for some in chunks(texts, 20_000):
        for encoding in engine.encode_batch_fast(some, add_special_tokens=False):
            used[encoding.ids] = True
    keep = set(np.flatnonzero(used).tolist()) | set(range(SPECIAL))
    keep |= {token["id"] for token in tokenizer["added_tokens"]}
    keep |= {i for i, (piece, _) in enumerate(pieces) if wanted(piece.replace("▁", ""))}
    keep.add(min(range(SPECIAL, len(pieces)), key=lambda i: pieces[i][1]))
    return sorted(keep)


def chunks(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    """The texts in lists of a size."""
    rest = iter(texts)
    while some := list(islice(rest, size)):
        yield some


def wanted(piece: str) -> bool:
    """Whether a piece is a single character that German or English posts may hold."""
    if len(piece) != 1:
        return not piece
    code = ord(piece)
    latin = code < 0x250 or 0x1E00 <= code < 0x1F00
    symbol = 0x2000 <= code < 0x2C00 or 0xFE00 <= code < 0xFE10 or 0x1F000 <= code < 0x1FB00
    return latin or symbol or (code < 0x3000 and unicodedata.category(piece)[0] in "SPZ")
